// What bench/train.ts and the processes that train say to each other: lines of JSON.

/** The first line of a process. */
export interface Hello {
  /** Channels of a block, where the machine's ONNX Runtime has the blocked operators. */
  block?: number;
  /** The version of PyTorch. */
  torch?: string;
}

/** One round; all questions to a process are the same. */
export interface Question {
  net: string;
  batch: number;
  seconds: number;
  threads: number;
  /** Standard ONNX operators only. */
  portable?: boolean;
}

export interface Answer {
  imagesPerSecond: number;
  /** Bytes resident now, and at most so far. */
  rss: number;
  peak: number;
}

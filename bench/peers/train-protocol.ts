// The messages between bench/train.ts and the training processes: lines of JSON.

/** The first line of a process. */
export interface Hello {
  /** The channels of a block, if ONNX Runtime has the blocked operators on this machine. */
  block?: number;
  /** The version of PyTorch. */
  torch?: string;
}

/** One round; a process gets the same message in every round. */
export interface Question {
  net: string;
  batch: number;
  seconds: number;
  threads: number;
  /** Whether only standard ONNX operators are used. */
  portable?: boolean;
}

export interface Answer {
  imagesPerSecond: number;
  /** The resident bytes now, and their peak so far. */
  rss: number;
  peak: number;
}

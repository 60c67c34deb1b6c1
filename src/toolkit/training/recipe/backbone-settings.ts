// What a recipe says of the backbone that its layers stand on. Plain data.

export interface BackboneSettings {
  /** The file's name without its ending, for people. */
  readonly name: string;
  readonly sha256: string;
  /** The value of the file that it was cut at. */
  readonly features: string;
  /** How many of its last layers learn in the second phase; 0: there is no second phase, the head alone learns. */
  readonly fineTune: number;
  /** The first phase: the recipe's layers alone, on features that were computed once. */
  readonly head: HeadSettings;
}

export interface HeadSettings {
  readonly epochs: number;
  readonly learningRate: number;
  readonly batchSize: number;
  /** How often features of a training image are computed: as it is, and augmented, so many in all. */
  readonly views: number;
}

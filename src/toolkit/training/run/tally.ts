// predictions and labels, batch by batch → the number of correct predictions, and precision and recall of label 1.

interface Tally {
  readonly correct: number;
  /** Precision: the fraction of the predictions of label 1 that is correct; undefined if there are none. */
  readonly precision?: number;
  /** Recall: the fraction of the images of label 1 that got this prediction; undefined if there are none. */
  readonly recall?: number;
}

export interface TallyCounter {
  add(answers: BigInt64Array, truths: BigInt64Array): void;
  result(): Tally;
}

export function createTally(): TallyCounter {
  let [correct, answered, positive, both] = [0, 0, 0, 0];
  return {
    add(answers, truths) {
      answers.forEach((answer, i) => {
        const truth = truths[i];
        if (answer === truth) correct += 1;
        if (answer === 1n) answered += 1;
        if (truth === 1n) positive += 1;
        if (answer === 1n && truth === 1n) both += 1;
      });
    },
    result: () => ({
      correct,
      ...(answered > 0 && { precision: both / answered }),
      ...(positive > 0 && { recall: both / positive }),
    }),
  };
}

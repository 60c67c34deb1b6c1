// why a version cannot be served: a code and a sentence for clients. The full text is for the log and the command line.

/** Closed list. A sentence holds no path, no text of a library and nothing of a file, because strangers may read it. */
export const modelProblems = {
  folder_unreadable: 'its folder cannot be read',
  card_unreadable: 'its card.json is missing or is not readable JSON',
  card_invalid: 'its card.json is not a valid card',
  card_of_other_model: 'its card.json has the name of another model',
  file_unreadable: 'a file of a variant is missing or cannot be read',
  file_differs: 'a file of a variant differs from the size or checksum in its card',
  weights_outside: 'some of its weights lie in another file',
  model_failed: 'its model cannot be loaded, does not fit its card, or failed when it ran',
  golden_failed: 'a golden sample cannot be read or classified',
  golden_differs: 'a golden sample no longer has its confidences',
} as const;
export type ModelProblem = keyof typeof modelProblems;

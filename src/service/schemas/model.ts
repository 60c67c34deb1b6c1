// The description of a model and its versions.
import { type Static, Type } from '#typebox';
import type { ModelProblem } from '../../inference/model-problems.js';
import type { Card } from '../../inference/models/card.js';

const strict = { additionalProperties: false };

const VariantFigures = Type.Object(
  {
    variant: Type.String(),
    accuracy: Type.Optional(Type.Number({ description: 'Accuracy on the test split, from the card.' })),
    latencyMs: Type.Optional(
      Type.Number({ description: 'Median latency of one image, on one thread of this machine.' }),
    ),
    accurateEnough: Type.Boolean({
      description: "Whether the accuracy is within the card's accuracyTolerance of the best.",
    }),
  },
  strict,
);

/** `problem`: why the version is not ready. `refused`: why its new files are not served, and the old ones still are. */
const problemCode = Type.Unsafe<ModelProblem>(Type.Ref('ModelProblem'));

const state = {
  ready: Type.Boolean(),
  problem: Type.Optional(problemCode),
  refused: Type.Optional(problemCode),
  variant: Type.Optional(Type.String({ description: 'The served variant.' })),
  variantReason: Type.Optional(Type.String({ description: 'Why this variant is served.' })),
  figures: Type.Optional(
    Type.Array(VariantFigures, {
      description: 'The figures of each variant from which QUATI_VARIANT=auto chose.',
    }),
  ),
};

export const Version = Type.Object(
  {
    version: Type.Integer(),
    ...state,
    card: Type.Optional(Type.Unsafe<Card>(Type.Ref('Card'))),
  },
  strict,
);
export type Version = Static<typeof Version>;

const summary = {
  name: Type.String(),
  title: Type.Optional(Type.String()),
  labels: Type.Array(Type.String(), {
    description: "In the order of the model's output; empty if the card cannot be read.",
  }),
  version: Type.Integer({
    description: 'The version for requests that name none: the highest that is ready.',
  }),
  ...state,
};

export const ModelSummary = Type.Object(
  {
    ...summary,
    versions: Type.Array(Type.Integer()),
    problems: Type.Optional(
      Type.Array(Type.Object({ version: Type.Integer(), problem: problemCode }, strict), {
        description: 'Versions that are not ready or were refused, with the reason.',
      }),
    ),
  },
  { $id: 'ModelSummary', ...strict },
);
export type ModelSummary = Static<typeof ModelSummary>;

export const ModelList = Type.Object(
  {
    models: Type.Array(Type.Ref('ModelSummary')),
    default: Type.Optional(Type.String({ description: 'The default model: for requests that name none.' })),
  },
  { $id: 'ModelList', description: 'All models, sorted by name.', ...strict },
);

export const ModelDetail = Type.Object(
  { ...summary, versions: Type.Array(Version) },
  { $id: 'ModelDetail', description: 'One model, with the card of each version.', ...strict },
);
export type ModelDetail = Static<typeof ModelDetail>;

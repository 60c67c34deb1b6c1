// The description of a model and its versions.
import { type Static, Type } from '#typebox';
import type { ModelProblem } from '../../inference/model-problems.js';
import type { Card } from '../../inference/models/card.js';

const strict = { additionalProperties: false };

const VariantFigures = Type.Object(
  {
    variant: Type.String(),
    accuracy: Type.Optional(Type.Number({ description: 'On the test split, as the card has it.' })),
    latencyMs: Type.Optional(
      Type.Number({ description: 'Median of one image on one thread of this machine.' }),
    ),
    accurateEnough: Type.Boolean({ description: "Within the card's accuracyTolerance of the best." }),
  },
  strict,
);

/** `problem`: why the version is not ready. `refused`: why its folder's new content is not served, while the old one is. */
const problemCode = Type.Unsafe<ModelProblem>(Type.Ref('ModelProblem'));

const state = {
  ready: Type.Boolean(),
  problem: Type.Optional(problemCode),
  refused: Type.Optional(problemCode),
  variant: Type.Optional(Type.String({ description: 'The variant that serves.' })),
  variantReason: Type.Optional(Type.String({ description: 'Why that variant serves.' })),
  figures: Type.Optional(
    Type.Array(VariantFigures, {
      description: 'What QUATI_VARIANT=auto knew of each variant when it chose.',
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
    description: "In the order of the model's output; empty where the card can't be read.",
  }),
  version: Type.Integer({
    description: 'The version that a request gets that names none: the highest that is ready.',
  }),
  ...state,
};

export const ModelSummary = Type.Object(
  {
    ...summary,
    versions: Type.Array(Type.Integer()),
    problems: Type.Optional(
      Type.Array(Type.Object({ version: Type.Integer(), problem: problemCode }, strict), {
        description: 'Versions that are not served as their folders have them, and why.',
      }),
    ),
  },
  { $id: 'ModelSummary', ...strict },
);
export type ModelSummary = Static<typeof ModelSummary>;

export const ModelList = Type.Object(
  {
    models: Type.Array(Type.Ref('ModelSummary')),
    default: Type.Optional(Type.String({ description: 'The model of a request that names none.' })),
  },
  { $id: 'ModelList', description: 'By name.', ...strict },
);

export const ModelDetail = Type.Object(
  { ...summary, versions: Type.Array(Version) },
  { $id: 'ModelDetail', description: 'With the card of each version.', ...strict },
);
export type ModelDetail = Static<typeof ModelDetail>;

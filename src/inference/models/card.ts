// card.json → a validated Card: a model's input, output, variants and origin.
import { type Static, Type } from '#typebox';
import { Compile } from '#typebox/compile';
import { outputKinds } from '../category.js';
import { CardError } from '../errors.js';
import { channelCount } from '../image/channels.js';
import { InputContract } from '../image/contract.js';
import { maxCardBytes, readRegularFile } from './regular-files.js';

const strict = { additionalProperties: false };

export const VariantName = Type.Enum(['float32', 'float16', 'int8', 'binary']);
export type VariantName = Static<typeof VariantName>;

export const Variant = Type.Object(
  {
    file: Type.String({ pattern: '^[\\w.-]+\\.onnx$' }),
    bytes: Type.Integer({ minimum: 1 }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    accuracy: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, description: 'Top-1 accuracy on the test split.' }),
    ),
    latencyMs: Type.Optional(
      Type.Number({ minimum: 0, description: 'Median milliseconds of one image on one thread.' }),
    ),
    imagesPerSecond: Type.Optional(
      Type.Number({ minimum: 0, description: 'In batches of 32 on one thread.' }),
    ),
  },
  strict,
);
export type Variant = Static<typeof Variant>;

const Golden = Type.Object(
  {
    file: Type.String({ pattern: '^golden/[\\w.-]+$' }),
    confidences: Type.Record(Type.String(), Type.Array(Type.Number()), {
      description: 'Per variant, the confidences of this image at publishing, in label order.',
    }),
  },
  strict,
);

/** Fields are optional if only a model trained by Quati has them. */
const Provenance = Type.Object(
  {
    dataset: Type.Optional(Type.Object({ name: Type.String(), sha256: Type.String() }, strict)),
    recipe: Type.Optional(Type.String()),
    seed: Type.Optional(Type.Integer()),
    epochs: Type.Optional(Type.Integer()),
    commands: Type.Array(Type.String()),
    date: Type.String(),
    tool: Type.String(),
  },
  strict,
);

export const Card = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: 'The path of card.schema.json, for editors.' })),
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]*$' }),
    title: Type.String(),
    labels: Type.Array(Type.String(), { minItems: 2, description: 'The labels in the order of the output.' }),
    input: InputContract,
    output: Type.Enum(outputKinds, {
      description:
        'The function from the output to confidences; probabilities: the output already holds confidences.',
    }),
    defaultVariant: VariantName,
    accuracyTolerance: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description:
          'With QUATI_VARIANT=auto, a variant is served only if its accuracy is at most this much below the best. Default 0.002.',
      }),
    ),
    variants: Type.Partial(Type.Record(VariantName, Variant), strict),
    golden: Type.Array(Golden),
    attribution: Type.Optional(
      Type.Array(Type.String(), {
        description: 'The works that the model is based on, with authors and licence: one line per work.',
      }),
    ),
    provenance: Type.Optional(Provenance),
  },
  { $id: 'Card', ...strict },
);
export type Card = Static<typeof Card>;

const validator = Compile(Card);

/**
 * Checks the schema and further rules: one mean and std per channel, no arithmetic on uint8, digit rules only for gray,
 * and a default variant that exists.
 * @throws CardError with the file, the value and the expected value.
 */
export function parseCard(json: unknown, file: string): Card {
  if (!validator.Check(json)) {
    const [first] = validator.Errors(json);
    throw new CardError(`${file}: ${first?.instancePath || 'card'} ${first?.message ?? 'is not a card'}`);
  }
  const channels = channelCount(json.input);
  for (const key of ['mean', 'std'] as const) {
    const got = json.input[key].length;
    if (got !== channels)
      throw new CardError(`${file}: /input/${key}: expected ${channels} values, got ${got}`);
  }
  checkDataType(json.input, file);
  checkDigitRules(json.input, file);
  if (!json.variants[json.defaultVariant]) {
    const known = Object.keys(json.variants).join(', ');
    throw new CardError(`${file}: /defaultVariant: expected one of ${known}, got ${json.defaultVariant}`);
  }
  return json;
}

function checkDataType({ dataType, scale, mean, std }: InputContract, file: string): void {
  const untouched = scale === 1 && mean.every((value) => value === 0) && std.every((value) => value === 1);
  if (dataType === 'uint8' && !untouched)
    throw new CardError(
      `${file}: /input/dataType: uint8 takes pixels unchanged: expected scale 1, mean 0 and std 1, ` +
        `got ${scale}, ${mean} and ${std}`,
    );
}

function checkDigitRules({ width, height, channels, polarity, centre }: InputContract, file: string): void {
  if (channels !== 'gray' && (polarity === 'auto' || centre))
    throw new CardError(
      `${file}: /input/${centre ? 'centre' : 'polarity'} is only for gray images, got ${channels}`,
    );
  const most = Math.min(width, height);
  if (centre && centre.box > most)
    throw new CardError(`${file}: /input/centre/box: expected at most ${most}, got ${centre.box}`);
}

/** @throws CardError when the file is missing, is not JSON, or is not a card. */
export async function loadCard(file: string): Promise<Card> {
  let json: unknown;
  try {
    json = JSON.parse((await readRegularFile(file, maxCardBytes)).toString('utf8'));
  } catch (cause) {
    const message =
      cause instanceof CardError
        ? cause.message
        : `${file}: cannot be read as JSON: ${(cause as Error).message}`;
    throw new CardError(message, { cause, problem: 'card_unreadable' });
  }
  return parseCard(json, file);
}

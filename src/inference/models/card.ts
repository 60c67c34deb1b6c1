// card.json → a validated Card: what goes into a model, what comes out, which variants there are, where they came from.
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
    accuracy: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'On the test split.' })),
    latencyMs: Type.Optional(Type.Number({ minimum: 0, description: 'Median at batch 1, one thread.' })),
    imagesPerSecond: Type.Optional(Type.Number({ minimum: 0, description: 'In batches of 32, one thread.' })),
  },
  strict,
);
export type Variant = Static<typeof Variant>;

const Golden = Type.Object(
  {
    file: Type.String({ pattern: '^golden/[\\w.-]+$' }),
    confidences: Type.Record(Type.String(), Type.Array(Type.Number()), {
      description: 'Per variant, the confidences this image had when published, in label order.',
    }),
  },
  strict,
);

/** What only a model that was trained here has is optional. */
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
    $schema: Type.Optional(Type.String({ description: 'Where an editor finds card.schema.json.' })),
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]*$' }),
    title: Type.String(),
    labels: Type.Array(Type.String(), { minItems: 2, description: 'In the order of the output.' }),
    input: InputContract,
    output: Type.Enum(outputKinds, {
      description: 'What turns the output into confidences; probabilities: nothing, it is them.',
    }),
    defaultVariant: VariantName,
    accuracyTolerance: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description:
          'What a variant may lose of the best accuracy for QUATI_VARIANT=auto to serve it. Default 0.002.',
      }),
    ),
    variants: Type.Partial(Type.Record(VariantName, Variant), strict),
    golden: Type.Array(Golden),
    attribution: Type.Optional(
      Type.Array(Type.String(), {
        description: 'Whose work the model was made from, and by which licence: a line each.',
      }),
    ),
    provenance: Type.Optional(Provenance),
  },
  { $id: 'Card', ...strict },
);
export type Card = Static<typeof Card>;

const validator = Compile(Card);

/**
 * Checks what the schema can say and what it can't: one mean and std a channel, no arithmetic on uint8, ink rules for gray
 * only, a default variant that exists.
 * @throws CardError naming the file, the value and what was expected.
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
      throw new CardError(`${file}: /input/${key} expected ${channels} values, got ${got}`);
  }
  checkDataType(json.input, file);
  checkDigitRules(json.input, file);
  if (!json.variants[json.defaultVariant]) {
    const known = Object.keys(json.variants).join(', ');
    throw new CardError(
      `${file}: /defaultVariant ${json.defaultVariant} is not among the variants (${known})`,
    );
  }
  return json;
}

function checkDataType({ dataType, scale, mean, std }: InputContract, file: string): void {
  const untouched = scale === 1 && mean.every((value) => value === 0) && std.every((value) => value === 1);
  if (dataType === 'uint8' && !untouched)
    throw new CardError(
      `${file}: /input/dataType uint8 takes pixels as they are: expected scale 1, mean 0 and std 1, ` +
        `got ${scale}, ${mean} and ${std}`,
    );
}

function checkDigitRules({ width, height, channels, polarity, centre }: InputContract, file: string): void {
  if (channels !== 'gray' && (polarity === 'auto' || centre))
    throw new CardError(
      `${file}: /input/${centre ? 'centre' : 'polarity'} needs gray channels, got ${channels}`,
    );
  const most = Math.min(width, height);
  if (centre && centre.box > most)
    throw new CardError(`${file}: /input/centre/box expected at most ${most}, got ${centre.box}`);
}

/** @throws CardError when the file is missing, no JSON, or no card. */
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

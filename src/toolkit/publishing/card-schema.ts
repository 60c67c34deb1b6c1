// The Card of src/inference → the text of card.schema.json.
import { Card } from '../../inference/models/card.js';

export function cardSchema(): string {
  const schema = Object.fromEntries(Object.entries(Card).filter(([key]) => key !== '$id'));
  const document = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Model card of Quati',
    description: 'models/<name>/<version>/card.json: the input, the output and the variants of a model.',
    ...schema,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

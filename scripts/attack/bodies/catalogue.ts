// names → the hostile JSON bodies that a service has to survive, each made when it is asked for.
import {
  emptyObjects,
  listOf,
  longValue,
  nested,
  openBrackets,
  openInferenceBody,
  sameNames,
  tensorflowServingBody,
} from './json.js';

export interface HostileBody {
  name: string;
  protocol: 'v1' | 'v2';
  /** Compressed with gzip, a body of one repeated pattern has some kilobytes. */
  bytes(): Buffer;
}

/** A little below 10 MiB, the default of QUATI_MAX_UPLOAD_BYTES. */
const mostBytes = 10 * 2 ** 20 - 2048;
const times = (item: string) => Math.floor(mostBytes / (item.length + 1));

const ofOpenInference: Record<string, () => Buffer> = {
  'open brackets': () => openBrackets(mostBytes),
  'parameters of empty objects': () => openInferenceBody(emptyObjects(times('{}'))),
  'parameters of one name': () => openInferenceBody(sameNames(times('"a":1'))),
  'parameters of lists in lists': () => openInferenceBody(nested(mostBytes / 2)),
  'a timeout in lists': () =>
    openInferenceBody(Buffer.concat([Buffer.from('{"timeout":'), nested(5000), Buffer.from('}')])),
  'an id of 10 MB': () => openInferenceBody({ id: longValue(mostBytes, 'text') }),
  'a name of 10 MB': () => openInferenceBody({ name: longValue(mostBytes, 'text') }),
  'a datatype of 10 MB': () => openInferenceBody({ datatype: longValue(mostBytes, 'text') }),
  'a shape of 10 MB': () => openInferenceBody({ shape: listOf('1', times('1')) }),
  'a number of 10 MB': () => openInferenceBody({ shape: longValue(mostBytes, 'number') }),
  'an image of 10 MB': () => openInferenceBody({ data: longValue(mostBytes, 'text') }),
  'data of zeros': () => openInferenceBody({ data: listOf('0', times('0')) }),
  'data of empty texts': () => openInferenceBody({ data: listOf('""', times('""')) }),
};

const ofTensorflowServing: Record<string, () => Buffer> = {
  'instances of one number': () => tensorflowServingBody(listOf('[0]', times('[0]'))),
  'instances of empty objects': () => tensorflowServingBody(emptyObjects(times('{}'))),
  'instances in lists': () => tensorflowServingBody(nested(mostBytes / 2)),
  'an instance of one name': () =>
    tensorflowServingBody(Buffer.concat([Buffer.from('['), sameNames(times('"a":1')), Buffer.from(']')])),
};

export const hostileBodies: readonly HostileBody[] = [
  ...named('v2', ofOpenInference),
  ...named('v1', ofTensorflowServing),
];

function named(protocol: HostileBody['protocol'], bodies: Record<string, () => Buffer>): HostileBody[] {
  return Object.entries(bodies).map(([name, bytes]) => ({ name, protocol, bytes }));
}

// an input contract → how many channels its pixels have.
import type { InputContract } from './contract.js';

export function channelCount(input: Pick<InputContract, 'channels'>): 1 | 3 {
  return input.channels === 'gray' ? 1 : 3;
}

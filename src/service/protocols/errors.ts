// a problem → the error body that Triton, KServe and TensorFlow Serving send.
import type { ErrorForm } from '../plugins/problems.js';

export const protocolErrors: ErrorForm = {
  contentType: 'application/json',
  toBody: ({ detail }) => ({ error: detail }),
};

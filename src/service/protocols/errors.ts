// a problem → the body that Triton, KServe and TensorFlow Serving send for it.
import type { ErrorForm } from '../plugins/problems.js';

export const protocolErrors: ErrorForm = {
  contentType: 'application/json',
  toBody: ({ detail }) => ({ error: detail }),
};

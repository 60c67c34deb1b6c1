// The one place that loads onnxruntime-node, with its telemetry off.
import type * as OnnxRuntime from 'onnxruntime-node';
import { checkPlatform } from './platform.js';

export type { Tensor } from 'onnxruntime-node';

export type Runtime = typeof OnnxRuntime;

/**
 * ONNX Runtime reads this when its library is loaded, from the process's environment: a worker thread's
 * `process.env` is only a copy of that, so whoever starts a worker calls this on the main thread first.
 */
export function disableTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY = '1';
}

/** @throws UnsupportedPlatformError where there is no build for this system. */
export async function loadRuntime(): Promise<Runtime> {
  disableTelemetry();
  try {
    return await import('onnxruntime-node');
  } catch (error) {
    checkPlatform();
    throw error;
  }
}

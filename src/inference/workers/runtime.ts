// The one place that loads onnxruntime-node, with its telemetry off.
import type * as OnnxRuntime from 'onnxruntime-node';
import { checkPlatform } from './platform.js';

export type { Tensor } from 'onnxruntime-node';

export type Runtime = typeof OnnxRuntime;

/**
 * Turns the telemetry off. ONNX Runtime reads this setting from the process's environment when its library is loaded. A worker
 * thread's `process.env` is only a copy, so call this on the main thread before you start a worker.
 */
export function disableTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY = '1';
}

/** @throws UnsupportedPlatformError when ONNX Runtime has no build for this system. */
export async function loadRuntime(): Promise<Runtime> {
  disableTelemetry();
  try {
    return await import('onnxruntime-node');
  } catch (error) {
    checkPlatform();
    throw error;
  }
}

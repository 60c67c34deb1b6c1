// The bytes of a model of any tool → its graph. What the importer cannot read is folded or typed by ONNX Runtime first.
import { GraphError, UnsupportedOperatorError } from './errors.js';
import type { Graph } from './graph.js';
import { type ImportOptions, importOnnx } from './import.js';
import { foldByRuntime, typesByRuntime } from './runtime-view.js';

/**
 * Reads a model as `importOnnx` does. If that fails, ONNX Runtime folds everything that depends on constants alone, as the chains of Shape,
 * ConstantOfShape and Pad that exporters write. Operators without a rule then keep the types that ONNX Runtime infers.
 * @throws GraphError, UnsupportedOperatorError of the importer, if that does not help.
 */
export async function readModel(
  bytes: Uint8Array,
  file: string,
  options: Pick<ImportOptions, 'inputShape'> = {},
): Promise<Graph> {
  try {
    return importOnnx(bytes, file, options);
  } catch (error) {
    if (!(error instanceof GraphError || error instanceof UnsupportedOperatorError)) throw error;
    const folded = await foldByRuntime(bytes, options.inputShape).catch(() => {
      throw error;
    });
    return importOnnx(folded, file, { ...options, runtimeTypes: await typesByRuntime(folded) });
  }
}

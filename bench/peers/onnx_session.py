"""The variant's ONNX file on one thread of ONNX Runtime -> scores of one image."""

import os

import numpy as np
import onnxruntime
from contract import card, folder

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(
    folder / card["variants"][os.environ.get("VARIANT", card["defaultVariant"])]["file"],
    options,
    providers=["CPUExecutionProvider"],
)
input_name = session.get_inputs()[0].name


def run(tensor: np.ndarray) -> np.ndarray:
    (scores,) = session.run(None, {input_name: tensor})
    return scores[0]

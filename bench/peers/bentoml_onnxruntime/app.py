"""A model of Quati behind BentoML and ONNX Runtime, one process per processor.

    pip install -r bentoml_onnxruntime/requirements.txt
    cd bench/peers && MODEL=../../models/mnist/1 VARIANT=int8 WORKERS=2 bentoml serve bentoml_onnxruntime.app:Classifier --port 9000

POST /predict takes the form field `file`.
"""

import os
from pathlib import Path

import bentoml


@bentoml.service(workers=int(os.environ.get("WORKERS", "1")))
class Classifier:
    def __init__(self) -> None:
        from contract import category, to_nchw
        from onnx_session import run

        self.classify = lambda data: category(run(to_nchw(data)))

    @bentoml.api
    def predict(self, file: Path) -> dict:
        return self.classify(file.read_bytes())

"""A model of Quati behind LitServe and ONNX Runtime: one process for HTTP, and one per processor for inference.

    pip install -r litserve_onnxruntime/requirements.txt
    cd bench/peers && MODEL=../../models/mnist/1 VARIANT=int8 PORT=9000 WORKERS=2 python -m litserve_onnxruntime.app

POST /predict takes the form field `file`.
"""

import os

import litserve
from contract import category, to_nchw
from fastapi import Request


class Classifier(litserve.LitAPI):
    def setup(self, device: str) -> None:
        from onnx_session import run

        self.run = run

    def decode_request(self, request: Request):
        return to_nchw(request["file"].file.read())

    def predict(self, tensor):
        return self.run(tensor)

    def encode_response(self, scores) -> dict:
        return category(scores)


if __name__ == "__main__":
    server = litserve.LitServer(Classifier(), accelerator="cpu", workers_per_device=int(os.environ["WORKERS"]))
    server.run(host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", generate_client_file=False)

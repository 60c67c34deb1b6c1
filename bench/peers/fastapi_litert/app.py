"""A model of Quati, converted by convert.py, behind FastAPI and LiteRT, formerly TensorFlow Lite.

    pip install -r fastapi_litert/requirements.txt
    MODEL=../../models/mnist/1 TFLITE=mnist.tflite uvicorn fastapi_litert.app:app --workers 2 --loop uvloop --http httptools --port 9000
"""

import os
from threading import Lock

from ai_edge_litert.interpreter import Interpreter
from contract import category, to_nhwc
from fastapi_routes import create_app

interpreter = Interpreter(os.environ["TFLITE"], num_threads=1)
interpreter.allocate_tensors()
(entry,) = interpreter.get_input_details()
(result,) = interpreter.get_output_details()
# An interpreter holds its input and output, so it runs one image after the other; each process has its own processor.
one_at_a_time = Lock()


def classify(data: bytes) -> dict:
    tensor = to_nhwc(data)
    with one_at_a_time:
        interpreter.set_tensor(entry["index"], tensor)
        interpreter.invoke()
        scores = interpreter.get_tensor(result["index"])[0]
    return category(scores)


app = create_app(classify)

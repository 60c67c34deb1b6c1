"""A model of Quati behind FastAPI and ONNX Runtime: the most common kind of service.

    pip install -r fastapi_onnxruntime/requirements.txt
    MODEL=../../models/mnist/1 VARIANT=int8 uvicorn fastapi_onnxruntime.app:app --workers 2 --loop uvloop --http httptools --port 9000
"""

from contract import category, to_nchw
from fastapi_routes import create_app
from onnx_session import run

app = create_app(lambda data: category(run(to_nchw(data))))

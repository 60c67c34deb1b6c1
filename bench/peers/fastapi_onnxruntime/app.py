"""A model of Quati behind FastAPI and ONNX Runtime: the service that most people would write.

    pip install -r requirements.txt
    MODEL=../../../models/mnist/1 VARIANT=int8 uvicorn app:app --workers 2 --loop uvloop --http httptools --port 9000

POST /predict takes the form field `file`, POST /predict/raw the image itself; both answer {"category": ...}.
Polarity and centring of digits are not done here: the peer has less to do, not more.
"""

import io
import json
import os
from pathlib import Path

import numpy as np
import onnxruntime
from fastapi import FastAPI, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from PIL import Image

folder = Path(os.environ["MODEL"])
card = json.loads((folder / "card.json").read_text())
contract = card["input"]
size = (contract["width"], contract["height"])
mode = "L" if contract["channels"] == "gray" else "RGB"
scale = np.float32(contract["scale"])
mean = np.asarray(contract["mean"], np.float32)
std = np.asarray(contract["std"], np.float32)

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(
    folder / card["variants"][os.environ.get("VARIANT", card["defaultVariant"])]["file"],
    options,
    providers=["CPUExecutionProvider"],
)
input_name = session.get_inputs()[0].name

app = FastAPI()


def classify(data: bytes) -> dict:
    image = Image.open(io.BytesIO(data))
    image.draft(mode, size)
    image = image.convert(mode)
    if image.size != size:
        image = image.resize(size, Image.Resampling.BILINEAR)
    pixels = np.asarray(image, np.float32).reshape(size[1], size[0], -1)
    tensor = ((pixels * scale - mean) / std).transpose(2, 0, 1)[np.newaxis]
    (scores,) = session.run(None, {input_name: np.ascontiguousarray(tensor, np.float32)})
    return {"category": card["labels"][int(scores[0].argmax())]}


@app.get("/health")
def health() -> dict:
    return {"status": "ready"}


@app.post("/predict")
async def predict(file: UploadFile) -> dict:
    return await run_in_threadpool(classify, await file.read())


@app.post("/predict/raw")
async def predict_raw(request: Request) -> dict:
    return await run_in_threadpool(classify, await request.body())

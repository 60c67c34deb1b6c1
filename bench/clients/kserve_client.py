"""A running service → the calls of KServe's Python client over REST, v2 and v1, with the responses.

    python -m venv venv && venv/bin/pip install kserve
    npm start &
    venv/bin/python bench/clients/kserve_client.py > bench/clients/kserve_client.txt
"""
import asyncio
import base64
import logging
import sys
from importlib.metadata import version

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

MODEL = "mnist"
PICTURES = ["imgs/mnist/7-1.png", "imgs/mnist/3-2.png"]


def show(call, answer):
    print(f"{call}\n    {answer}")


def read(path):
    return open(path, "rb").read()


def infer_request(tensor):
    return InferRequest(model_name=MODEL, infer_inputs=[tensor], request_id="42")


async def refused(call, awaitable):
    try:
        await awaitable
    except httpx.HTTPStatusError as error:
        show(call, f"{error.response.status_code}: {error.response.text}")
    else:
        sys.exit(f"{call}: expected a refusal")


async def version_2(url):
    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0))
    show("is_server_live", await client.is_server_live(url))
    show("is_server_ready", await client.is_server_ready(url))
    show("is_model_ready", await client.is_model_ready(url, MODEL))

    images = InferInput("image", [len(PICTURES)], "BYTES")
    images.set_data_from_numpy(np.array([read(path) for path in PICTURES], dtype=object), binary_data=True)
    answer = await client.infer(url, infer_request(images), model_name=MODEL)
    show("infer images, binary", answer.to_dict()["outputs"][1])

    text = [base64.b64encode(read(path)).decode() for path in PICTURES]
    images = InferInput("image", [len(PICTURES)], "BYTES", data=text)
    answer = await client.infer(url, infer_request(images), model_name=MODEL)
    show("infer images, base64", [int(row.argmax()) for row in answer.outputs[1].as_numpy()])

    numbers = np.random.default_rng(1).random((4, 1, 28, 28), dtype=np.float32)
    rows = []
    for binary in (True, False):
        tensor = InferInput("input", list(numbers.shape), "FP32")
        tensor.set_data_from_numpy(numbers, binary_data=binary)
        answer = await client.infer(url, infer_request(tensor), model_name=MODEL)
        rows.append(answer.outputs[1].as_numpy())
        show(f"infer 4 tensors, binary={binary}", f"id {answer.id}, {rows[-1].shape}")
    if not (rows[0] == rows[1]).all():
        sys.exit("the same tensors were answered differently")
    wrong = InferInput("pixels", [1], "BYTES", data=text[:1])
    await refused("infer an unknown input", client.infer(url, infer_request(wrong), model_name=MODEL))
    await refused("infer with a model that isn't there", client.infer(url, infer_request(images), model_name="none"))
    show("is_model_ready of none", await client.is_model_ready(url, "none"))


async def version_1(url):
    client = InferenceRESTClient(RESTConfig(protocol="v1", retries=0))
    rows = [{"image": {"b64": base64.b64encode(read(path)).decode()}} for path in PICTURES]
    answer = await client.infer(url, {"instances": rows}, model_name=MODEL)
    show("v1 infer images", [int(np.argmax(row)) for row in answer["predictions"]])
    zeros = np.zeros((1, 1, 28, 28)).tolist()
    answer = await client.infer(url, {"instances": zeros}, model_name=MODEL)
    show("v1 infer a tensor", answer)
    await refused("v1 infer nothing", client.infer(url, {"instances": []}, model_name=MODEL))


if __name__ == "__main__":
    logging.disable()
    show("kserve", version("kserve"))
    address = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000"
    asyncio.run(version_2(address))
    asyncio.run(version_1(address))

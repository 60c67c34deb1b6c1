"""A running service → every inference call of tritonclient's HTTP client, with the responses.

    python -m venv venv && venv/bin/pip install 'tritonclient[http]'
    npm start &
    venv/bin/python bench/clients/triton_client.py > bench/clients/triton_client.txt
"""
import sys
from importlib.metadata import version

import numpy as np
import tritonclient.http as triton

MODEL = "mnist"
PICTURES = ["imgs/mnist/7-1.png", "imgs/mnist/3-2.png"]


def show(call, answer):
    print(f"{call}\n    {answer}")


def image_input(paths, binary=True):
    files = [open(path, "rb").read() for path in paths]
    tensor = triton.InferInput("image", [len(files)], "BYTES")
    tensor.set_data_from_numpy(np.array(files, dtype=np.object_), binary_data=binary)
    return tensor


def number_input(count, binary):
    values = np.random.default_rng(1).random((count, 1, 28, 28), dtype=np.float32)
    tensor = triton.InferInput("input", values.shape, "FP32")
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def refused(call, function):
    try:
        function()
    except triton.InferenceServerException as error:
        show(call, f"{error.status()}: {error.message()}")
    else:
        sys.exit(f"{call}: expected a refusal")


def main(address):
    client = triton.InferenceServerClient(address)
    show("tritonclient", version("tritonclient"))
    show("is_server_live", client.is_server_live())
    show("is_server_ready", client.is_server_ready())
    show("is_model_ready", client.is_model_ready(MODEL))
    show("is_model_ready, version 1", client.is_model_ready(MODEL, "1"))
    show("is_model_ready of none", client.is_model_ready("none"))
    show("get_server_metadata", client.get_server_metadata())
    show("get_model_metadata", client.get_model_metadata(MODEL))

    result = client.infer(MODEL, [image_input(PICTURES)], request_id="42")
    show("infer images, all outputs binary", result.get_response())
    show("  probabilities", result.as_numpy("probabilities").argmax(axis=1))

    wanted = [triton.InferRequestedOutput("probabilities", binary_data=True, class_count=2)]
    result = client.infer(MODEL, [image_input(PICTURES)], model_version="1", outputs=wanted)
    show("infer images, two classes", result.as_numpy("probabilities"))

    wanted = [triton.InferRequestedOutput("scores", binary_data=False)]
    result = client.infer(MODEL, [image_input(PICTURES[:1])], outputs=wanted)
    show("infer an image, scores as JSON", result.get_response())

    answers = {}
    for binary in (True, False):
        for compression in (None, "gzip", "deflate"):
            result = client.infer(
                MODEL,
                [number_input(16, binary)],
                outputs=[triton.InferRequestedOutput("probabilities", binary_data=binary)],
                request_compression_algorithm=compression,
                response_compression_algorithm=compression,
            )
            answers[binary, compression] = result.as_numpy("probabilities")
            show(f"infer 16 tensors, binary={binary}, {compression}", answers[binary, compression].shape)
    first = answers[True, None]
    if not all((answer == first).all() for answer in answers.values()):
        sys.exit("the same tensors were answered differently")
    show("all six answers", "are equal to the last bit")

    pending = [client.async_infer(MODEL, [image_input([path])]) for path in PICTURES]
    show("async_infer", [int(p.get_result().as_numpy("probabilities").argmax()) for p in pending])

    refused("infer with a model that isn't there", lambda: client.infer("none", [image_input(PICTURES)]))
    refused("infer with version 9", lambda: client.infer(MODEL, [image_input(PICTURES)], model_version="9"))
    refused("infer 17 tensors", lambda: client.infer(MODEL, [number_input(17, True)]))
    refused("infer both inputs", lambda: client.infer(MODEL, [number_input(1, True), image_input(PICTURES[:1])]))
    refused(
        "infer an unknown output",
        lambda: client.infer(MODEL, [image_input(PICTURES)], outputs=[triton.InferRequestedOutput("logits")]),
    )
    wrong = triton.InferInput("input", [1, 28, 28], "FP32")
    wrong.set_data_from_numpy(np.zeros((1, 28, 28), dtype=np.float32))
    refused("infer a shape that isn't the model's", lambda: client.infer(MODEL, [wrong]))
    wrong = triton.InferInput("input", [1, 1, 28, 28], "FP64")
    wrong.set_data_from_numpy(np.zeros((1, 1, 28, 28), dtype=np.float64))
    refused("infer a datatype that isn't the model's", lambda: client.infer(MODEL, [wrong]))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "localhost:8000")

"""A model's folder and an image's bytes -> the tensor of its card, and a label for the scores: common to all peers.

Polarity and centring of digits are not done here: the peers have less to do, not more.
"""

import io
import json
import os
from pathlib import Path

import numpy as np
from PIL import Image

folder = Path(os.environ["MODEL"])
card = json.loads((folder / "card.json").read_text())
contract = card["input"]
size = (contract["width"], contract["height"])
mode = "L" if contract["channels"] == "gray" else "RGB"
scale = np.float32(contract["scale"])
mean = np.asarray(contract["mean"], np.float32)
std = np.asarray(contract["std"], np.float32)


def to_nhwc(data: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(data))
    image.draft(mode, size)
    image = image.convert(mode)
    if image.size != size:
        image = image.resize(size, Image.Resampling.BILINEAR)
    pixels = np.asarray(image, np.float32).reshape(size[1], size[0], -1)
    return ((pixels * scale - mean) / std)[np.newaxis].astype(np.float32)


def to_nchw(data: bytes) -> np.ndarray:
    return np.ascontiguousarray(to_nhwc(data).transpose(0, 3, 1, 2))


def category(scores: np.ndarray) -> dict:
    if scores.size == 1:
        return {"category": card["labels"][int(scores[0] > (0.5 if card["output"] == "probabilities" else 0))]}
    return {"category": card["labels"][int(scores.argmax())]}

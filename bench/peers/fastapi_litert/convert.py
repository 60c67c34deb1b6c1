"""A model's float32.onnx -> the same network and weights as an int8 .tflite, with outputs compared with the card's.

    pip install -r fastapi_litert/requirements-convert.txt
    MODEL=../../models/mnist/1 python fastapi_litert/convert.py mnist.tflite ../../imgs/mnist

Activations are calibrated on the images of the folder and the golden ones. Input and output stay float32, as the app's are. TensorFlow's
convolutions are spelled so that LiteRT runs each as one operator; an operator that isn't listed below ends the conversion.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import tensorflow as tf
from contract import card, folder, to_nhwc
from onnx import numpy_helper

# The largest difference from the card's float32 confidence of this image.
tolerance = 0.001


def padded(x, attributes, kernel, strides):
    """TensorFlow's SAME if its pads equal the node's, VALID if there are none, else a separate pad operator."""
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    needed = [max((-(-s // step) - 1) * step + k - s, 0) for s, k, step in zip(x.shape[1:3], kernel, strides)]
    same = [(need // 2, need - need // 2) for need in needed]
    if [(top, bottom), (left, right)] == same:
        return x, "SAME"
    if any([top, left, bottom, right]):
        x = tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]])
    return x, "VALID"


def conv(x, attributes, weight, bias=None):
    strides = attributes.get("strides", [1, 1])
    x, padding = padded(x, attributes, weight.shape[2:], strides)
    group = attributes.get("group", 1)
    if group == 1:
        out = tf.nn.conv2d(x, weight.transpose(2, 3, 1, 0), strides, padding)
    elif group == x.shape[-1] == weight.shape[0]:
        out = tf.nn.depthwise_conv2d(x, weight.transpose(2, 3, 0, 1), [1, *strides, 1], padding)
    else:
        raise ValueError(f"Conv: expected group 1 or one a channel, got {group}")
    return out if bias is None else tf.nn.bias_add(out, bias)


def max_pool(x, attributes):
    kernel, strides = attributes["kernel_shape"], attributes.get("strides", [1, 1])
    if any(attributes.get("pads", [0])):
        raise ValueError("MaxPool: pads are not converted")
    return tf.nn.max_pool2d(x, kernel, strides, "VALID")


def flatten(x, _):
    if x.shape[1:3] != [1, 1]:
        x = tf.transpose(x, [0, 3, 1, 2])
    return tf.reshape(x, [-1, int(np.prod(x.shape[1:]))])


def gemm(x, attributes, weight, bias):
    return tf.matmul(x, weight.T if attributes.get("transB", 0) else weight) + bias


def clip(x, _, low, high):
    return tf.nn.relu6(x) if (low, high) == (0, 6) else tf.clip_by_value(x, low, high)


operators = {
    "Conv": conv,
    "Relu": lambda x, _: tf.nn.relu(x),
    "Clip": clip,
    "Add": lambda x, _, y: x + y,
    "MaxPool": max_pool,
    "GlobalAveragePool": lambda x, _: tf.reduce_mean(x, [1, 2], keepdims=True),
    "Flatten": flatten,
    "Gemm": gemm,
    "Identity": lambda x, _: x,
}


def network(graph):
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            weights[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)

    def run(x):
        values = {**weights, graph.input[0].name: x}
        for node in graph.node:
            if node.op_type == "Constant":
                continue
            if node.op_type not in operators:
                raise ValueError(f"{node.name}: {node.op_type} is not converted")
            attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
            inputs = [values[name] for name in node.input if name]
            values[node.output[0]] = operators[node.op_type](inputs[0], attributes, *inputs[1:])
        return values[graph.output[0].name]

    return run


def confidences(scores):
    if card["output"] == "softmax":
        return tf.nn.softmax(scores)[0].numpy()
    values = np.asarray(scores if card["output"] == "probabilities" else tf.sigmoid(scores))[0]
    return np.array([1 - values[0], values[0]]) if len(values) == 1 else values


def main(target, images):
    graph = onnx.load(folder / card["variants"]["float32"]["file"]).graph
    shape = [1, card["input"]["height"], card["input"]["width"], 3 if card["input"]["channels"] == "rgb" else 1]
    function = tf.function(network(graph), input_signature=[tf.TensorSpec(shape, tf.float32)])
    for golden in card["golden"]:
        got = confidences(function(to_nhwc((folder / golden["file"]).read_bytes())))
        moved = np.abs(got - golden["confidences"]["float32"]).max()
        if not moved <= tolerance:
            raise SystemExit(f"{golden['file']}: a confidence moved by {moved}, allowed are {tolerance}")
    golden_files = [folder / golden["file"] for golden in card["golden"]]
    files = golden_files + sorted(file for file in Path(images).iterdir() if file.suffix in (".png", ".jpg"))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([to_nhwc(file.read_bytes())] for file in files)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    Path(target).write_bytes(converter.convert())


main(*sys.argv[1:])

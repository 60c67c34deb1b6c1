"""PyTorch's training steps on the networks of bench/nets.ts: a line of JSON in, a line of JSON out.

Run by `npm run bench:train`; needs torch 2.x (`pip install torch==2.15.0`).
"""

import json
import resource
import sys
import time
from pathlib import Path

import torch
from torch import nn


def same(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]


def mnist_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10),
    )


def cifar_cnn():
    return nn.Sequential(
        *same(3, 32), *same(32, 32), nn.MaxPool2d(2), nn.Dropout(0.25),
        *same(32, 64), *same(64, 64), nn.MaxPool2d(2), nn.Dropout(0.25),
        *same(64, 128), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(2048, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    )


def normalised(inputs, outputs, stride=1):
    return [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)]


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(*normalised(inputs, outputs, stride), nn.ReLU(), *normalised(outputs, outputs))
        self.shortcut = (
            nn.Identity() if stride == 1
            else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        )

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


def resnet_20():
    blocks = []
    for inputs, outputs, stride in [(16, 16, 1), (16, 32, 2), (32, 64, 2)]:
        blocks += [Block(inputs, outputs, stride), Block(outputs, outputs, 1), Block(outputs, outputs, 1)]
    return nn.Sequential(
        *normalised(3, 16), nn.ReLU(), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )


NETS = {
    "mnist-cnn": (mnist_cnn, (1, 28, 28)),
    "cifar-cnn": (cifar_cnn, (3, 32, 32)),
    "resnet-20": (resnet_20, (3, 32, 32)),
}
known = None


class Stepper:
    def __init__(self, name, batch):
        build, shape = NETS[name]
        self.net, self.batch = build(), batch
        self.optimiser = torch.optim.Adam(self.net.parameters())
        self.images, self.labels = torch.rand(batch, *shape), torch.arange(batch) % 10
        self.step(batch)

    def step(self, count):
        self.optimiser.zero_grad()
        nn.functional.cross_entropy(self.net(self.images[:count]), self.labels[:count]).backward()
        self.optimiser.step()

    def measure(self, seconds):
        """Measures full batches. A smaller batch and an evaluation end the round, like an epoch."""
        began, steps = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            self.step(self.batch)
            steps += 1
        speed = steps * self.batch / (time.perf_counter() - began)
        self.step((self.batch + 1) // 2)
        self.net.eval()
        with torch.no_grad():
            self.net(self.images)
        self.net.train()
        return speed


def memory():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "rss": pages * resource.getpagesize(),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


print(json.dumps({"torch": torch.__version__}), flush=True)
for line in sys.stdin:
    question = json.loads(line)
    torch.set_num_threads(question["threads"])
    known = known or Stepper(question["net"], question["batch"])
    speed = known.measure(question["seconds"])
    print(json.dumps({"imagesPerSecond": speed, **memory()}), flush=True)

# SPDX-License-Identifier: Apache-2.0
"""Writes checkpoints by torch.save, in both forms, and what they hold:

  tests/golden/io/state_zip.pt, state_stream.pt, state.json    dtypes, views, shared storages
  tests/golden/models/torch_network.pt, torch_network.json     a small network, its input and output

    python scripts/golden/torch_file_golden.py [TESTS_GOLDEN_FOLDER]
"""
import json
import sys
from collections import OrderedDict
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(11)


def numbers(t):
    return [float("%.9g" % v) for v in t.detach().double().flatten().tolist()]


def state():
    base = (torch.randn(4, 6) * 64).round() / 64
    inner = OrderedDict(weight=base, row=base[2], turned=base.t(), part=base[1:3, 2:5])
    inner._metadata = {"": {"version": 1}}
    return {"epoch": 7, "best": 91.25, "arch": "tiny", "done": True, "nothing": None,
            "list": [1, 2.5, "three", (4, 5)],
            "state_dict": inner,
            "half": base[0].half(), "brain": base[1].bfloat16(), "double": base[2].double(),
            "long": torch.arange(5), "bytes": torch.arange(4, dtype=torch.uint8),
            "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3),
            "parameter": nn.Parameter(base[3].clone()),
            "optimizer": {"state": {0: {"momentum": base[0].clone()}}, "groups": [{"lr": 0.1}]}}


def flat(value, name=""):
    """Names and numbers of the tensors, as the reader lists them."""
    if isinstance(value, torch.Tensor):
        return [(name, value)]
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    else:
        return []
    return [x for k, v in items for x in flat(v, f"{name}.{k}" if name else str(k))]


class Block(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, groups=2, bias=False), nn.BatchNorm2d(o)
        self.down = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.down(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.block = nn.Conv2d(3, 4, 3, padding=1), Block(4, 6, 2)
        self.up = nn.ConvTranspose2d(6, 4, 2, stride=2)
        self.fc1, self.fc2 = nn.Linear(256, 5), nn.Linear(5, 3)

    def forward(self, x):
        x = self.block(F.max_pool2d(F.gelu(self.stem(x)), 2))
        x = F.avg_pool2d(self.up(x), 3, 1, 1).flatten(1)
        return self.fc2(torch.tanh(self.fc1(F.relu(x))))


def network():
    net = Net()
    for _ in range(3):  # running values that are not 0 and 1
        net.train()(torch.randn(8, 3, 16, 16))
    net.eval()
    x = torch.randn(3, 3, 16, 16)
    return net, x, net(x)


def main():
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "tests/golden")
    held = state()
    torch.save(held, out / "io/state_zip.pt")
    torch.save(held, out / "io/state_stream.pt", _use_new_zipfile_serialization=False)
    tensors = [{"name": n, "dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape),
                "values": numbers(t)} for n, t in flat(held)]
    (out / "io/state.json").write_text(
        json.dumps({"torch": torch.__version__, "tensors": tensors}, indent=1) + "\n")
    net, x, y = network()
    torch.save(net.state_dict(), out / "models/torch_network.pt")
    (out / "models/torch_network.json").write_text(
        json.dumps({"torch": torch.__version__, "x": numbers(x.permute(0, 2, 3, 1)),
                    "y": numbers(y)}) + "\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The convolution workloads in float64: the truth that both float32 sides are measured against.

    benchmarks/peers/torch_reference.py DUMP WORKLOAD [--steps N] [--threads 2] [--drift]

WORKLOAD is cifar_cnn_b100 or resnet18_b64. DUMP holds WORKLOAD.safetensors and WORKLOAD.json as the
peer of scripts/bench.sh wrote them (benchmarks/workloads.h). Starts from those weights and data in
float64 and adds

    WORKLOAD.gradients.safetensors   gradients of the first step, under the names of the weights
    losses_float64 in WORKLOAD.json  losses of the first --steps steps; "losses" is cut to as many
    gradient_distances in WORKLOAD.json  how far PyTorch's own float32 gradients of the first step are
        from those, the mean distance relative to the mean size in each tensor: the farthest of
        plain, channels-last, one thread, and MOVED runs from weights that are half a unit in the
        last place away. Where a rounding turns some ReLUs the other way, that is far more than one
        unit; the largest distance would hang on which ones turn
    losses_disturbed in WORKLOAD.json  the same of RUNS float32 runs in which every gradient that is
                                     not zero is moved at random, by as much as PyTorch's own
                                     float32 gradients of the first step are from float64 on
                                     average: how far rounding alone may lead

and prints the distances, and the largest one of the plain run. --drift, afterwards, writes nothing: it prints how far
the losses of PyTorch's float32 variants (plain, channels-last, one thread) go from float64 and from
each other within --steps steps. Needs torch and numpy (PyPI).
"""
import argparse
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

TYPES = {"F32": "<f4", "I64": "<i8"}
RUNS = 5
MOVED = 12
STEPS = {"cifar_cnn_b100": 50, "resnet18_b64": 20}  # a float64 step of the second takes seconds


# ---- files

def read_safetensors(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, info in json.loads(data[8:8 + size]).items():
        begin, end = (8 + size + at for at in info["data_offsets"])
        array = np.frombuffer(data[begin:end], TYPES[info["dtype"]]).reshape(info["shape"])
        tensors[name] = torch.from_numpy(array.copy())
    return tensors


def write_safetensors(path, tensors):
    header, blobs, at = {}, [], 0
    for name, tensor in tensors.items():
        blob = tensor.detach().float().contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                        "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    path.write_bytes(len(head).to_bytes(8, "little") + head + b"".join(blobs))


# ---- networks, of a dictionary of weights

def cifar_cnn(p, x):
    for conv in ("conv1", "conv2"):
        x = F.max_pool2d(F.relu(F.conv2d(x, p[conv + ".weight"], p[conv + ".bias"])), 2)
    x = F.relu(F.linear(x.flatten(1), p["fc1.weight"], p["fc1.bias"]))
    return F.linear(x, p["fc2.weight"], p["fc2.bias"])


def conv_norm(p, conv, norm, x, stride=1):
    weight = p[conv + ".weight"]
    x = F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)
    return F.batch_norm(x, None, None, p[norm + ".weight"], p[norm + ".bias"], training=True)


def resnet18(p, x):
    x = F.relu(conv_norm(p, "conv1", "bn1", x))
    for block in range(8):
        at, stride = f"layers.{block}.", 2 if block in (2, 4, 6) else 1
        y = F.relu(conv_norm(p, at + "conv1", at + "bn1", x, stride))
        y = conv_norm(p, at + "conv2", at + "bn2", y)
        if at + "down.0.weight" in p:
            x = conv_norm(p, at + "down.0", at + "down.1", x, stride)
        x = F.relu(y + x)
    return F.linear(x.mean((2, 3)), p["fc.weight"], p["fc.bias"])


NETWORKS = {"cifar_cnn_b100": cifar_cnn, "resnet18_b64": resnet18}


# ---- runs

def disturb(weights, sizes, random):
    """Moves every gradient that is not zero by sizes[name] times a normal number."""
    for name, weight in weights.items():
        noise = sizes[name] * torch.randn(weight.shape, generator=random)
        weight.grad += noise * (weight.grad != 0)


def train(tensors, meta, steps, dtype=torch.float32, layout=torch.contiguous_format, noise=None,
          seed=0):
    """-> losses of `steps` steps, gradients of the first one by name."""
    random = torch.Generator().manual_seed(seed)

    def own(tensor):
        tensor = tensor.clone().to(dtype)
        return tensor.contiguous(memory_format=layout) if tensor.dim() == 4 else tensor

    network = NETWORKS[meta["workload"]]
    x, y = own(tensors["x"]), tensors["y"]
    weights = {name: own(tensor).requires_grad_() for name, tensor in tensors.items()
               if name not in ("x", "y") and ".running_" not in name}
    rule = torch.optim.SGD if meta["optimiser"] == "sgd" else torch.optim.Adam
    optimiser = rule(weights.values(), meta["lr"])
    losses, gradients = [], {}
    for _ in range(steps):
        optimiser.zero_grad(set_to_none=True)
        loss = F.cross_entropy(network(weights, x), y)
        loss.backward()
        gradients = gradients or {name: w.grad.clone() for name, w in weights.items()}
        if noise:
            disturb(weights, noise, random)
        optimiser.step()
        losses.append(loss.item())
    return losses, gradients


def distance(ours, truth):
    """Largest relative distance up to every step."""
    return list(np.maximum.accumulate(np.abs(np.array(ours) / np.array(truth) - 1)))


def show(title, distances):
    marks = [n for n in (1, 2, 3, 5, 10, 15, 20, 30, 40, 50) if n <= len(distances)]
    print(f"{title:<32}" + " ".join(f"{n}: {distances[n - 1]:.1e}" for n in marks), flush=True)


def print_drift(tensors, meta, steps, threads):
    truth, plain = meta["losses_float64"][:steps], meta["losses"][:steps]
    show("float32 from float64", distance(plain, truth))
    last, _ = train(tensors, meta, steps, layout=torch.channels_last)
    show("channels-last from float64", distance(last, truth))
    show("channels-last from plain", distance(last, plain))
    torch.set_num_threads(1)
    single, _ = train(tensors, meta, steps)
    show("one thread from float64", distance(single, truth))
    show(f"one thread from {threads}", distance(single, plain))


def mean_distances(gradients, truth):
    return {name: ((gradient - truth[name]).abs().mean() / truth[name].abs().mean()).item()
            for name, gradient in gradients.items()}


def moved(tensors, seed):
    """The weights half a unit in the last place up or down, as another order of sums moves what
    is computed from them."""
    random = torch.Generator().manual_seed(seed)
    half = 2.0 ** -24
    return {name: t if name in ("x", "y") else t * (1 + half * torch.randn(t.shape, generator=random))
            for name, t in tensors.items()}


def gradient_distances(tensors, meta, threads, truth, plain):
    """The farthest of PyTorch's float32 variants, by name."""
    runs = [plain, train(tensors, meta, 1, layout=torch.channels_last)[1]]
    torch.set_num_threads(1)
    runs.append(train(tensors, meta, 1)[1])
    torch.set_num_threads(threads)
    runs += [train(moved(tensors, seed), meta, 1)[1] for seed in range(MOVED)]
    distances = [mean_distances(run, truth) for run in runs]
    return {name: max(d[name] for d in distances) for name in truth}


def write_reference(dump, tensors, meta, steps, threads):
    meta["losses"] = meta["losses"][:steps]
    meta["losses_float64"], truth = train(tensors, meta, len(meta["losses"]), torch.float64)
    own, gradients = train(tensors, meta, 1)
    apart = {name: (gradient - truth[name]).abs() for name, gradient in gradients.items()}
    meta["gradient_distances"] = gradient_distances(tensors, meta, threads, truth, gradients)
    noise = {name: error.mean().item() for name, error in apart.items()}
    meta["losses_disturbed"] = [train(tensors, meta, len(meta["losses"]), noise=noise, seed=seed)[0]
                                for seed in range(RUNS)]
    (dump / f"{meta['workload']}.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")
    write_safetensors(dump / f"{meta['workload']}.gradients.safetensors", truth)
    for name, error in apart.items():
        size = truth[name].abs()
        print(f"{name:<28} {meta['gradient_distances'][name]:.1e} on average, "
              f"{(error.max() / size.max()).item():.1e} of the largest")
    print(f"first loss: float32 {own[0]:.9g}, float64 {meta['losses_float64'][0]:.12g}")
    show("losses of the dump from float64", distance(meta["losses"], meta["losses_float64"]))
    for losses in meta["losses_disturbed"]:
        show("disturbed from float64", distance(losses, meta["losses_float64"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=pathlib.Path)
    parser.add_argument("workload", choices=NETWORKS)
    parser.add_argument("--steps", type=int, help="50 for the first, 20 for the second")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--drift", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tensors = read_safetensors(args.dump / f"{args.workload}.safetensors")
    meta = json.loads((args.dump / f"{args.workload}.json").read_text(encoding="utf-8"))
    steps = args.steps or STEPS[args.workload]
    if args.drift:
        print_drift(tensors, meta, steps, args.threads)
    else:
        write_reference(args.dump, tensors, meta, steps, args.threads)


if __name__ == "__main__":
    main()

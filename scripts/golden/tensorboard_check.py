#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads event files of ours with the original TensorBoard reader and checks what it finds.

    build/ledger_test --gtest_also_run_disabled_tests --gtest_filter='*WritesFilesForTensorBoard*'
    python scripts/golden/tensorboard_check.py <folder that the test prints>

The folder holds three starts of one run: 1..10, a resume from step 6 that writes 7..8 and is killed
within a record, and a resume from step 8 that writes 9..12. Needs `pip install tensorboard` (checked
with 2.21) and no TensorFlow. Not part of the test suite: the suite needs no Python.
"""
import sys

import numpy
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.backend.event_processing.plugin_event_accumulator import TENSORS, EventAccumulator
from tensorboard.util import tensor_util


def main():
    plain = event_accumulator.EventAccumulator(sys.argv[1])
    plain.Reload()
    assert [event.step for event in plain.Scalars("loss")] == list(range(1, 13))

    # What the web pages use.
    accumulator = EventAccumulator(sys.argv[1], size_guidance={TENSORS: 0})
    accumulator.Reload()
    tags = accumulator.Tags()
    # The loader turns simple values and histograms into tensors with plugin names.
    plugins = {tag: accumulator.SummaryMetadata(tag).plugin_data.plugin_name
               for tag in tags["tensors"]}
    assert plugins == {"loss": "scalars", "weights": "histograms", "sample": "text"}, plugins

    scalars = accumulator.Tensors("loss")
    steps = [event.step for event in scalars]
    assert steps == list(range(1, 13)), steps
    starts = {1: range(1, 7), 2: range(7, 9), 3: range(9, 13)}
    for event in scalars:
        start = next(number for number, kept in starts.items() if event.step in kept)
        value = tensor_util.make_ndarray(event.tensor_proto).item()
        assert value == 100 * start + event.step, (event.step, value)

    text = accumulator.Tensors("sample")
    assert [t.step for t in text] == [1], text
    assert text[0].tensor_proto.string_val[0].decode() == "zwölf <b>", text

    buckets = tensor_util.make_ndarray(accumulator.Tensors("weights")[0].tensor_proto)
    assert buckets.shape[1] == 3
    assert buckets[:, 2].sum() == 1000, buckets
    assert buckets[0, 0] == -1.0 and buckets[-1, 1] == 0.998046875, buckets
    assert (buckets[:, 0] <= buckets[:, 1]).all(), buckets
    numpy.testing.assert_array_equal(buckets[1:, 0], buckets[:-1, 1])
    print("tensorboard reads it: 12 scalars over three starts, text, histogram of", len(buckets),
          "buckets")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks a running Ingot server by hand, from outside.

    serve_check.py http://127.0.0.1:8080/v1 [key] [--streams N]    # a language model
    serve_check.py http://127.0.0.1:8080/v1 [key] --memory 10000   # its memory under requests
    serve_check.py http://127.0.0.1:8080/v1 [key] --rows FILE      # a network; FILE: JSON lines

Language model: the official OpenAI client (PyPI package openai). Streaming and whole answers must
agree, every documented error must arrive as the client's own exception class, and N concurrent
streams must equal the same requests alone. --memory compares resident memory after N requests with
that after a tenth of them. Network: every instance of FILE alone, all at once by rows, by columns
and as Open Inference tensors, of numbers alone as one tensor too, must give the same numbers. Prints
one line per check and exits with status 1 at the first failure.
"""
import argparse
import asyncio
import http.client
import json
import re
import sys
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

try:
    import openai
except ImportError:  # only a language model's checks need it
    openai = None


def check(name, condition, detail=""):
    print(("ok    " if condition else "FAIL  ") + name, detail if not condition else "", flush=True)
    if not condition:
        sys.exit(1)


def raises(name, kind, call, code=None, param=None):
    try:
        call()
    except kind as error:
        body = error.body or {}
        check(name, code in (None, body.get("code")) and param in (None, body.get("param")), body)
        return
    check(name, False, f"no {kind.__name__}")


def check_answers(client, model):
    models = client.models.list().data
    check("models.list names the model", [m.id for m in models] == [model])
    check("models.retrieve", client.models.retrieve(model).object == "model")

    ask = dict(model=model, prompt="Once upon a time", max_tokens=24, seed=7, temperature=0.8)
    whole = client.completions.create(**ask)
    check("completion has an id and usage", whole.id.startswith("cmpl-") and
          whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens)
    check("finish_reason is stop or length", whole.choices[0].finish_reason in ("stop", "length"))

    chunks = list(client.completions.create(**ask, stream=True,
                                            stream_options={"include_usage": True}))
    text = "".join(c.choices[0].text for c in chunks if c.choices)
    check("stream equals the whole answer", text == whole.choices[0].text, repr(text))
    reasons = [c.choices[0].finish_reason for c in chunks if c.choices]
    check("finish_reason only in the last chunk", all(r is None for r in reasons[:-1]) and
          reasons[-1] == whole.choices[0].finish_reason, reasons)
    check("last chunk carries usage", chunks[-1].choices == [] and chunks[-1].usage == whole.usage)
    check("one id for all chunks", len({c.id for c in chunks}) == 1)

    several = client.completions.create(**ask, n=3)
    check("n choices, the first as alone", len(several.choices) == 3 and
          several.choices[0].text == whole.choices[0].text)
    scored = client.completions.create(**ask, logprobs=2, echo=True)
    logprobs = scored.choices[0].logprobs
    check("logprobs cover prompt and completion",
          len(logprobs.tokens) == len(logprobs.token_logprobs) == len(logprobs.text_offset) and
          logprobs.token_logprobs[0] is None and
          all(p <= 0 for p in logprobs.token_logprobs[1:]))
    check("echo starts with the prompt", scored.choices[0].text == ask["prompt"] + whole.choices[0].text)
    if len(whole.choices[0].text) > 4:
        stop = whole.choices[0].text[2:4]
        cut = client.completions.create(**ask, stop=stop).choices[0]
        check("a stop string cuts", cut.finish_reason == "stop" and stop not in cut.text, cut.text)
    ids = client.completions.create(model=model, prompt=[1, 2, 3], max_tokens=4)
    check("token ids as prompt", ids.usage.prompt_tokens == 3)


def check_errors(client, model, base_url, key):
    create = client.completions.create
    raises("unknown model", openai.NotFoundError,
           lambda: create(model="no-such-model", prompt="x"), "model_not_found", "model")
    raises("wrong temperature", openai.BadRequestError,
           lambda: create(model=model, prompt="x", temperature=-1), param="temperature")
    raises("too long", openai.BadRequestError,
           lambda: create(model=model, prompt="x", max_tokens=2**30), "context_length_exceeded")
    raises("wrong prompt", openai.BadRequestError,
           lambda: create(model=model, prompt={"a": 1}), param="prompt")
    if key:
        other = openai.OpenAI(base_url=base_url, api_key="wrong", max_retries=0)
        raises("wrong key", openai.AuthenticationError, other.models.list, "invalid_api_key")


async def check_many(base_url, key, model, streams):
    client = openai.AsyncOpenAI(base_url=base_url, api_key=key or "none", max_retries=0, timeout=600)

    async def one(seed):
        stream = await client.completions.create(model=model, prompt=f"Text {seed}", seed=seed,
                                                 max_tokens=16, stream=True)
        return "".join([c.choices[0].text async for c in stream if c.choices])

    together = await asyncio.gather(*(one(seed) for seed in range(streams)))
    alone = [await one(seed) for seed in range(0, streams, max(1, streams // 20))]
    check(f"{streams} streams at once, each as alone",
          together[::max(1, streams // 20)] == alone)


class Http:
    """One keep-alive connection to the server behind the base URL."""

    def __init__(self, base_url, key):
        url = urllib.parse.urlparse(base_url)
        self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def text(self, path, body=None):
        method = "GET" if body is None else "POST"
        payload = None if body is None else json.dumps(body)
        self.connection.request(method, path, payload, self.headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        if response.status != 200:
            check(f"{method} {path} answers 200", False, text)
        return text

    def resident_bytes(self):
        return int(re.search(r"^ingot_resident_memory_bytes (\d+)", self.text("/metrics"),
                             re.MULTILINE)[1])


def check_memory(base_url, key, model, requests, clients=25):
    servers = [Http(base_url, key) for _ in range(clients)]

    def ask(share):
        client, numbers = share
        for i in numbers:
            servers[client].text("/v1/completions", {"model": model, "prompt": f"Text {i % 100}",
                                                     "max_tokens": 1 + i % 8})

    def resident_after(numbers):
        list(pool.map(ask, [(c, numbers[c::clients]) for c in range(clients)]))
        return servers[0].resident_bytes()

    with ThreadPoolExecutor(clients) as pool:
        early = resident_after(range(requests // 10))
        late = resident_after(range(requests // 10, requests))
    print(f"resident memory with {clients} clients: {early / 2**20:.1f} MiB after {requests // 10} "
          f"requests, {late / 2**20:.1f} MiB after {requests} ({100 * (late / early - 1):+.2f} %)")
    check("memory grows by at most 2 %", late <= 1.02 * early)


def check_network(base_url, key, model, path):
    instances = [json.loads(line) for line in open(path) if line.strip()]
    server = Http(base_url, key)
    inputs = json.loads(server.text(f"/v2/models/{model}"))["inputs"]
    columns = [column["name"] for column in inputs]
    rows = [{name: row[name] for name in columns} for row in instances]
    predict = f"/v1/models/{model}:predict"

    def alone(row):
        return json.loads(Http(base_url, key).text(predict, {"instances": [row]}))["predictions"][0]

    together = json.loads(server.text(predict, {"instances": rows}))["predictions"]
    with ThreadPoolExecutor(32) as pool:
        check(f"{len(rows)} instances at once, each as alone", list(pool.map(alone, rows)) == together)
    by_column = json.loads(server.text(
        predict, {"inputs": {name: [row[name] for row in rows] for name in columns}}))["outputs"]
    tensors = [{"name": name, "datatype": "BYTES", "shape": [len(rows)],
                "data": [None if row[name] is None else str(row[name]) for row in rows]}
               for name in columns]

    def infer(tensors):
        answer = json.loads(server.text(f"/v2/models/{model}/infer", {"inputs": tensors}))
        return {tensor["name"]: tensor["data"] for tensor in answer["outputs"]}

    outputs = infer(tensors)
    if all(column["datatype"] == "FP32" for column in inputs):
        table = {"name": "input-0", "datatype": "BYTES", "shape": [len(rows), len(columns)],
                 "data": [list(row) for row in zip(*(tensor["data"] for tensor in tensors))]}
        check("one tensor of all columns holds the same numbers", infer([table]) == outputs)
    if isinstance(together[0], dict):
        check("columns hold the same classes",
              by_column["prediction"] == [answer["prediction"] for answer in together])
        check("tensors hold the same probabilities", outputs["probabilities"] == [
            p for answer in together for p in answer["probabilities"].values()])
    else:
        check("columns hold the same numbers", by_column == together)
        check("tensors hold the same numbers", outputs["prediction"] == together)
    print("all checks passed")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base_url")
    parser.add_argument("key", nargs="?", default="")
    parser.add_argument("--streams", type=int, default=32)
    parser.add_argument("--memory", type=int, default=0, metavar="N")
    parser.add_argument("--rows", metavar="FILE")
    args = parser.parse_args()
    model = json.loads(Http(args.base_url, args.key).text("/v1/models"))["data"][0]["id"]
    if args.rows:
        return check_network(args.base_url, args.key, model, args.rows)
    if args.memory:
        return check_memory(args.base_url, args.key, model, args.memory)
    check("the PyPI package openai is installed", openai is not None)
    client = openai.OpenAI(base_url=args.base_url, api_key=args.key or "none", max_retries=0)
    check_answers(client, model)
    check_errors(client, model, args.base_url, args.key)
    asyncio.run(check_many(args.base_url, args.key, model, args.streams))
    print("all checks passed with openai", openai.__version__)


if __name__ == "__main__":
    main()

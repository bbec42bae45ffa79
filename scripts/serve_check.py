#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks a running Ingot server with the official OpenAI client (PyPI package openai).

    serve_check.py http://127.0.0.1:8080/v1 [key] [--streams N]

Streaming and whole answers must agree, every documented error must arrive as the client's own
exception class, and N concurrent streams must equal the same requests alone. Prints one line per
check and exits with status 1 at the first failure.
"""
import argparse
import asyncio
import sys

import openai


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base_url")
    parser.add_argument("key", nargs="?", default="")
    parser.add_argument("--streams", type=int, default=32)
    args = parser.parse_args()
    client = openai.OpenAI(base_url=args.base_url, api_key=args.key or "none", max_retries=0)
    model = client.models.list().data[0].id
    check_answers(client, model)
    check_errors(client, model, args.base_url, args.key)
    asyncio.run(check_many(args.base_url, args.key, model, args.streams))
    print("all checks passed with openai", openai.__version__)


if __name__ == "__main__":
    main()

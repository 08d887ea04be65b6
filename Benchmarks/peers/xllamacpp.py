"""llama.cpp as the PyPI package `xllamacpp` builds it: for AVX2, whatever the processor has.

Its server runs inside the process, without a connection; times are those that it reports itself.
"""

import os
import random

from .process import environment, serve, worker


class XLlamaCpp:
    name = "llama.cpp (xllamacpp, AVX2 build)"

    @staticmethod
    def add_option(parser):
        parser.add_argument("--xllamacpp", action="store_true", help="compare with llama.cpp from PyPI, an AVX2 build")

    @classmethod
    def from_options(cls, options):
        return cls() if options.xllamacpp else None

    def open(self, model, threads):
        return worker(environment(["xllamacpp"]), __file__, os.path.abspath(model), str(threads))


def main(model, threads):
    """In an environment that has the package."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = 8192
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(threads)
    params.n_batch, params.n_ubatch = 2048, 512
    params.cache_prompt = False
    params.cache_ram_mib = 0
    server = xllamacpp.Server(params)

    def complete(prompt, count):
        answer = server.handle_completions({
            "prompt": [random.randrange(1000, 30000) for _ in range(prompt)], "n_predict": count, "ignore_eos": True,
            "cache_prompt": False, "temperature": 0})
        return answer["timings"]

    def measure(n_prompt, n_gen, depth, repeats):
        if depth and n_prompt:
            raise SystemExit("xllamacpp: reading behind a context is not measured")
        rates = {}
        complete(32, 4)
        if n_prompt:
            rates["pp"] = sum(complete(n_prompt, 1)["prompt_per_second"] for _ in range(repeats)) / repeats
        if n_gen:
            rates["tg"] = sum(complete(depth or 1, n_gen)["predicted_per_second"] for _ in range(repeats)) / repeats
        return rates

    serve(measure)

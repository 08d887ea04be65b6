"""llama.cpp as the PyPI package `xllamacpp` builds it: for AVX2, whatever the processor has.

Its server runs inside the process, without a connection; times are those that it reports itself.
"""

import random

from .process import PackagePeer, serve_rates


class XLlamaCpp(PackagePeer):
    name = "llama.cpp (xllamacpp, AVX2 build)"
    package = "xllamacpp"
    help = "compare with llama.cpp from PyPI, an AVX2 build"
    script = __file__


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

    serve_rates(
        XLlamaCpp.package, lambda prompt: complete(prompt, 1)["prompt_per_second"],
        lambda context, count: complete(context, count)["predicted_per_second"])

"""OpenVINO GenAI from PyPI, which reads GGUF files of some architectures and formats itself.

It computes in fp32 beside its integers, its default on processors without AMX: virtual machines announce AMX and then stop at it.
"""

import os
import random
import tempfile

from .process import environment, serve, worker


class OpenVINOGenAI:
    name = "OpenVINO GenAI"

    @staticmethod
    def add_option(parser):
        parser.add_argument("--openvino-genai", action="store_true", help="compare with OpenVINO GenAI from PyPI")

    @classmethod
    def from_options(cls, options):
        return cls() if options.openvino_genai else None

    def open(self, model, threads):
        return worker(environment(["openvino-genai"]), __file__, os.path.abspath(model), str(threads))


def main(model, threads):
    """In an environment that has the package."""
    import numpy
    import openvino
    import openvino_genai

    with tempfile.TemporaryDirectory() as folder:
        openvino.save_model(idle_tokenizer(), os.path.join(folder, "openvino_tokenizer.xml"))
        tokenizer = openvino_genai.Tokenizer(folder)
    pipeline = openvino_genai.LLMPipeline(
        model, tokenizer, "CPU", INFERENCE_NUM_THREADS=int(threads), INFERENCE_PRECISION_HINT="f32")

    def complete(prompt, count):
        ids = numpy.array([[random.randrange(1000, 30000) for _ in range(prompt)]], dtype=numpy.int64)
        inputs = openvino_genai.TokenizedInputs(openvino.Tensor(ids), openvino.Tensor(numpy.ones_like(ids)))
        config = openvino_genai.GenerationConfig()
        config.max_new_tokens, config.ignore_eos, config.do_sample, config.eos_token_id = count, True, False, 2
        return pipeline.generate(inputs, config).perf_metrics

    def measure(n_prompt, n_gen, depth, repeats):
        if depth and n_prompt:
            raise SystemExit("OpenVINO GenAI: reading behind a context is not measured")
        rates = {}
        complete(32, 4)
        if n_prompt:
            # Up to the first token: all of the prompt and one row of logits.
            rates["pp"] = sum(n_prompt / complete(n_prompt, 1).get_ttft().mean * 1e3 for _ in range(repeats)) / repeats
        if n_gen:
            rates["tg"] = sum(1e3 / complete(depth or 1, n_gen).get_tpot().mean for _ in range(repeats)) / repeats
        return rates

    serve(measure)


def idle_tokenizer():
    """Stands in for the file's own, which it cannot always make: what is measured starts and ends with token ids."""
    import numpy
    import openvino
    from openvino import opset13

    text = opset13.parameter([-1], openvino.Type.string, name="text")
    results = []
    for name in ("input_ids", "attention_mask"):
        result = opset13.result(opset13.constant(numpy.ones((1, 1), dtype=numpy.int64)))
        result.output(0).get_tensor().set_names({name})
        results.append(result)
    return openvino.Model(results, [text], "tokenizer")

"""OpenVINO GenAI from PyPI, which reads GGUF files of some architectures and formats itself.

It computes in fp32 beside its integers, its default on processors without AMX: virtual machines announce AMX and then stop at it.
"""

import os
import random
import tempfile

from .process import PackagePeer, serve_rates


class OpenVINOGenAI(PackagePeer):
    name = "OpenVINO GenAI"
    package = "openvino-genai"
    help = "compare with OpenVINO GenAI from PyPI"
    script = __file__


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

    # Reading goes up to the first token: all of the prompt and one row of logits.
    serve_rates(
        OpenVINOGenAI.name, lambda prompt: prompt / complete(prompt, 1).get_ttft().mean * 1e3,
        lambda context, count: 1e3 / complete(context, count).get_tpot().mean)


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

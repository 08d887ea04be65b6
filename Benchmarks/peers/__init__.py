"""What tgi-run is measured against. A peer is one file here and one line in `ALL`.

A peer is a class with

- `name`: how it stands in tables, with how it was built;
- `add_option(parser)`: the option that turns it on;
- `from_options(options)`: an instance, or `None` where the option is not given;
- `open(model, threads)`: a context manager around an object whose `measure(n_prompt, n_gen, depth, repeats)` returns tokens per second
  of reading (`pp`) and of writing (`tg`), a key for each that is asked for.
"""

from . import llama_bench, openvino_genai, xllamacpp

ALL = [llama_bench.LlamaBench, xllamacpp.XLlamaCpp, openvino_genai.OpenVINOGenAI]

"""Perplexity of the tiny models, of every architecture, beside llama.cpp's: F32 weights, keys and values, a fixed text.

usage: perplexity.py TGI_RUN LLAMA_PERPLEXITY [NAME...]

Prints a Markdown table. Fails where the two differ by more than half a percent, but for the models of DIFFERENT, whose reasons
Documentation/models.md states.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(ROOT, "Tests", "Support", "TinyModels"))
from tiny_models import MODELS

# Beyond the contexts for which models change their rope.
CONTEXT = 256
TEXT = os.path.join(ROOT, "LICENSE")
TEXT_BYTES = 4096
LIMIT = 0.005
# What llama.cpp computes otherwise than the model's configuration says.
DIFFERENT = {
    "phi3:window": "it ignores the window",
    "deepseek2:old": "it judges groups by two experts, the model by one",
}
# What it takes as given instead of reading it, and a model without what it computes otherwise.
FIXED = {
    # It rounds YaRN's ramp to whole pairs of dimensions.
    "gpt-oss": dict(rope__scaling__type="none", rope__scaling__factor=1.0),
    "llama4": dict(
        attention__sliding_window=8192, attention__temperature_length=8192, attention__temperature_scale=0.1),
}


def ours(program, model, text):
    done = subprocess.run(
        [program, "perplexity", "-m", model, "-f", text, "-c", str(CONTEXT), "--kv-type", "f32", "--device", "cpu", "--json",
         "--quiet", "--force-ctx"],
        capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{model}: {done.stderr.strip()}")
    return json.loads(done.stdout)["perplexity"]


def theirs(program, model, text):
    """`None` where it does not load the model."""
    command = [program, "-m", model, "-f", text, "-c", str(CONTEXT), "-ctk", "f32", "-ctv", "f32"]
    # Its last line sometimes gets lost when it ends.
    for _ in range(5):
        done = subprocess.run(command, capture_output=True, text=True)
        found = re.search(r"Final estimate: PPL = ([0-9.]+)", done.stdout + done.stderr)
        if found:
            return float(found.group(1))
        if done.returncode:
            return None
    sys.exit(f"{' '.join(command)}: no estimate")


def main():
    ours_program, theirs_program, *names = sys.argv[1:]
    bad = []
    print("| model | tgi-run | llama.cpp | difference |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        text = os.path.join(folder, "text.txt")
        with open(TEXT, "rb") as source, open(text, "wb") as target:
            target.write(source.read(TEXT_BYTES))
        for name in names or MODELS:
            path = os.path.join(folder, "model.gguf")
            model = MODELS[name]()
            model.set(**FIXED.get(name, {}))
            model.write(path, "f32")
            mine, other = ours(ours_program, path, text), theirs(theirs_program, path, text)
            if other is None:
                print(f"| `{name}` | {mine:.4f} | does not load it | |", flush=True)
                continue
            difference = mine / other - 1
            note = f" ({DIFFERENT[name]})" if name in DIFFERENT else ""
            print(f"| `{name}` | {mine:.4f} | {other:.4f} | {100 * difference:+.3f} %{note} |", flush=True)
            if abs(difference) > LIMIT and not note:
                bad.append(name)
    if bad:
        sys.exit(f"further than {100 * LIMIT} % from llama.cpp: {', '.join(bad)}")


if __name__ == "__main__":
    main()

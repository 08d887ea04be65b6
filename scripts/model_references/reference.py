"""What Hugging Face transformers answers for the tiny models of Tests/Support/TinyModels/tiny_models.py.

Each model's weights go into the transformers class of its architecture, names and layouts turned back from those of GGUF. The
result is a JSON file per model: logits at some positions of a prompt, and a greedy continuation.

usage: reference.py --out FOLDER [NAME...]       writes the files
       reference.py --compare FOLDER [NAME...]   computes them again and reports the largest differences
"""

import argparse
import base64
import hashlib
import json
import os
import sys

import numpy as np
import torch
import transformers

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "Tests", "Support", "TinyModels"))
import tiny_models
from architectures import ARCHITECTURES

PROMPT_LENGTH = 48
GREEDY_LENGTH = 64
POSITIONS = [0, 17, 35, 47]


def prompt(name):
    """Bytes as tokens, from the model's name."""
    digest = b"".join(hashlib.sha256(f"{name} {block}".encode()).digest() for block in range(2))
    return [1] + [3 + byte for byte in digest[: PROMPT_LENGTH - 1]]


def build(name):
    tiny = tiny_models.MODELS[name]()
    class_name, config, weights = ARCHITECTURES[tiny.architecture](tiny)
    # Text models have a configuration of their own where others exist beside them.
    config_name = class_name.replace("ForCausalLM", "Config")
    config_class = getattr(transformers, class_name.replace("ForCausalLM", "TextConfig"), None)
    config_class = config_class or getattr(transformers, config_name)
    model = getattr(transformers, class_name)._from_config(
        config_class(**config), attn_implementation="eager", dtype=torch.float32)
    state = {key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in weights.items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    tied = {"lm_head.weight"} if getattr(model.config, "tie_word_embeddings", False) else set()
    assert set(missing) <= tied and not unexpected, (name, missing, unexpected)
    model.tie_weights()
    return model.eval()


def compute(name):
    model = build(name)
    tokens = prompt(name)
    with torch.no_grad():
        logits = model(torch.tensor([tokens]), use_cache=False).logits[0, POSITIONS].to(torch.float32).numpy()
        greedy = []
        for _ in range(GREEDY_LENGTH):
            last = model(torch.tensor([tokens + greedy]), use_cache=False).logits[0, -1]
            greedy.append(int(last.argmax()))
    return {
        "model": name, "transformers": transformers.__version__, "prompt": tokens, "positions": POSITIONS,
        "logits": base64.b64encode(logits.astype("<f4").tobytes()).decode(), "greedy": greedy,
    }


def path(folder, name):
    return os.path.join(folder, name.replace(":", "-") + ".json")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out")
    parser.add_argument("--compare")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    failures = 0
    for name in options.names or tiny_models.MODELS:
        result = compute(name)
        if options.out:
            with open(path(options.out, name), "w") as file:
                json.dump(result, file, indent=0)
                file.write("\n")
            print(f"{name}: written")
        if options.compare:
            with open(path(options.compare, name)) as file:
                known = json.load(file)
            a, b = (np.frombuffer(base64.b64decode(x["logits"]), "<f4") for x in (result, known))
            error = float(np.abs(a - b).max() / np.abs(b).max())
            same = error < 1e-5 and result["greedy"] == known["greedy"]
            failures += not same
            print(f"{name}: {'same' if same else 'DIFFERENT'}, largest relative error {error:.1e}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

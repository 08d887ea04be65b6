"""Tiny models with random weights, one or more per architecture, as GGUF files.

Weights come from their names alone, so whoever runs this gets the same files: the tests, and scripts/model-references, which
computes what they should answer with an independent implementation. Needs numpy and gguf.

usage: tiny_models.py --out FOLDER [--type f32|q8_0] [NAME...]
"""

import argparse
import os

import dense  # noqa: F401 (fills the list)
import mixtures  # noqa: F401
from tiny_model import MODELS


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--type", choices=["f32", "q8_0"], default="f32")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    for name in options.names or MODELS:
        MODELS[name]().write(os.path.join(options.out, name.replace(":", "-") + ".gguf"), options.type)


if __name__ == "__main__":
    main()

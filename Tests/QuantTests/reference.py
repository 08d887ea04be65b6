"""Decodes or encodes raw blocks with the `gguf` package: reference.py dequantize|quantize FORMAT IN OUT"""

import sys

import numpy as np
from gguf import GGMLQuantizationType, quants

action, name, source, target = sys.argv[1:]
kind = GGMLQuantizationType[name]
if action == "dequantize":
    out = quants.dequantize(np.fromfile(source, np.uint8), kind)
    out = np.asarray(out, np.float32)
else:
    out = quants.quantize(np.fromfile(source, np.float32), kind)
out.tofile(target)

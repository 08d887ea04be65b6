"""Matrices of random blocks: any quantized type at full speed of writing, where choosing codes for real weights would take minutes.

Every pattern of bits is a valid block once its scales are finite; here all scales of a matrix are such that weights have the wanted spread.
"""

import gguf
import numpy as np

from gguf import GGMLQuantizationType as Type

# Byte offsets of the binary16 numbers that scale a block.
HALVES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2],
    "Q5_K": [0, 2], "Q6_K": [208], "IQ1_S": [0], "IQ1_M": [], "IQ2_XXS": [0], "IQ2_XS": [0], "IQ2_S": [0], "IQ3_XXS": [0],
    "IQ3_S": [0], "IQ4_NL": [0], "IQ4_XS": [0], "TQ1_0": [52], "TQ2_0": [64], "MXFP4": [], "NVFP4": [],
}


def random_blocks(name, rows, columns, spread):
    """`rows` rows of blocks of a type, as bytes, whose weights have a standard deviation of about `spread`."""
    length, size = gguf.GGML_QUANT_SIZES[Type[name]]
    seed = int.from_bytes(name.encode(), "little") % 2**32
    blocks = np.random.default_rng(seed).integers(0, 256, (rows * columns // length, size), dtype=np.uint8)
    set_scales(name, blocks, 1.0)
    found = gguf.quants.dequantize(blocks[:256].copy(), Type[name]).std()
    set_scales(name, blocks, spread / found)
    return blocks.reshape(rows, -1)


def set_scales(name, blocks, scale):
    half = np.array([scale], "<f2").view(np.uint8)
    for offset in HALVES[name]:
        blocks[:, offset:offset + 2] = half
    if name == "IQ1_M":  # its binary16 number is spread over the highest four bits of four words
        words = blocks[:, 48:56].copy().view("<u2")
        bits = int(half.view("<u2")[0])
        for index in range(4):
            words[:, index] = words[:, index] & 0x0FFF | (bits >> 4 * index & 15) << 12
        blocks[:, 48:56] = words.view(np.uint8)
    elif name == "MXFP4":  # a power of two, biased by 127
        blocks[:, 0] = 127 + round(np.log2(scale))
    elif name == "NVFP4":  # four scales of four bits of exponent, biased by 7, and three of mantissa
        exponent = min(15, max(1, 7 + round(np.log2(scale))))
        blocks[:, :4] = blocks[:, :4] & 7 | exponent << 3

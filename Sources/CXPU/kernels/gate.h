// Activations, and gates of values.
#pragma once
#include "codes.h"

// Numbers of Op.Activation.
enum { SILU, GELU_TANH, GELU, RELU, RELU_SQUARED, SIGMOID, CLAMPED_SWISH };

static inline float activation(int kind, float x) {
    switch (kind) {
    case SILU: return x / (1.0f + exp(-x));
    case GELU_TANH: return 0.5f * x * (1.0f + tanh(0.7978845608028654f * fma(0.044715f * x * x, x, x)));
    case GELU: return 0.5f * x * (1.0f + erf(x * 0.7071067811865476f));
    case RELU: return fmax(x, 0.0f);
    case SIGMOID: return 1.0f / (1.0f + exp(-x));
    default: return fmax(x, 0.0f) * fmax(x, 0.0f);
    }
}

static inline float gated(int kind, float g, float u) {
    if (kind != CLAMPED_SWISH) return activation(kind, g) * u;
    g = fmin(g, 7.0f);
    u = fmin(fmax(u, -7.0f), 7.0f);
    return g / (1.0f + exp(-1.702f * g)) * (u + 1.0f);
}

// A scale's blocks of gated values as codes, by one sub-group: the bits of prepare_block. `memory` is for two floats of each value, of
// which a lane uses its own: so all of them are on their way at once, and the activation's code is there once.
static inline void gate_blocks(
    int kind, __global const float *gate, __global const float *up, prepared to, long first_block, int sharing,
    __local float *memory
) {
    int lane = get_sub_group_local_id(), values = sharing * BLOCK;
    __local float *ups = memory + values;
    _Pragma("unroll") for (int b = 0; b < SHARING_BLOCKS * BLOCK; b += LANES) {
        if (b >= values) break;
        memory[b + lane] = gate[b + lane];
        ups[b + lane] = up[b + lane];
    }
    float largest = 0;
    _Pragma("nounroll") for (int i = lane; i < values; i += LANES) {
        float v = gated(kind, memory[i], ups[i]);
        memory[i] = v;
        largest = fmax(largest, magnitude(v));
    }
    largest = sub_group_reduce_max(largest);
    _Pragma("nounroll") for (int b = 0; b < sharing; b++)
        write_codes(to, first_block + b, memory[b * BLOCK + lane], memory[b * BLOCK + LANES + lane], largest);
}

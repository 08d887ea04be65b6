// What the kernels of matrix products share: arguments, the split of columns among sub-groups, the sum of a part.
#pragma once
#include "parts.h"

// Activations are rows of codes [columns], scales [columns / 32] and sums of codes [columns / 16], or plain floats.
//
// A row of the step has `used` output rows, its slots: one, or one per chosen expert or head (ROWS = 1 only). Slot i writes
// the `outputs` floats at i * outputs of the row. It reads the row's input, where all slots share it (share = used), or part
// i of it. Its matrix and bias are those of expert chosen[slot], or of expert i.
#define PRODUCT_ARGUMENTS                                                                                         \
    __global uchar *tiles, __global const int *codes, __global const float *scales, __global const float *sums,   \
        __global const float *x, int x_stride, int columns, int outputs, __global const float *bias,              \
        __global const float *residual, int residual_stride, __global float *output, int stride,                  \
        __global const int *count, int used, int share, __global const int *chosen, long expert_bytes,            \
        __local float *partial

#define PRODUCT_BEGIN(ROWS, ITEMS)                                                                    \
    int tile = get_group_id(0), row = get_group_id(1) * ROWS, lane = get_sub_group_local_id();        \
    int rows = *count * used;                                                                         \
    if (row >= rows) return;                                                                          \
    int splits = get_num_sub_groups(), split = get_sub_group_id();                                    \
    int items = ITEMS;                                                                                \
    int first = (int)((long)items * split / splits), last = (int)((long)items * (split + 1) / splits); \
    int expert = chosen ? chosen[row] : row % used;                                                   \
    tiles += expert * expert_bytes;                                                                   \
    int n = tile * LANES + lane;                                                                      \
    float acc[ROWS];                                                                                  \
    _Pragma("unroll") for (int r = 0; r < ROWS; r++) acc[r] = 0;

// Adds a part's dot products of codes to a sum.
#define ACCUMULATE(acc, low, high, GROUPS, HAS_MIN, OFFSET)                     \
    if (GROUPS == 1) {                                                          \
        float dot = (float)(low + high) - OFFSET * (sum0 + sum1);               \
        acc = fma(dot, w.scale0 * d, acc);                                      \
        if (HAS_MIN) acc = fma(-w.min0, d * (sum0 + sum1), acc);                \
    } else {                                                                    \
        acc = fma((float)low - OFFSET * sum0, w.scale0 * d, acc);               \
        if (HAS_MIN) acc = fma(-w.min0, d * sum0, acc);                         \
        acc = fma((float)high - OFFSET * sum1, w.scale1 * d, acc);              \
        if (HAS_MIN) acc = fma(-w.min1, d * sum1, acc);                         \
    }

// Every integer layout: X(LAYOUT, groups per part, HAS_MIN, OFFSET). Codes are OFFSET too large, which the sums of
// activations take off exactly.
#define INTEGER_LAYOUTS(X)       \
    X(integer32, 1, 0, 0)        \
    X(integer32_min, 1, 1, 0)    \
    X(integer16, 2, 0, 0)        \
    X(integer16_min, 2, 1, 0)    \
    X(q4_0, 1, 0, 8)             \
    X(q8_0, 1, 0, 0)             \
    X(q4_k, 1, 1, 0)             \
    X(q5_k, 1, 1, 0)             \
    X(q6_k, 2, 0, 32)            \
    X(iq4_xs, 1, 0, 0)

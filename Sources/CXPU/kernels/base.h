// What all kernels share: names, exact helpers, the sub-group width.
//
// Contraction is off and every fused multiply-add is written out, so that kernels of one formula give the same bits.
#pragma once
#define FORMAT_SOURCE __global
#include "formats/base.h"

// Columns of a tile of weights.
#define LANES 16

// Kernels that use sub-groups are compiled for this width: all Intel GPUs have 16.
#ifndef SUBGROUP_LANES
#define SUBGROUP_LANES 16
#endif
// Narrower sub-groups cover the columns of a tile in halves.
#define COLUMN_HALVES (LANES / SUBGROUP_LANES)
#define SUBGROUP __attribute__((intel_reqd_sub_group_size(SUBGROUP_LANES)))

// Columns of activations that are prepared together, and of a part of the weights.
#define BLOCK 32

// Signed dot product of four packed 8-bit integers: one instruction where the device has it.
int __attribute__((overloadable, const)) __spirv_SDotKHR(int a, int b, int packed_format);
static inline int dot4(int a, int b) { return __spirv_SDotKHR(a, b, 0); }

// 1 / x for normal x, to the nearest: OpenCL promises 2.5 units in the last place only.
static inline float exact_reciprocal(float x) {
    float y = 1.0f / x;
    y = fma(fma(-x, y, 1.0f), y, y);
    return fma(fma(-x, y, 1.0f), y, y);
}

// x / 127 to the nearest.
static inline float divided_by_127(float x) {
    const float inverse = 1.0f / 127.0f;
    float q = x * inverse;
    return fma(fma(-q, 127.0f, x), inverse, q);
}

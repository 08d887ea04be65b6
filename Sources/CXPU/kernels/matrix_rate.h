// What a matrix engine can do at most: independent steps of eight rows, `steps` times 4 per 16 outputs.
#pragma once
#include "matrix_floats.h"

#define RATE_CHAINS (4 * COLUMN_HALVES)
#define RATE(NAME, SUMS, MAD)                                                                                        \
    SUBGROUP __kernel void NAME(int steps, int seed, __global int *output) {                                         \
        rows_t a = (rows_t)(seed + (int)get_sub_group_local_id());                                                   \
        int8 b = (int8)seed;                                                                                         \
        SUMS sums[RATE_CHAINS];                                                                                      \
        _Pragma("unroll") for (int i = 0; i < RATE_CHAINS; i++) sums[i] = i;                                         \
        __attribute__((opencl_unroll_hint(1))) for (int s = 0; s < steps; s++)                                       \
            _Pragma("unroll") for (int i = 0; i < RATE_CHAINS; i++) sums[i] = MAD(a, b, sums[i]);                    \
        _Pragma("unroll") for (int i = 1; i < RATE_CHAINS; i++) sums[0] += sums[i];                                  \
        int8 all = as_int8(sums[0]);                                                                                 \
        if ((all.s0 ^ all.s1 ^ all.s2 ^ all.s3 ^ all.s4 ^ all.s5 ^ all.s6 ^ all.s7) == 0x5bd1e995) output[0] = all.s0; \
    }
RATE(rate_i8, int8, intel_sub_group_i8_i8_matrix_mad_k32)
RATE(rate_f16, float8, intel_sub_group_f16_f16_matrix_mad_k16)

// Products of integer layouts on the matrix engine, 8 rows at a time: a part of 32 columns is one step of it. The dot
// products are exact, so the sums have the bits of linear.cl's kernels.
//
// An engine that works in sub-groups of 8 covers the 16 outputs of a tile in two halves.
#pragma once
#include "base.h"
#include "product.h"

#define ROWS 8

#if SUBGROUP_LANES == 8
typedef int8 rows_t;
#define READ_ROW(p) as_int(intel_sub_group_block_read((__global const uint *)(p)))
#else
typedef short8 rows_t;
#define READ_ROW(p) as_short(intel_sub_group_block_read_us((__global const ushort *)(p)))
#endif
int8 __attribute__((overloadable)) intel_sub_group_i8_i8_matrix_mad_k32(rows_t a, int8 b, int8 acc);

#define MATRIX_BEGIN                                                                                                 \
    CHOOSE_MATRIX                                                                                                    \
    CHOOSE_ROWS(ROWS)                                                                                                \
    CHOOSE_ITEMS(columns / BLOCK)                                                                                    \
    INPUT_ROWS(ROWS)                                                                                                 \
    float acc[COLUMN_HALVES][ROWS];                                                                                  \
    EACH_SUM(ROWS) acc[h][r] = 0;

#define EACH_SUM(ROWS)                                               \
    _Pragma("unroll") for (int h = 0; h < COLUMN_HALVES; h++)       \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)

// Part p of the rows as A operand.
#define MATRIX_ROWS                                                                                                  \
    uint at[ROWS];                                                                                                   \
    _Pragma("unroll") for (int r = 0; r < ROWS; r++) at[r] = inputs[r] + p;                                          \
    __global const uchar *base = (__global const uchar *)codes;                                                      \
    rows_t a = {READ_ROW(base + (ulong)at[0] * BLOCK), READ_ROW(base + (ulong)at[1] * BLOCK),                          \
                READ_ROW(base + (ulong)at[2] * BLOCK), READ_ROW(base + (ulong)at[3] * BLOCK),                          \
                READ_ROW(base + (ulong)at[4] * BLOCK), READ_ROW(base + (ulong)at[5] * BLOCK),                          \
                READ_ROW(base + (ulong)at[6] * BLOCK), READ_ROW(base + (ulong)at[7] * BLOCK)};

// The rows' dot products with the part w, of its first and second 16 columns where there are two groups.
#define MATRIX_DOTS(GROUPS)                                                                                          \
    int8 low, high = 0, b = as_int8(w.codes);                                                                        \
    if (GROUPS == 1) {                                                                                               \
        low = intel_sub_group_i8_i8_matrix_mad_k32(a, b, (int8)0);                                                   \
    } else {                                                                                                         \
        low = intel_sub_group_i8_i8_matrix_mad_k32(a, (int8)(b.lo, (int4)0), (int8)0);                               \
        high = intel_sub_group_i8_i8_matrix_mad_k32(a, (int8)((int4)0, b.hi), (int8)0);                              \
    }                                                                                                                \
    int lows[ROWS] = {low.s0, low.s1, low.s2, low.s3, low.s4, low.s5, low.s6, low.s7};                               \
    int highs[ROWS] = {high.s0, high.s1, high.s2, high.s3, high.s4, high.s5, high.s6, high.s7};

#define MATRIX_END(ROWS)                                                                                             \
    if (splits > 1) {                                                                                                \
        EACH_SUM(ROWS) partial[(r * splits + split) * LANES + h * SUBGROUP_LANES + lane] = acc[h][r];                      \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                \
        if (split != 0) return;                                                                                      \
        EACH_SUM(ROWS)                                                                                               \
            for (int s = 1; s < splits; s++)                                                                         \
                acc[h][r] += partial[(r * splits + s) * LANES + h * SUBGROUP_LANES + lane];                          \
    }                                                                                                                \
    _Pragma("unroll") for (int h = 0; h < COLUMN_HALVES; h++) {                                                      \
        int n = tile * LANES + h * SUBGROUP_LANES + lane;                                                            \
        if (n >= outputs) break;                                                                                     \
        WRITE_OUTPUTS(ROWS, acc[h], n)                                                                               \
    }

#define GROUP_MATRIX_PRODUCT(LAYOUT, GROUPS, HAS_MIN, OFFSET)                                                        \
    SUBGROUP __kernel void matrix_##LAYOUT##_rows8(PRODUCT_ARGUMENTS) {                                              \
        MATRIX_BEGIN                                                                                                 \
        for (int p = first; p < last; p++) {                                                                         \
            __global const uchar *record = RECORD(LAYOUT, tiles, tile, p, columns);                                  \
            MATRIX_ROWS                                                                                              \
            _Pragma("unroll") for (int h = 0; h < COLUMN_HALVES; h++) {                                              \
                part w = read_##LAYOUT(record, h * SUBGROUP_LANES + lane);                                           \
                MATRIX_DOTS(GROUPS)                                                                                  \
                _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                                   \
                    float d = scales[at[r]], sum0 = sums[at[r] * 2], sum1 = sums[at[r] * 2 + 1];                     \
                    ACCUMULATE(acc[h][r], lows[r], highs[r], GROUPS, HAS_MIN, OFFSET)                                \
                }                                                                                                    \
            }                                                                                                        \
        }                                                                                                            \
        MATRIX_END(ROWS)                                                                                             \
    }

#define SUPER_MATRIX_PRODUCT(LAYOUT, GROUPS, HAS_MIN, OFFSET)                                                        \
    SUBGROUP __kernel void matrix_##LAYOUT##_rows8(PRODUCT_ARGUMENTS) {                                              \
        MATRIX_BEGIN                                                                                                 \
        for (int p = first; p < last;) {                                                                             \
            SUPER_BEGIN(LAYOUT)                                                                                      \
            int total[COLUMN_HALVES][ROWS];                                                                          \
            EACH_SUM(ROWS) total[h][r] = 0;                                                                              \
            for (; p < end; p++) {                                                                                   \
                MATRIX_ROWS                                                                                          \
                _Pragma("unroll") for (int h = 0; h < COLUMN_HALVES; h++) {                                          \
                    super_part w = read_##LAYOUT(record, p & (SUPER_PARTS - 1), h * SUBGROUP_LANES + lane);                \
                    MATRIX_DOTS(GROUPS)                                                                              \
                    _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                               \
                        ADD_PRODUCTS(total[h][r], lows[r], highs[r], GROUPS)                                         \
                    }                                                                                                \
                }                                                                                                    \
            }                                                                                                        \
            _Pragma("unroll") for (int h = 0; h < COLUMN_HALVES; h++) {                                              \
                SUPER_MINS(LAYOUT, ROWS, GROUPS, HAS_MIN, OFFSET, h * SUBGROUP_LANES + lane, mins)                   \
                SUPER_FACTORS(LAYOUT, HAS_MIN, h * SUBGROUP_LANES + lane)                                            \
                _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                                   \
                    float d = scales[inputs[r] + start];                                                             \
                    FINISH_SUPER(acc[h][r], total[h][r], mins[r], HAS_MIN, OFFSET)                                \
                }                                                                                                    \
            }                                                                                                        \
        }                                                                                                            \
        MATRIX_END(ROWS)                                                                                             \
    }

GROUP_LAYOUTS(GROUP_MATRIX_PRODUCT)
SUPER_LAYOUTS(SUPER_MATRIX_PRODUCT)
#undef ROWS

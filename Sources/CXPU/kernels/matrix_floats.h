// Products of F16 and BF16 weights on the matrix engine: a step has 16 columns. Activations are cut into pieces that the engine's
// factors hold, and every piece is multiplied with the weights and summed in binary32, in the engine's order:
//     f16   two pieces of x times a power of two that brings the largest of a sub-group's columns below 2^15: what is lost is below
//           2^-22 of a value, or 2^-39 of the largest
//     bf16  three pieces, which are x exactly
// A row's sums do not depend on the other rows, nor on how many there are.
#pragma once
#include "matrix.h"

#if SUBGROUP_LANES == 8
typedef int row_t;
#else
typedef short row_t;
#endif
float8 __attribute__((overloadable)) intel_sub_group_f16_f16_matrix_mad_k16(rows_t a, int8 b, float8 acc);
float __attribute__((overloadable)) intel_sub_group_f16_f16_matrix_mad_k16(row_t a, int8 b, float acc);
float8 __attribute__((overloadable)) intel_sub_group_bf16_bf16_matrix_mad_k16(rows_t a, int8 b, float8 acc);
float __attribute__((overloadable)) intel_sub_group_bf16_bf16_matrix_mad_k16(row_t a, int8 b, float acc);

#define OPERAND1(a) a[0]
#define OPERAND8(a) ((rows_t){a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]})
typedef float sums1;
typedef float8 sums8;
#define ROWS_OF1(sum) {sum}
#define ROWS_OF8(sum) {sum.s0, sum.s1, sum.s2, sum.s3, sum.s4, sum.s5, sum.s6, sum.s7}

// A lane's columns of the step at k of a row: one, or a pair in a sub-group of 8. Past the end it has others of the row, where the weights
// are zeros; columns are even.
#if SUBGROUP_LANES == 8
typedef float2 input_t;
static inline float2 read_input(__global const float *x, int k, int columns) {
    return vload2(0, x + min(k + 2 * (int)get_sub_group_local_id(), columns - 2));
}
#define TO_HALF(x) convert_half2_rte(x)
#define FROM_HALF(x) convert_float2(x)
#define HALF_OPERAND(x) as_int(x)
#define HIGH_BITS(x) as_float2(as_uint2(x) & 0xffff0000u)
#define BF16_OPERAND(x) as_int(as_ushort4(x).s13)
#else
typedef float input_t;
static inline float read_input(__global const float *x, int k, int columns) {
    if (k + LANES <= columns) return as_float(intel_sub_group_block_read((__global const uint *)(x + k)));
    return x[min(k + (int)get_sub_group_local_id(), columns - 1)];
}
#define TO_HALF(x) convert_half_rte(x)
#define FROM_HALF(x) convert_float(x)
#define HALF_OPERAND(x) as_short(x)
#define HIGH_BITS(x) as_float(as_uint(x) & 0xffff0000u)
#define BF16_OPERAND(x) as_short2(x).s1
#endif

// The exponent of a power of two that x is divided by.
static inline int range_of(__global const float *x, int from, int to) {
    float top = 0;
    for (int k = from + (int)get_sub_group_local_id(); k < to; k += SUBGROUP_LANES) top = fmax(top, fabs(x[k]));
    int exponent = as_int(sub_group_reduce_max(top)) >> 23;
    return clamp(exponent, 15, 254) - 127 - 14;
}

static inline float power_of_two(int exponent) { return as_float((exponent + 127) << 23); }

// Takes the next piece off v.
#define READ_f16 read_input(x + inputs[r], p * LANES, columns) * power_of_two(-ranges[r])
#define PIECE_f16(v, piece)             \
    piece = HALF_OPERAND(TO_HALF(v));   \
    v -= FROM_HALF(TO_HALF(v));
#define READ_bf16 read_input(x + inputs[r], p * LANES, columns)
#define PIECE_bf16(v, piece)            \
    piece = BF16_OPERAND(v);            \
    v -= HIGH_BITS(v);

#define FLOAT_MATRIX_PRODUCT(FORMAT, ROWS, PIECES, SCALED)                                                           \
    SUBGROUP __kernel void matrix_##FORMAT##_rows##ROWS(PRODUCT_ARGUMENTS) {                                         \
        CHOOSE_MATRIX                                                                                                \
        CHOOSE_ROWS(ROWS)                                                                                            \
        CHOOSE_ITEMS(HALF_STEPS(columns))                                                                            \
        FLOAT_ROWS(ROWS)                                                                                             \
        __global const uchar *weights = tiles + (long)tile * items * WORDS(8);                                       \
        int ranges[ROWS];                                                                                            \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                             \
            ranges[r] = SCALED ? range_of(x + inputs[r], first * LANES, min(last * LANES, columns)) : 0;             \
        float acc[COLUMN_HALVES][ROWS];                                                                              \
        /* One half of the columns after the other, for want of registers. */                                        \
        _Pragma("unroll") for (int h = 0; h < COLUMN_HALVES; h++) {                                                  \
            sums##ROWS sum = 0;                                                                                      \
            for (int p = first; p < last; p++) {                                                                     \
                input_t v[ROWS];                                                                                     \
                _Pragma("unroll") for (int r = 0; r < ROWS; r++) v[r] = READ_##FORMAT;                               \
                int8 b = as_int8(read_words8(weights + (long)p * WORDS(8), h * SUBGROUP_LANES + lane));              \
                _Pragma("unroll") for (int i = 0; i < PIECES; i++) {                                                 \
                    row_t piece[ROWS];                                                                               \
                    _Pragma("unroll") for (int r = 0; r < ROWS; r++) { PIECE_##FORMAT(v[r], piece[r]) }              \
                    sum = intel_sub_group_##FORMAT##_##FORMAT##_matrix_mad_k16(OPERAND##ROWS(piece), b, sum);        \
                }                                                                                                    \
            }                                                                                                        \
            float rows[ROWS] = ROWS_OF##ROWS(sum);                                                                   \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                         \
                acc[h][r] = SCALED ? rows[r] * power_of_two(ranges[r]) : rows[r];                                    \
        }                                                                                                            \
        MATRIX_END(ROWS)                                                                                             \
    }

FLOAT_MATRIX_PRODUCT(f16, 1, 2, 1)
FLOAT_MATRIX_PRODUCT(f16, 8, 2, 1)
FLOAT_MATRIX_PRODUCT(bf16, 1, 3, 0)
FLOAT_MATRIX_PRODUCT(bf16, 8, 3, 0)

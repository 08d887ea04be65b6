// Matrix products: output[m][n] = x[m] · W[n] (+ bias[n]) (+ residual[m][n]) over the layouts of layout.h.
//
// A sub-group computes 16 outputs of up to ROWS rows. A work-group is one or more sub-groups that share the columns
// between them; their sums are added in ascending order. How many is a function of the weight's shape, so that the bits
// of a row depend on nothing else. Integer formats, per group of 16 or 32 columns, ascending:
//     acc = fma(dot of codes, weight scale * x scale, acc);  acc = fma(-min, x scale * sum of x codes, acc)
// Floats, per column, ascending: acc = fma(w, x, acc).
#include "base.h"
#include "codes.h"
#include "product.h"

// Adds the sums of the work-group's sub-groups and writes 16 outputs of each row.
#define PRODUCT_END(ROWS)                                                                             \
    if (splits > 1) {                                                                                 \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                              \
            partial[(r * splits + split) * LANES + lane] = acc[r];                                    \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                 \
        if (split != 0) return;                                                                       \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                              \
            for (int s = 1; s < splits; s++) acc[r] += partial[(r * splits + s) * LANES + lane];      \
    }                                                                                                 \
    if (n < outputs) WRITE_OUTPUTS(ROWS, acc, n)

#define INTEGER_PRODUCT(LAYOUT, ROWS, GROUPS, HAS_MIN, OFFSET)                                                    \
    SUBGROUP __kernel void linear_##LAYOUT##_rows##ROWS(PRODUCT_ARGUMENTS) {                                     \
        PRODUCT_BEGIN(ROWS, columns / BLOCK)                                                                     \
        long inputs[ROWS];                                                                                       \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++) inputs[r] = (long)(slots[r] / share) * items;           \
        for (int p = first; p < last; p++) {                                                                     \
            part w = read_##LAYOUT(RECORD(LAYOUT, tiles, tile, p, columns), p, lane);                                 \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                                   \
                long at = inputs[r] + p;                                                                         \
                __global const int *a = codes + at * (BLOCK / 4);                                                \
                float d = scales[at], sum0 = sums[at * 2], sum1 = sums[at * 2 + 1];                              \
                int low = dot4(w.codes.s0, a[0]) + dot4(w.codes.s1, a[1]) + dot4(w.codes.s2, a[2]) +             \
                          dot4(w.codes.s3, a[3]);                                                                \
                int high = dot4(w.codes.s4, a[4]) + dot4(w.codes.s5, a[5]) + dot4(w.codes.s6, a[6]) +            \
                           dot4(w.codes.s7, a[7]);                                                               \
                ACCUMULATE(acc[r], low, high, GROUPS, HAS_MIN, OFFSET)                                           \
            }                                                                                                    \
        }                                                                                                        \
        PRODUCT_END(ROWS)                                                                                        \
    }

#define FLOAT_PRODUCT(NAME, ROWS, TYPE, READ, VALUE)                                                             \
    SUBGROUP __kernel void NAME##_rows##ROWS(PRODUCT_ARGUMENTS) {                                                \
        PRODUCT_BEGIN(ROWS, columns)                                                                             \
        __global const TYPE *weights = (__global const TYPE *)tiles + (long)tile * items * LANES;                \
        long inputs[ROWS];                                                                                       \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                         \
            inputs[r] = (long)(slots[r] / used) * x_stride + (share == 1 ? slots[r] % used * columns : 0);       \
        for (int k = first; k < last; k++) {                                                                     \
            float w = VALUE(READ(weights + (long)k * LANES));                                                    \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                     \
            {                                                                                                    \
                acc[r] = fma(w, x[inputs[r] + k], acc[r]);                                                       \
            }                                                                                                    \
        }                                                                                                        \
        PRODUCT_END(ROWS)                                                                                        \
    }

#define INTEGER_PRODUCT1(LAYOUT, GROUPS, HAS_MIN, OFFSET) INTEGER_PRODUCT(LAYOUT, 1, GROUPS, HAS_MIN, OFFSET)
#define INTEGER_PRODUCT8(LAYOUT, GROUPS, HAS_MIN, OFFSET) INTEGER_PRODUCT(LAYOUT, 8, GROUPS, HAS_MIN, OFFSET)
INTEGER_LAYOUTS(INTEGER_PRODUCT1)
INTEGER_LAYOUTS(INTEGER_PRODUCT8)

#define FLOAT_PRODUCTS(ROWS)                                                                 \
    FLOAT_PRODUCT(linear_f16, ROWS, ushort, intel_sub_group_block_read_us, format_f16)       \
    FLOAT_PRODUCT(linear_bf16, ROWS, ushort, intel_sub_group_block_read_us, format_bf16)     \
    FLOAT_PRODUCT(linear_f32, ROWS, uint, intel_sub_group_block_read, as_float)
FLOAT_PRODUCTS(1)
FLOAT_PRODUCTS(8)

// Rows as codes. A row of the step has `used` parts of `columns` values. x = work-group per scale, of a sub-group per block;
// y = part.
SUBGROUP __kernel void quantize(
    __global const float *x, int x_stride, int columns, __global char *codes, __global float *scales,
    __global float *sums, __global const int *count, int used
) {
    __local float tops[SHARING_BLOCKS];
    int block = get_group_id(0) * get_num_sub_groups() + get_sub_group_id();
    int row = get_group_id(1), lane = get_sub_group_local_id();
    if (row >= *count * used) return;
    __global const float *from = x + (long)(row / used) * x_stride + row % used * columns + block * BLOCK;
    prepared to = {codes, scales, sums};
    prepare_block(to, (long)row * (columns / BLOCK) + block, from[lane], from[lane + LANES], tops);
}

// Row token[m] of an embedding table, times a factor. x = column, y = row.
#define EMBED_ARGUMENTS                                                                                    \
    __global uchar *tiles, __global const int *tokens, int columns, float factor, __global float *output,  \
        int stride, __global const int *count
#define EMBED_BEGIN                                          \
    int k = get_global_id(0), row = get_global_id(1);        \
    if (k >= columns || row >= *count) return;               \
    int tile = tokens[row] / LANES, lane = tokens[row] % LANES;

#define INTEGER_EMBED(LAYOUT, GROUPS, HAS_MIN, OFFSET)                                                                              \
    __kernel void embed_##LAYOUT(EMBED_ARGUMENTS) {                                                        \
        EMBED_BEGIN                                                                                        \
        __global const uchar *record = RECORD(LAYOUT, tiles, tile, k / BLOCK, columns);                    \
        output[(long)row * stride + k] = weight_##LAYOUT(record, k % LAYOUT##_COLUMNS, lane) * factor;     \
    }
#define FLOAT_EMBED(NAME, TYPE, VALUE)                                                                     \
    __kernel void NAME(EMBED_ARGUMENTS) {                                                                  \
        EMBED_BEGIN                                                                                        \
        __global const TYPE *weights = (__global const TYPE *)tiles;                                       \
        output[(long)row * stride + k] = VALUE(weights[((long)tile * columns + k) * LANES + lane]) * factor; \
    }
INTEGER_LAYOUTS(INTEGER_EMBED)
FLOAT_EMBED(embed_f16, ushort, format_f16)
FLOAT_EMBED(embed_bf16, ushort, format_bf16)
FLOAT_EMBED(embed_f32, uint, as_float)

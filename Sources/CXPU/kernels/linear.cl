// Matrix products: output[m][n] = x[m] · W[n] (+ bias[n]) (+ residual[m][n]) over the layouts of layout.h.
//
// A sub-group computes 16 outputs of up to ROWS rows. A work-group is one or more sub-groups that share the columns
// between them; their sums are added in ascending order. How many is a function of the weight's shape, so that the bits
// of a row depend on nothing else. Integer formats, per group of 16 or 32 columns, ascending:
//     acc = fma(dot of codes, weight scale * x scale, acc);  acc = fma(-min, x scale * sum of x codes, acc)
// Where groups have integer factors, per super-block of 256 columns (or what a sub-group has of it), with exact integers:
//     acc = fma(Σ scale * dot, d * x scale, acc);  acc = fma(-Σ min * sum of x codes, dmin * x scale, acc)
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
        if (split == 0)                                                                               \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                          \
                for (int s = 1; s < splits; s++) acc[r] += partial[(r * splits + s) * LANES + lane];  \
    }                                                                                                 \
    if (split == 0 && n < outputs) WRITE_OUTPUTS(ROWS, acc, n)                                        \
    FINISH##ROWS

#define FINISH1 FINISH(slots[0], output + SLOT_OFFSET(0, stride), output1 + SLOT_OFFSET(0, stride1), outputs)
#define FINISH8

// The dot products of a row's part, of its first and second 16 columns.
#define PART_OF_ROW(r)                                                                                           \
    uint at = inputs[r] + p;                                                                                     \
    __global const int *a = codes + (ulong)at * (BLOCK / 4);                                                      \
    int low = dot4(w.codes.s0, a[0]) + dot4(w.codes.s1, a[1]) + dot4(w.codes.s2, a[2]) + dot4(w.codes.s3, a[3]); \
    int high = dot4(w.codes.s4, a[4]) + dot4(w.codes.s5, a[5]) + dot4(w.codes.s6, a[6]) + dot4(w.codes.s7, a[7]);

#define GROUP_PRODUCT(LAYOUT, ROWS, GROUPS, HAS_MIN, OFFSET)                                                     \
    SUBGROUP __kernel void linear_##LAYOUT##_rows##ROWS(PRODUCT_ARGUMENTS) {                                     \
        PRODUCT_BEGIN(ROWS, columns / BLOCK)                                                                     \
        INPUT_ROWS(ROWS)                                                                                         \
        for (int p = first; p < last; p++) {                                                                     \
            part w = read_##LAYOUT(RECORD(LAYOUT, tiles, tile, p, columns), lane);                               \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                                   \
                PART_OF_ROW(r)                                                                                   \
                float d = scales[at], sum0 = sums[at * 2], sum1 = sums[at * 2 + 1];                              \
                ACCUMULATE(acc[r], low, high, GROUPS, HAS_MIN, OFFSET)                                           \
            }                                                                                                    \
        }                                                                                                        \
        PRODUCT_END(ROWS)                                                                                        \
    }

#define SUPER_PRODUCT(LAYOUT, ROWS, GROUPS, HAS_MIN, OFFSET)                                                     \
    SUBGROUP __kernel void linear_##LAYOUT##_rows##ROWS(PRODUCT_ARGUMENTS) {                                     \
        PRODUCT_BEGIN(ROWS, columns / BLOCK)                                                                     \
        INPUT_ROWS(ROWS)                                                                                         \
        for (int p = first; p < last;) {                                                                         \
            SUPER_BEGIN(LAYOUT)                                                                                  \
            int total[ROWS];                                                                                     \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++) total[r] = 0;                                       \
            for (; p < end; p++) {                                                                               \
                super_part w = read_##LAYOUT(record, p & (SUPER_PARTS - 1), lane);                                     \
                _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                               \
                    PART_OF_ROW(r)                                                                               \
                    ADD_PRODUCTS(total[r], low, high, GROUPS)                                                    \
                }                                                                                                \
            }                                                                                                    \
            SUPER_MINS(LAYOUT, ROWS, GROUPS, HAS_MIN, OFFSET, lane, mins)                                        \
            SUPER_FACTORS(LAYOUT, HAS_MIN, lane)                                                                 \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                                   \
                float d = scales[inputs[r] + start];                                                             \
                FINISH_SUPER(acc[r], total[r], mins[r], HAS_MIN, OFFSET)                                         \
            }                                                                                                    \
        }                                                                                                        \
        PRODUCT_END(ROWS)                                                                                        \
    }

#define FLOAT_PRODUCT(ROWS)                                                                                      \
    SUBGROUP __kernel void linear_f32_rows##ROWS(PRODUCT_ARGUMENTS) {                                            \
        PRODUCT_BEGIN(ROWS, columns)                                                                             \
        FLOAT_ROWS(ROWS)                                                                                         \
        __global const uint *weights = (__global const uint *)tiles + (long)tile * items * LANES;                \
        for (int k = first; k < last; k++) {                                                                     \
            float w = as_float(intel_sub_group_block_read(weights + (long)k * LANES));                           \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++) acc[r] = fma(w, x[inputs[r] + k], acc[r]);          \
        }                                                                                                        \
        PRODUCT_END(ROWS)                                                                                        \
    }

#define HALF_VALUE(bits) convert_float(as_half((ushort)(bits)))
#define BF16_VALUE(bits) as_float((bits) << 16)
// A lane has two columns in a word.
#define HALF_PRODUCT(NAME, ROWS, VALUE)                                                                          \
    SUBGROUP __kernel void linear_##NAME##_rows##ROWS(PRODUCT_ARGUMENTS) {                                       \
        PRODUCT_BEGIN(ROWS, HALF_STEPS(columns))                                                                 \
        FLOAT_ROWS(ROWS)                                                                                         \
        __global const uchar *weights = tiles + (long)tile * items * WORDS(8);                                   \
        int pairs = min(last * (LANES / 2), columns / 2);                                                        \
        for (int q = first * (LANES / 2); q < pairs; q++) {                                                      \
            uint w = READ_WORD(weights + (long)q * WORDS(1));                                                    \
            float even = VALUE(w & 0xffff), odd = VALUE(w >> 16);                                                \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                                   \
                acc[r] = fma(even, x[inputs[r] + 2 * q], acc[r]);                                                \
                acc[r] = fma(odd, x[inputs[r] + 2 * q + 1], acc[r]);                                             \
            }                                                                                                    \
        }                                                                                                        \
        if (columns % 2 == 1 && last == items && first < last) {                                                 \
            float w = VALUE(READ_WORD(weights + (long)pairs * WORDS(1)) & 0xffff);                               \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++) acc[r] = fma(w, x[inputs[r] + 2 * pairs], acc[r]);  \
        }                                                                                                        \
        PRODUCT_END(ROWS)                                                                                        \
    }

#define GROUP_PRODUCT1(LAYOUT, GROUPS, HAS_MIN, OFFSET) GROUP_PRODUCT(LAYOUT, 1, GROUPS, HAS_MIN, OFFSET)
#define GROUP_PRODUCT8(LAYOUT, GROUPS, HAS_MIN, OFFSET) GROUP_PRODUCT(LAYOUT, 8, GROUPS, HAS_MIN, OFFSET)
#define SUPER_PRODUCT1(LAYOUT, GROUPS, HAS_MIN, OFFSET) SUPER_PRODUCT(LAYOUT, 1, GROUPS, HAS_MIN, OFFSET)
#define SUPER_PRODUCT8(LAYOUT, GROUPS, HAS_MIN, OFFSET) SUPER_PRODUCT(LAYOUT, 8, GROUPS, HAS_MIN, OFFSET)
GROUP_LAYOUTS(GROUP_PRODUCT1)
GROUP_LAYOUTS(GROUP_PRODUCT8)
SUPER_LAYOUTS(SUPER_PRODUCT1)
SUPER_LAYOUTS(SUPER_PRODUCT8)

FLOAT_PRODUCT(1)
FLOAT_PRODUCT(8)
HALF_PRODUCT(f16, 1, HALF_VALUE)
HALF_PRODUCT(f16, 8, HALF_VALUE)
HALF_PRODUCT(bf16, 1, BF16_VALUE)
HALF_PRODUCT(bf16, 8, BF16_VALUE)

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
#define FLOAT_EMBED(NAME, TYPE, VALUE, ELEMENT)                                                            \
    __kernel void NAME(EMBED_ARGUMENTS) {                                                                  \
        EMBED_BEGIN                                                                                        \
        output[(long)row * stride + k] =                                                                   \
            VALUE(((__global const TYPE *)tiles)[ELEMENT(tile, columns, k, lane)]) * factor;               \
    }
#define WORD_ELEMENT(tile, columns, k, lane) (((long)(tile) * (columns) + (k)) * LANES + (lane))
INTEGER_LAYOUTS(INTEGER_EMBED)
FLOAT_EMBED(embed_f16, ushort, format_f16, HALF_ELEMENT)
FLOAT_EMBED(embed_bf16, ushort, format_bf16, HALF_ELEMENT)
FLOAT_EMBED(embed_f32, uint, as_float, WORD_ELEMENT)

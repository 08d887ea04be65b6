// What the kernels of matrix products share: arguments, the split of columns among sub-groups, the sum of a part.
#pragma once
#include "finish.h"
#include "parts.h"

// Activations are `prepared` rows (codes.h), or plain floats.
//
// A row of the step has `used` output rows, its slots: one, or one per chosen expert or head (ROWS = 1 only). Slot i writes
// the `outputs` floats at i * outputs of the row. It reads the row's input, where all slots share it (share = used), or part
// i of it. Its matrix and bias are those of expert chosen[slot], or of expert i.
#define PRODUCT_ARGUMENTS                                                                                         \
    __global uchar *tiles, __global const int *codes, __global const float *scales, __global const float *sums,   \
        __global const float *x, int x_stride, int columns, int outputs, __global const float *bias,              \
        __global const float *residual, int residual_stride, __global float *output, int stride,                  \
        __global const int *count, int used, int share, __global const int *chosen, long expert_bytes,            \
        __global const int *order, __global const int *groups,                                                    \
        __global uchar *tiles1, __global uchar *tiles2, int outputs1, int outputs2,                               \
        __global const float *bias1, __global const float *bias2, __global float *output1,                        \
        __global float *output2, int stride1, int stride2, FINISH_ARGUMENTS, __local float *partial

// Up to three matrices of one layout with the same input and as many columns share a launch: their tiles follow each other.
#define CHOOSE_MATRIX                                                                                  \
    __global float *result = output;                                                                  \
    int tile = get_group_id(0), result_stride = stride;                                               \
    {                                                                                                 \
        int tiles_before = (outputs + LANES - 1) / LANES;                                             \
        int tiles_before2 = tiles_before + (outputs1 + LANES - 1) / LANES;                            \
        if (tile >= tiles_before2) {                                                                  \
            tile -= tiles_before2;                                                                    \
            tiles = tiles2;                                                                           \
            outputs = outputs2;                                                                       \
            bias = bias2;                                                                             \
            result = output2;                                                                         \
            result_stride = stride2;                                                                  \
        } else if (tile >= tiles_before) {                                                            \
            tile -= tiles_before;                                                                     \
            tiles = tiles1;                                                                           \
            outputs = outputs1;                                                                       \
            bias = bias1;                                                                             \
            result = output1;                                                                         \
            result_stride = stride1;                                                                  \
        }                                                                                             \
    }

// The rows of a tile: neighbours, or by `groups` (group_slots in rows.cl) slots of one expert. Absent ones repeat the last.
#define CHOOSE_ROWS(ROWS)                                                                              \
    int slots[ROWS], present, expert;                                                                  \
    if (groups) {                                                                                      \
        if ((int)get_group_id(1) >= groups[0]) return;                                                 \
        groups += 1 + 3 * get_group_id(1);                                                             \
        expert = groups[0];                                                                            \
        present = groups[2];                                                                           \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                               \
            slots[r] = order[groups[1] + min(r, present - 1)];                                         \
    } else {                                                                                           \
        int row = get_group_id(1) * ROWS, rows = *count * used;                                        \
        if (row >= rows) return;                                                                       \
        present = min(ROWS, rows - row);                                                               \
        expert = chosen ? chosen[row] : row % used;                                                    \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++) slots[r] = row + min(r, present - 1);         \
    }                                                                                                  \
    /* One for the work-group, which the compiler does not see: addresses would be computed per lane. */ \
    expert = sub_group_broadcast(expert, 0);                                                           \
    tiles += expert * expert_bytes;

// The share of a sub-group of the items (columns or parts) that are summed. There are 1, 2, 4 … sub-groups.
#define CHOOSE_ITEMS(ITEMS)                                                                            \
    int splits = get_num_sub_groups(), split = get_sub_group_id(), lane = get_sub_group_local_id();    \
    int items = ITEMS;                                                                                 \
    int shift = 31 - clz(splits), first = items * split >> shift, last = items * (split + 1) >> shift;

#define PRODUCT_BEGIN(ROWS, ITEMS)                                                                     \
    CHOOSE_MATRIX                                                                                      \
    CHOOSE_ROWS(ROWS)                                                                                  \
    CHOOSE_ITEMS(ITEMS)                                                                                \
    int n = tile * LANES + lane;                                                                       \
    float acc[ROWS];                                                                                   \
    _Pragma("unroll") for (int r = 0; r < ROWS; r++) acc[r] = 0;

// Where a slot's outputs start.
#define SLOT_OFFSET(r, stride) (long)(slots[r] / used) * stride + slots[r] % used * outputs

// Writes output n of the tile's rows: past the caches of this work-group's part of the device, where others read it in this launch.
#define STORE_OUTPUT(ROWS, to, y)            \
    if (ROWS > 1 || finish == FINISH_NONE)   \
        *(to) = y;                           \
    else                                     \
        atomic_xchg(to, y);
#define WRITE_OUTPUTS(ROWS, acc, n)                                                                    \
    {                                                                                                  \
        float addend = bias ? bias[(long)expert * outputs + n] : 0.0f;                                 \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                             \
            if (r >= present) break;                                                                   \
            float y = bias ? acc[r] + addend : acc[r];                                                 \
            if (residual) y += residual[(long)slots[r] * residual_stride + n];                         \
            STORE_OUTPUT(ROWS, result + SLOT_OFFSET(r, result_stride) + n, y)                          \
        }                                                                                              \
    }

// Where the rows' inputs start, in parts.
#define INPUT_ROWS(ROWS)                                                                               \
    uint inputs[ROWS];                                                                                 \
    _Pragma("unroll") for (int r = 0; r < ROWS; r++) inputs[r] = slots[r] / share * items;

// Where the rows' inputs start, in floats.
#define FLOAT_ROWS(ROWS)                                                                               \
    uint inputs[ROWS];                                                                                 \
    _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                   \
        inputs[r] = slots[r] / used * x_stride + (share == 1 ? slots[r] % used * columns : 0);

// The rest of the super-block of part p.
#define SUPER_BEGIN(LAYOUT)                                                                            \
    __global const uchar *record = RECORD(LAYOUT, tiles, tile, p, columns);                            \
    int start = p, end = min(last, (p / SUPER_PARTS + 1) * SUPER_PARTS);

// The factors of a column's super-block.
#define SUPER_FACTORS(LAYOUT, HAS_MIN, column)                                                         \
    float factor = read_half(record + LAYOUT##_D, column);                                                   \
    float min_factor = HAS_MIN ? read_half(record + LAYOUT##_D + HALVES(1), column) : 0.0f;

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

// The integers of a super-block are scales times products (at most 256 * 4096 * 127), and minimums (or scales, where codes are
// OFFSET too large) times sums, which floats hold exactly.
#define ADD_PRODUCTS(total, low, high, GROUPS)                                                         \
    if (GROUPS == 1) {                                                                                 \
        total += (low + high) * w.scale0;                                                              \
    } else {                                                                                           \
        total += low * w.scale0;                                                                       \
        total += high * w.scale1;                                                                      \
    }

// In a loop of their own, for want of registers.
#define SUPER_MINS(LAYOUT, ROWS, GROUPS, HAS_MIN, OFFSET, column, mins)                                \
    float mins[ROWS];                                                                                  \
    _Pragma("unroll") for (int r = 0; r < ROWS; r++) mins[r] = 0;                                      \
    if (HAS_MIN || OFFSET)                                                                             \
        for (int i = start; i < end; i++) {                                                            \
            float2 m = mins_##LAYOUT(record, i & (SUPER_PARTS - 1), column);                           \
            _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                         \
                uint at = (inputs[r] + i) * 2;                                                         \
                mins[r] = GROUPS == 1 ? fma(sums[at] + sums[at + 1], m.s0, mins[r])                    \
                                      : fma(sums[at + 1], m.s1, fma(sums[at], m.s0, mins[r]));         \
            }                                                                                          \
        }

// Adds a super-block to a sum.
#define FINISH_SUPER(acc, total, mins, HAS_MIN, OFFSET)                         \
    acc = fma((float)(OFFSET ? total - OFFSET * (int)mins : total), factor * d, acc); \
    if (HAS_MIN) acc = fma(-mins, min_factor * d, acc);

// Integer layouts: X(LAYOUT, groups per part, HAS_MIN, OFFSET). Codes are OFFSET too large, which the sums of activations take
// off exactly. First those whose groups have factors of their own.
#define GROUP_LAYOUTS(X)         \
    X(integer32, 1, 0, 0)        \
    X(integer32_min, 1, 1, 0)    \
    X(integer16, 2, 0, 0)        \
    X(integer16_min, 2, 1, 0)    \
    X(q4_0, 1, 0, 8)             \
    X(q8_0, 1, 0, 0)
// Those whose groups have integer factors, times one for the super-block; their activations share a scale as well.
#define SUPER_LAYOUTS(X)         \
    X(q4_k, 1, 1, 0)             \
    X(q5_k, 1, 1, 0)             \
    X(q6_k, 2, 0, 32)            \
    X(iq4_xs, 1, 0, 0)
#define INTEGER_LAYOUTS(X) GROUP_LAYOUTS(X) SUPER_LAYOUTS(X)
// Parts of a super-block.
#define SUPER_PARTS (256 / BLOCK)

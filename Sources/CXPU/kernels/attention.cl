// The KV cache and attention over it, on any device.
#include "codes.h"
#include "tile.h"

#define STORE_ARGUMENTS                                                                                               \
    __global uchar *pool, int key_length, int value_length, int kv_heads, __global const float *key, int key_stride,  \
        ROTATION_ARGUMENTS, __global const float *value, int value_stride, __global const int *positions,             \
        __global const int *table_starts, __global const int *tables, __global const int *count

// x = sub-group per KV head, y = row. Keys are rotated on the way.
#define STORE_BEGIN(PER_WORD)                                                                                  \
    int head = get_group_id(0), row = get_group_id(1), lane = get_sub_group_local_id();                        \
    if (row >= *count) return;                                                                                 \
    cache cells = open_cache(PER_WORD, pool, tables + table_starts[row], kv_heads, key_length, value_length);  \
    int position = positions[row];                                                                             \
    __global uchar *keys = find_keys(cells, position, head), *values = find_values(cells, position, head);     \
    rotation turn = ROTATION;                                                                                  \
    __global const float *k = key + (long)row * key_stride + head * key_length;                                \
    __global const float *v = value + (long)row * value_stride + head * value_length;

#define KEY(d) ((d) < key_length ? rotated(turn, row, k, d) : 0.0f)
#define VALUE(d) ((d) < value_length ? v[d] : 0.0f)

SUBGROUP __kernel void store_f32(STORE_ARGUMENTS) {
    STORE_BEGIN(1)
    for (int d = lane; d < CHUNKS(key_length) * LANES; d += LANES)
        ((__global float *)keys)[key_element(1, position, d)] = KEY(d);
    for (int d = lane; d < CHUNKS(value_length) * LANES; d += LANES)
        ((__global float *)values)[value_element(1, position, d)] = VALUE(d);
}

SUBGROUP __kernel void store_f16(STORE_ARGUMENTS) {
    STORE_BEGIN(2)
    for (int d = lane; d < CHUNKS(key_length) * LANES; d += LANES)
        vstore_half_rte(KEY(d), key_element(2, position, d), (__global half *)keys);
    for (int d = lane; d < CHUNKS(value_length) * LANES; d += LANES)
        vstore_half_rte(VALUE(d), value_element(2, position, d), (__global half *)values);
}

// A code; 0 where the scale is not usable or x is no number.
static inline char code(float x, float inverse) {
    float c = rint(x * inverse);
    return c == c ? (char)c : (char)0;
}

// The scale of a part of 32 values, 0 where half precision cannot hold it.
static inline float part_scale(float a, float b, float *inverse) {
    float d = divided_by_127(sub_group_reduce_max(fmax(fmax(0.0f, fabs(a)), fabs(b))));
    bool usable = d >= 6.0e-8f && d <= 65504.0f;
    *inverse = usable ? exact_reciprocal(d) : 0.0f;
    return usable ? d : 0.0f;
}

#define STORE_PART(STRIP, LENGTH, SOURCE, ELEMENT)                                                             \
    for (int first = 0, chunks = CHUNKS(LENGTH); first < (LENGTH); first += BLOCK) {                           \
        int d = first + lane;                                                                                  \
        float a = SOURCE(d), b = SOURCE(d + LANES), inverse, scale = part_scale(a, b, &inverse);               \
        ((__global char *)STRIP)[ELEMENT(4, position, d)] = code(a, inverse);                                  \
        if (first / LANES + 1 < chunks) ((__global char *)STRIP)[ELEMENT(4, position, d + LANES)] = code(b, inverse); \
        if (lane == 0)                                                                                         \
            vstore_half_rte(                                                                                   \
                scale, first / BLOCK * LANES + position % LANES, (__global half *)(STRIP + chunks * tile_bytes(4))); \
    }

SUBGROUP __kernel void store_q8_0(STORE_ARGUMENTS) {
    STORE_BEGIN(4)
    STORE_PART(keys, key_length, KEY, key_element)
    STORE_PART(values, value_length, VALUE, value_element)
}

typedef float query_t;
typedef float weight_t;
#define WEIGHTS (ROWS * SPLIT)

#define ROWS 8
#define KV f32
#include "attend_plain.h"
#include "attend.h"
#undef KV
#define KV f16
#include "attend_plain.h"
#include "attend.h"
#undef KV
#undef ROWS
// More do not fit the registers of Xe-LP.
#define ROWS 4
#define KV q8_0
#include "attend_plain.h"
#include "attend.h"
#undef KV
#undef ROWS

// Joins the splits of a row and head in ascending order, 16 at a time: their tops are known at once, and so is how much of each
// stays. Where there are codes the output goes to them, prepared for a product. A sub-group has 32 dimensions of a head; x = neighbours
// of them, all that share a scale; y = row.
SUBGROUP __kernel void merge_splits(
    __global const float *states, int splits, int value_length, int window, int chunk, __global const int *positions,
    __global const float *sinks, __global float *output, int stride, __global char *codes, __global float *scales,
    __global float *sums, __global const int *count
) {
    __local float tops[SHARING_BLOCKS];
    int blocks = (value_length + BLOCK - 1) / BLOCK, block = get_group_id(0) * get_num_sub_groups() + get_sub_group_id();
    int heads = get_num_groups(0) * get_num_sub_groups() / blocks, head = block / blocks;
    int row = get_group_id(1), lane = get_sub_group_local_id();
    if (row >= *count) return;
    int position = positions[row];
    int d0 = block % blocks * BLOCK + lane, d1 = d0 + LANES, last = position / SPLIT;
    __global const float *state = states + ((long)row * heads + head) * splits * (2 + value_length);
    float top = -INFINITY, sum = 0, mix0 = 0, mix1 = 0;
    for (int first = first_visible(position, window, chunk) / SPLIT; first <= last; first += LANES) {
        int mine = first + lane, size = 2 + value_length;
        float next_top = mine <= last ? state[(long)mine * size] : -INFINITY;
        float next_sum = mine <= last ? state[(long)mine * size + 1] : 0.0f;
        float before = fmax(top, sub_group_scan_exclusive_max(next_top)), keep, take;
        float merged = merge_factors(before, next_top, &keep, &take);
        for (int j = 0; j <= min(last - first, LANES - 1); j++) {
            float k = sub_group_broadcast(keep, j), t = sub_group_broadcast(take, j);
            float next0 = d0 < value_length ? state[(long)(first + j) * size + 2 + d0] : 0.0f;
            float next1 = d1 < value_length ? state[(long)(first + j) * size + 2 + d1] : 0.0f;
            if (t > 0) {
                sum = fma(sub_group_broadcast(next_sum, j), t, sum * k);
                mix0 = fma(next0, t, mix0 * k);
                mix1 = fma(next1, t, mix1 * k);
            }
        }
        top = sub_group_reduce_max(merged);
    }
    float factor = finish_factor(sinks, head, top, &sum);
    float y0 = mix0 * factor / sum, y1 = mix1 * factor / sum;
    if (codes) {
        prepared to = {codes, scales, sums};
        prepare_block(to, (long)row * heads * blocks + block, y0, y1, tops);
        return;
    }
    __global float *to = output + (long)row * stride + head * value_length;
    if (d0 < value_length) to[d0] = y0;
    if (d1 < value_length) to[d1] = y1;
}

// The paged KV cache and attention over it.
//
// A cell holds one KV head in one block of 32 positions: keys [dimension][position], so that the lanes of a sub-group
// score 16 positions at once without exchanging sums, then values [position][dimension]. Q8_0 cells hold codes in the
// same order and, after the codes of the keys and of the values, their scales in half precision: [part of 32
// dimensions][position] and [position][part].
#include "base.h"

#define POSITIONS 32
#define PARTS(length) (((length) + BLOCK - 1) / BLOCK)
// Positions that are summed up before they are merged with what came before: a split. Who computes a split never
// changes its sums.
#define SPLIT 256

// The first position that a token sees, by a window that moves or chunks that do not; 0 for neither.
static inline int first_visible(int position, int window, int chunk) {
    return max(window > 0 ? max(0, position - window + 1) : 0, chunk > 0 ? position / chunk * chunk : 0);
}

typedef struct {
    int key_length, value_length;
    long cell_bytes, value_offset;
} shape;

static inline shape make_shape(int key_length, int value_length, int element_bytes, int has_scales) {
    long keys = (long)key_length * POSITIONS * element_bytes, values = (long)value_length * POSITIONS * element_bytes;
    if (has_scales) {
        keys += (key_length + BLOCK - 1) / BLOCK * POSITIONS * 2;
        values += (value_length + BLOCK - 1) / BLOCK * POSITIONS * 2;
    }
    shape s = {key_length, value_length, keys + values, keys};
    return s;
}

static inline __global uchar *find_cell(
    __global uchar *pool, shape s, __global const int *table, int position, int kv_heads, int head
) {
    return pool + ((long)table[position / POSITIONS] * kv_heads + head) * s.cell_bytes;
}

#define STORE_ARGUMENTS                                                                                            \
    __global uchar *pool, int key_length, int value_length, int kv_heads, __global const float *key, int key_stride, \
        __global const float *value, int value_stride, __global const int *positions,                              \
        __global const int *table_starts, __global const int *tables, __global const int *count

// x = sub-group per KV head, y = row.
#define STORE_BEGIN(ELEMENT_BYTES, HAS_SCALES)                                                                 \
    int head = get_group_id(0), row = get_group_id(1), lane = get_sub_group_local_id();                        \
    if (row >= *count) return;                                                                                 \
    shape s = make_shape(key_length, value_length, ELEMENT_BYTES, HAS_SCALES);                                 \
    int position = positions[row], slot = position % POSITIONS;                                                \
    __global uchar *cell = find_cell(pool, s, tables + table_starts[row], position, kv_heads, head);           \
    __global const float *k = key + (long)row * key_stride + head * key_length;                                \
    __global const float *v = value + (long)row * value_stride + head * value_length;

SUBGROUP __kernel void store_f32(STORE_ARGUMENTS) {
    STORE_BEGIN(4, 0)
    __global float *keys = (__global float *)cell, *values = (__global float *)(cell + s.value_offset);
    for (int d = lane; d < key_length; d += LANES) keys[d * POSITIONS + slot] = k[d];
    for (int d = lane; d < value_length; d += LANES) values[slot * value_length + d] = v[d];
}

SUBGROUP __kernel void store_f16(STORE_ARGUMENTS) {
    STORE_BEGIN(2, 0)
    __global half *keys = (__global half *)cell, *values = (__global half *)(cell + s.value_offset);
    for (int d = lane; d < key_length; d += LANES) vstore_half_rte(k[d], d * POSITIONS + slot, keys);
    for (int d = lane; d < value_length; d += LANES) vstore_half_rte(v[d], slot * value_length + d, values);
}

// Up to 32 values as codes `step` apart; the scale, 0 where half precision cannot hold it.
static inline float quantize_part(__global const float *x, int count, __global char *codes, int step) {
    float top = 0;
    for (int i = 0; i < count; i++) top = fabs(x[i]) > top ? fabs(x[i]) : top;
    float d = divided_by_127(top);
    bool usable = d >= 6.0e-8f && d <= 65504.0f;
    float inverse = usable ? exact_reciprocal(d) : 0.0f;
    for (int i = 0; i < count; i++) {
        float code = rint(x[i] * inverse);
        codes[i * step] = usable && code == code ? (char)code : (char)0;
    }
    return usable ? d : 0.0f;
}

SUBGROUP __kernel void store_q8_0(STORE_ARGUMENTS) {
    STORE_BEGIN(1, 1)
    __global char *keys = (__global char *)cell, *values = (__global char *)(cell + s.value_offset);
    __global half *key_scales = (__global half *)(cell + key_length * POSITIONS);
    __global half *value_scales = (__global half *)(cell + s.value_offset + value_length * POSITIONS);
    int value_parts = (value_length + BLOCK - 1) / BLOCK;
    for (int p = lane; p * BLOCK < key_length; p += LANES) {
        float d = quantize_part(
            k + p * BLOCK, min(BLOCK, key_length - p * BLOCK), keys + p * BLOCK * POSITIONS + slot, POSITIONS);
        vstore_half_rte(d, p * POSITIONS + slot, key_scales);
    }
    for (int p = lane; p < value_parts; p += LANES) {
        float d = quantize_part(
            v + p * BLOCK, min(BLOCK, value_length - p * BLOCK), values + slot * value_length + p * BLOCK, 1);
        vstore_half_rte(d, slot * value_parts + p, value_scales);
    }
}

// One value of each format, by index into keys or values; d and position find its scale.
#define LOAD_F32(base, index, d, position, length, stride_d, stride_p) ((__global const float *)(base))[index]
#define LOAD_F16(base, index, d, position, length, stride_d, stride_p) vload_half(index, (__global const half *)(base))
#define LOAD_Q8_0(base, index, d, position, length, stride_d, stride_p)          \
    ((float)((__global const char *)(base))[index] *                            \
     vload_half((d) / BLOCK * (stride_d) + (position) * (stride_p), (__global const half *)((base) + (length)*POSITIONS)))

// The state of an online softmax over some positions: top score, sum of exp(score - top), sum of values weighted so.
// Lane i holds dimensions i, i + 16, ...
#define MERGE(VALUES, top, sum, mix, next_top, next_sum, next_mix)                                             \
    {                                                                                                          \
        float merged = fmax(top, next_top);                                                                    \
        float keep = top == -INFINITY ? 0.0f : exp(top - merged);                                              \
        float take = next_top == -INFINITY ? 0.0f : exp(next_top - merged);                                    \
        sum = fma(next_sum, take, sum * keep);                                                                 \
        _Pragma("unroll") for (int i = 0; i < VALUES; i++) mix[i] = fma(next_mix[i], take, mix[i] * keep);     \
        top = merged;                                                                                          \
    }

// Weighted values over the sum; `sink` is a logit that takes part in the sum only.
#define FINISH(VALUES, top, sum, mix)                                                                          \
    {                                                                                                          \
        float scale_out = 1.0f;                                                                                \
        if (sinks) {                                                                                           \
            float merged = fmax(top, sinks[head]);                                                             \
            scale_out = exp(top - merged);                                                                     \
            sum = fma(sum, scale_out, exp(sinks[head] - merged));                                              \
        }                                                                                                      \
        __global float *to = output + (long)row * stride + head * value_length;                                \
        _Pragma("unroll") for (int i = 0; i < VALUES; i++)                                                     \
            if (i * LANES + lane < value_length) to[i * LANES + lane] = mix[i] * scale_out / sum;              \
    }

#define ATTEND_ARGUMENTS                                                                                           \
    __global uchar *pool, int key_length, int value_length, int kv_heads, __global const float *query,             \
        int query_stride, float factor, float cap, int window, int chunk, __global const int *positions,                     \
        __global const int *table_starts, __global const int *tables, __global const int *count

#define ATTEND_BEGIN(ELEMENT_BYTES, HAS_SCALES)                                                                 \
    int head = get_group_id(0), row = get_group_id(1), lane = get_sub_group_local_id();                         \
    if (row >= *count) return;                                                                                  \
    shape s = make_shape(key_length, value_length, ELEMENT_BYTES, HAS_SCALES);                                  \
    int heads = get_num_groups(0), position = positions[row];                                                   \
    int begin = first_visible(position, window, chunk);                                                         \
    __global const int *table = tables + table_starts[row];                                                     \
    __global const float *q = query + (long)row * query_stride + head * key_length;                             \
    int kv_head = head / (heads / kv_heads);

// The state of one split of the positions begin ... position. Sixteen positions at a time: lane i scores the i-th.
#define ATTEND_SPLIT(VALUES, LOAD, split, top, sum, mix)                                                        \
    {                                                                                                           \
        top = -INFINITY;                                                                                        \
        sum = 0;                                                                                                \
        _Pragma("unroll") for (int i = 0; i < VALUES; i++) mix[i] = 0;                                          \
        int from = max(begin, (split)*SPLIT), to = min(position + 1, ((split) + 1) * SPLIT);                    \
        for (int base = from / LANES * LANES; base < to; base += LANES) {                                       \
            __global uchar *cell = find_cell(pool, s, table, base, kv_heads, kv_head);                          \
            int at = base + lane, p = at % POSITIONS;                                                           \
            float dot = 0;                                                                                      \
            for (int d = 0; d < key_length; d++)                                                                \
                dot = fma(q[d], LOAD(cell, d * POSITIONS + p, d, p, key_length, POSITIONS, 1), dot);            \
            float score = dot * factor;                                                                         \
            if (cap > 0) score = cap * tanh(score / cap);                                                       \
            if (at < from || at >= to) score = -INFINITY;                                                       \
            float next = fmax(top, sub_group_reduce_max(score));                                                \
            float keep = top == -INFINITY ? 0.0f : exp(top - next);                                             \
            float weight = score == -INFINITY ? 0.0f : exp(score - next);                                       \
            sum = fma(sum, keep, sub_group_reduce_add(weight));                                                 \
            _Pragma("unroll") for (int i = 0; i < VALUES; i++) mix[i] *= keep;                                  \
            __global uchar *values = cell + s.value_offset;                                                     \
            for (int j = max(from - base, 0); j < min(to - base, LANES); j++) {                                 \
                float w = sub_group_broadcast(weight, j);                                                       \
                int vp = (base + j) % POSITIONS;                                                                \
                _Pragma("unroll") for (int i = 0; i < VALUES; i++) {                                            \
                    int d = i * LANES + lane;                                                                   \
                    if (d < value_length)                                                                       \
                        mix[i] = fma(                                                                           \
                            w, LOAD(values, vp * value_length + d, d, vp, value_length, 1, PARTS(value_length)), mix[i]); \
                }                                                                                               \
            }                                                                                                   \
            top = next;                                                                                         \
        }                                                                                                       \
    }

// attend: all positions of a row and head. x = sub-group per head, y = row.
// attend_split: one split (z), whose state goes to states[row][head][split][2 + value_length].
#define ATTEND(NAME, VALUES, LOAD, ELEMENT_BYTES, HAS_SCALES)                                                   \
    SUBGROUP __kernel void attend_##NAME(                                                                       \
        ATTEND_ARGUMENTS, __global const float *sinks, __global float *output, int stride) {                    \
        ATTEND_BEGIN(ELEMENT_BYTES, HAS_SCALES)                                                                 \
        float top, sum, mix[VALUES];                                                                            \
        ATTEND_SPLIT(VALUES, LOAD, begin / SPLIT, top, sum, mix)                                                \
        for (int split = begin / SPLIT + 1; split <= position / SPLIT; split++) {                               \
            float next_top, next_sum, next_mix[VALUES];                                                         \
            ATTEND_SPLIT(VALUES, LOAD, split, next_top, next_sum, next_mix)                                     \
            MERGE(VALUES, top, sum, mix, next_top, next_sum, next_mix)                                          \
        }                                                                                                       \
        FINISH(VALUES, top, sum, mix)                                                                           \
    }                                                                                                           \
    SUBGROUP __kernel void attend_split_##NAME(ATTEND_ARGUMENTS, __global float *states) {                      \
        ATTEND_BEGIN(ELEMENT_BYTES, HAS_SCALES)                                                                 \
        int split = get_group_id(2);                                                                            \
        if (split < begin / SPLIT || split > position / SPLIT) return;                                          \
        float top, sum, mix[VALUES];                                                                            \
        ATTEND_SPLIT(VALUES, LOAD, split, top, sum, mix)                                                        \
        __global float *state =                                                                                 \
            states + (((long)row * heads + head) * get_num_groups(2) + split) * (2 + value_length);             \
        state[0] = top;                                                                                         \
        state[1] = sum;                                                                                         \
        _Pragma("unroll") for (int i = 0; i < VALUES; i++)                                                      \
            if (i * LANES + lane < value_length) state[2 + i * LANES + lane] = mix[i];                          \
    }

// Joins the splits of a row and head in ascending order. x = sub-group per head, y = row.
#define MERGE_SPLITS(NAME, VALUES)                                                                              \
    SUBGROUP __kernel void NAME(                                                                                \
        __global const float *states, int splits, int value_length, int window, int chunk,                       \
        __global const int *positions,                                                                          \
        __global const float *sinks, __global float *output, int stride, __global const int *count) {           \
        int head = get_group_id(0), row = get_group_id(1), lane = get_sub_group_local_id();                     \
        if (row >= *count) return;                                                                              \
        int heads = get_num_groups(0), position = positions[row];                                               \
        int begin = first_visible(position, window, chunk);                                                     \
        float top = 0, sum = 0, mix[VALUES];                                                                    \
        for (int split = begin / SPLIT; split <= position / SPLIT; split++) {                                   \
            __global const float *state =                                                                       \
                states + (((long)row * heads + head) * splits + split) * (2 + value_length);                    \
            float next_mix[VALUES];                                                                             \
            _Pragma("unroll") for (int i = 0; i < VALUES; i++)                                                  \
                next_mix[i] = i * LANES + lane < value_length ? state[2 + i * LANES + lane] : 0.0f;             \
            if (split == begin / SPLIT) {                                                                       \
                top = state[0];                                                                                 \
                sum = state[1];                                                                                 \
                _Pragma("unroll") for (int i = 0; i < VALUES; i++) mix[i] = next_mix[i];                        \
            } else                                                                                              \
                MERGE(VALUES, top, sum, mix, state[0], state[1], next_mix)                                      \
        }                                                                                                       \
        FINISH(VALUES, top, sum, mix)                                                                           \
    }

// By the largest value length, in units of 16.
#define SIZES(VALUES)                                  \
    ATTEND(f32_##VALUES, VALUES, LOAD_F32, 4, 0)       \
    ATTEND(f16_##VALUES, VALUES, LOAD_F16, 2, 0)       \
    ATTEND(q8_0_##VALUES, VALUES, LOAD_Q8_0, 1, 1)     \
    MERGE_SPLITS(merge_splits_##VALUES, VALUES)
SIZES(4)
SIZES(8)
SIZES(16)

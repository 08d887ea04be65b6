// What the kernels of attention share: tiles of query rows, weights of a split, merging of splits.
#pragma once
#include "kv.h"
#include "rope.h"

#define PASTE3(a, b, c) a##b##_rows##c
#define PASTE(a, b, c) PASTE3(a, b, c)
#define NAME(prefix) PASTE(prefix, KV, ROWS)

// `tiles` are pairs: the first row, the number of rows. A head of a query is rotated as it is read.
#define ATTEND_ARGUMENTS                                                                                               \
    __global uchar *pool, int key_length, int value_length, int kv_heads, __global const float *query,                 \
        int query_stride, ROTATION_ARGUMENTS, int heads, int tile_heads, float factor, float cap, int window,          \
        int chunk, __global const int *positions, __global const int *table_starts, __global const int *tables,        \
        __global const int *tiles, __global const int *count, __local query_t *queries

typedef struct {
    cache cells;
    __global const int *positions;
    int kv_head;
    int row, head;   // the first of the tile
    int heads, used; // heads, query rows: row r is head r % heads of token r / heads
    int begin, end;  // positions that any of its rows sees
    int common_begin, common_end; // positions that all of them see
    int window, chunk;
    float factor, cap;
} query_tile;

#define ATTEND_MEMORY                                                                                                  \
    __local float scores[ROWS * SPLIT], tops[ROWS], sums[ROWS];                                                        \
    __local weight_t weights[WEIGHTS];                                                                                 \
    if ((int)get_group_id(1) >= *count) return;                                                                        \
    int lane = get_sub_group_local_id(), group = get_sub_group_id(), groups = get_num_sub_groups();                    \
    int chunks = CHUNKS(value_length), key_chunks = CHUNKS(key_length), sharing = heads / kv_heads;                    \
    int parts = (sharing + tile_heads - 1) / tile_heads, part = get_group_id(0) % parts;                               \
    query_tile t;                                                                                                      \
    t.kv_head = get_group_id(0) / parts;                                                                               \
    t.row = tiles[2 * get_group_id(1)];                                                                                \
    t.head = t.kv_head * sharing + part * tile_heads;                                                                  \
    t.heads = min(tile_heads, sharing - part * tile_heads);                                                            \
    t.used = t.heads * tiles[2 * get_group_id(1) + 1];                                                                 \
    t.positions = positions + t.row;                                                                                   \
    t.begin = first_visible(t.positions[0], window, chunk);                                                            \
    t.end = t.positions[tiles[2 * get_group_id(1) + 1] - 1] + 1;                                                       \
    t.common_begin = first_visible(t.end - 1, window, chunk);                                                          \
    t.common_end = t.positions[0] + 1;                                                                                 \
    t.window = window;                                                                                                 \
    t.chunk = chunk;                                                                                                   \
    t.factor = factor;                                                                                                 \
    t.cap = cap;                                                                                                       \
    t.cells = open_cache(TILE(KV), pool, tables + table_starts[t.row], kv_heads, key_length, value_length);            \
    rotation turn = ROTATION;                                                                                          \
    for (int i = get_local_id(0); i < ROWS * key_chunks * LANES; i += get_local_size(0)) {                             \
        int r = i / (key_chunks * LANES), d = i % (key_chunks * LANES);                                                \
        int row = t.row + r / t.heads, head = t.head + r % t.heads;                                                    \
        float x = 0;                                                                                                   \
        if (r < t.used && d < key_length)                                                                              \
            x = rotated(turn, row, query + (long)row * query_stride + head * key_length, d);                           \
        NAME(keep_query_)(queries, key_chunks, r, d, x);                                                               \
    }

// Positions from ... to that query row r sees.
static inline int2 seen_by(const query_tile *t, int r, int from, int to) {
    int position = t->positions[r / t->heads];
    return (int2)(max(from, first_visible(position, t->window, t->chunk)), min(to, position + 1));
}

// Whether some of the tile's rows do not see all of from ... to.
static inline bool differ(const query_tile *t, int from, int to) {
    return from < t->common_begin || to > t->common_end;
}

// The row and head of the next query row.
#define NEXT_HEAD                    \
    if (++head == t.head + t.heads) { \
        head = t.head;               \
        row++;                       \
    }

#define ATTEND_SCORES                                                                                                  \
    for (int base = (from / LANES + group) * LANES; base < to; base += groups * LANES)                                 \
        NAME(score_)(find_keys(t.cells, base, t.kv_head), key_chunks, queries, t.used, scores + base % SPLIT, lane);

// How much of a softmax's state and of the next one's goes into both merged; the merged top score. Nothing of an empty one.
static inline float merge_factors(float top, float next_top, float *keep, float *take) {
    float merged = fmax(top, next_top);
    *keep = top == -INFINITY ? 0.0f : exp(top - merged);
    *take = next_top == -INFINITY ? 0.0f : exp(next_top - merged);
    return merged;
}

// The factor on values weighted relative to `top`, whose sum becomes that with the head's sink: a logit that takes part in the
// sum only.
static inline float finish_factor(__global const float *sinks, int head, float top, float *sum) {
    if (!sinks) return 1.0f;
    float merged = fmax(top, sinks[head]), factor = exp(top - merged);
    *sum = fma(*sum, factor, exp(sinks[head] - merged));
    return factor;
}

// Over a sub-group, in the order of a tree.
static inline float sub_group_tree_sum(float x) {
    for (int distance = SUBGROUP_LANES / 2; distance > 0; distance /= 2) x += intel_sub_group_shuffle_xor(x, distance);
    return x;
}

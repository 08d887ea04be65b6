// The paged KV cache.
//
// A cell holds one KV head in one block of 32 positions: two strips of keys, then two strips of values, each of 16 positions.
// A strip is tiles of 16 x 16 (the dimensions padded with zeros) and, for Q8_0, scales after them. A word of a tile holds
// 1, 2 or 4 (F32, F16, Q8_0) neighbours along the side that is summed over, and words lie [depth][16], so that a lane streams
// its own column with block reads and a tile is, unchanged, the B operand of the matrix engine:
//     keys    depth = dimensions, column = position; scales: half [part of 32 dimensions][position]
//     values  depth = positions, column = dimension; scales: half [part of 32 dimensions][position]
#pragma once
#include "base.h"
#include "layout.h"
#include "words.h"
#pragma OPENCL EXTENSION cl_khr_fp16 : enable

#define POSITIONS 32
// Positions that are summed up before they are merged with what came before: a split. Who computes a split never changes its
// sums.
#define SPLIT 128

// Tiles that cover a head's dimensions.
#define CHUNKS(length) (((length) + LANES - 1) / LANES)

static inline int tile_bytes(int per_word) { return LANES * LANES * 4 / per_word; }

static inline int strip_bytes(int per_word, int length) {
    int chunks = CHUNKS(length);
    return chunks * tile_bytes(per_word) + (per_word == 4 ? (chunks + 1) / 2 * LANES * 2 : 0);
}

typedef struct {
    __global uchar *pool;
    __global const int *table;
    int kv_heads, key_bytes, value_bytes;
} cache;

static inline cache open_cache(
    int per_word, __global uchar *pool, __global const int *table, int kv_heads, int key_length, int value_length
) {
    cache c = {pool, table, kv_heads, strip_bytes(per_word, key_length), strip_bytes(per_word, value_length)};
    return c;
}

// The strips of keys and of values that hold a position.
static inline __global uchar *find_keys(cache c, int position, int head) {
    long cell = (long)c.table[position / POSITIONS] * c.kv_heads + head;
    return c.pool + cell * 2 * (c.key_bytes + c.value_bytes) + position % POSITIONS / LANES * c.key_bytes;
}
static inline __global uchar *find_values(cache c, int position, int head) {
    long cell = (long)c.table[position / POSITIONS] * c.kv_heads + head;
    return c.pool + cell * 2 * (c.key_bytes + c.value_bytes) + 2 * c.key_bytes +
           position % POSITIONS / LANES * c.value_bytes;
}

// Index of an element of a strip's tiles.
static inline int element(int per_word, int chunk, int depth, int column) {
    return (chunk * (LANES / per_word) + depth / per_word) * LANES * per_word + column * per_word + depth % per_word;
}
static inline int key_element(int per_word, int position, int d) {
    return element(per_word, d / LANES, d % LANES, position % LANES);
}
static inline int value_element(int per_word, int position, int d) {
    return element(per_word, d / LANES, position % LANES, d % LANES);
}

// The first position that a token sees, by a window that moves or chunks that do not; 0 for neither.
static inline int first_visible(int position, int window, int chunk) {
    return max(window > 0 ? max(0, position - window + 1) : 0, chunk > 0 ? position / chunk * chunk : 0);
}

// Some neighbours of a lane's column of a tile, the `part`-th of as many, without scales.
static inline void read_depths_f32(__global const uchar *tile, int part, int column, float *values) {
    float4 x = as_float4(read_words4(tile + part * WORDS(4), column));
    float all[4] = {x.s0, x.s1, x.s2, x.s3};
    _Pragma("unroll") for (int k = 0; k < 4; k++) values[k] = all[k];
}
static inline void read_depths_f16(__global const uchar *tile, int part, int column, float *values) {
    float8 x = convert_float8(as_half8(read_words4(tile + part * WORDS(4), column)));
    float all[8] = {x.s0, x.s1, x.s2, x.s3, x.s4, x.s5, x.s6, x.s7};
    _Pragma("unroll") for (int k = 0; k < 8; k++) values[k] = all[k];
}
static inline void read_depths_q8_0(__global const uchar *tile, int part, int column, float *values) {
    float8 x = convert_float8(as_char8(read_words2(tile + part * WORDS(2), column)));
    float all[8] = {x.s0, x.s1, x.s2, x.s3, x.s4, x.s5, x.s6, x.s7};
    _Pragma("unroll") for (int k = 0; k < 8; k++) values[k] = all[k];
}

// One value of a tile.
static inline float tile_value_f32(__global const uchar *tile, int depth, int column) {
    return ((__global const float *)tile)[element(1, 0, depth, column)];
}
static inline float tile_value_f16(__global const uchar *tile, int depth, int column) {
    return vload_half(element(2, 0, depth, column), (__global const half *)tile);
}
static inline float tile_value_q8_0(__global const uchar *tile, int depth, int column) {
    return ((__global const char *)tile)[element(4, 0, depth, column)];
}

// The scale of a lane's column in a row of them.
static inline float read_scale(__global const uchar *row, int column) {
#if SUBGROUP_LANES == LANES
    return convert_float(as_half(intel_sub_group_block_read_us((__global const ushort *)row)));
#else
    return vload_half(column, (__global const half *)row);
#endif
}

#define DEPTHS_f32 4
#define DEPTHS_f16 8
#define DEPTHS_q8_0 8
#define DEPTHS2(KV) DEPTHS_##KV
#define DEPTHS(KV) DEPTHS2(KV)
#define TILE_f32 1
#define TILE_f16 2
#define TILE_q8_0 4
#define TILE2(KV) TILE_##KV
#define TILE(KV) TILE2(KV)
#define TILE_VALUE2(KV) tile_value_##KV
#define TILE_VALUE(KV) TILE_VALUE2(KV)
#define READ_DEPTHS2(KV) read_depths_##KV
#define READ_DEPTHS(KV) READ_DEPTHS2(KV)

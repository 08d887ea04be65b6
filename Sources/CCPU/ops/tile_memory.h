// Scratch memory of attention on tiles.
#pragma once

#include "ccpu_ops.h"

enum {
    TILE_ROWS = 16,  // queries of a tile
    TILE_BYTES = 1024,
    PAIR_BYTES = 2 * TILE_BYTES,  // both parts of 32 columns of 16 keys, or 16 columns of 32 values
    QUERY_PARTS = 3,
    SPLIT_BLOCKS = CPU_ATTENTION_SPLIT / CPU_KV_BLOCK,
    // Floats from one query's scores to the next one's: rows begin in different cache sets, and there is room for a block
    // beyond the last.
    SCORE_ROW = CPU_ATTENTION_SPLIT + 48,
    MAX_TILES = CPU_ATTENTION_QUERIES_MAX / TILE_ROWS,
    KEY_BLOCKS = 2,    // cache blocks of a panel of keys
    VALUE_BLOCKS = 8,  // and of values, 32 columns wide
};

typedef struct {
    float *scores;     // [query][SCORE_ROW]; later weights, per block 32 first parts, then 32 second ones
    uint8_t *queries;  // [tile][32 columns][part][query]
    uint8_t *keys, *values;  // panels
    float *out;              // [query][out_row]
    int64_t out_row;
    uint8_t *end;
} tile_memory;

static inline tile_memory tile_memory_at(void *scratch, int64_t key_length, int64_t value_length) {
    const int64_t blocks = (key_length + 31) / 32;
    // As with scores, rows begin in different cache sets.
    tile_memory m = {.out_row = (value_length + 63) / 64 * 64 + 16};
    m.scores = (float *)scratch;
    m.queries = (uint8_t *)(m.scores + CPU_ATTENTION_QUERIES_MAX * SCORE_ROW);
    m.keys = m.queries + MAX_TILES * blocks * QUERY_PARTS * TILE_BYTES;
    m.values = m.keys + KEY_BLOCKS * blocks * 2 * PAIR_BYTES;
    m.out = (float *)(m.values + VALUE_BLOCKS * 2 * PAIR_BYTES);
    m.end = (uint8_t *)(m.out + CPU_ATTENTION_QUERIES_MAX * m.out_row);
    return m;
}

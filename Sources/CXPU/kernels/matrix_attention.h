// Attention on the matrix engine, for caches that half precision holds: of 8 query rows, and of 16 where sequences bring several
// tokens. Both give a row the same bits.
#pragma once
#include "matrix.h"
#include "tile.h"

typedef rows_t query_t;
typedef rows_t weight_t;
#define WEIGHTS (ROWS / 8 * (SPLIT / LANES) * SUBGROUP_LANES)

float8 __attribute__((overloadable)) intel_sub_group_f16_f16_matrix_mad_k16(rows_t a, int8 b, float8 acc);

// A lane's column of a tile as B operand: word d has depths 2 d and 2 d + 1.
static inline int8 matrix_tile_f16(__global const uchar *tile, int column) { return as_int8(read_words8(tile, column)); }
static inline int8 matrix_tile_q8_0(__global const uchar *tile, int column) {
    return as_int8(convert_half16(as_char16(read_words4(tile, column))));
}
#define MATRIX_TILE2(KV) matrix_tile_##KV
#define MATRIX_TILE(KV) MATRIX_TILE2(KV)

// Each depth times its scale, rounded to half precision.
static inline int8 scaled(int8 b, int8 scales) { return as_int8(as_half16(b) * as_half16(scales)); }

// The depths from ... to; what the tile does not see may be no number.
static inline int8 cut(int8 b, int from, int to) {
    int8 even = (int8)(0, 2, 4, 6, 8, 10, 12, 14), odd = even + 1;
    int8 low = select((int8)0, (int8)0xffff, even >= from && even < to);
    int8 high = select((int8)0, (int8)0xffff0000, odd >= from && odd < to);
    return b & (low | high);
}

// Whether a half is no finite number, in any lane.
static inline bool has_no_number(int8 b) {
    int8 bad = ((b & 0x7c00) == 0x7c00) | ((b & 0x7c000000) == 0x7c000000);
    return sub_group_any(any(bad));
}

#define KV f16
#define ROWS 8
#include "attend_matrix.h"
#include "attend.h"
#undef ROWS
#define ROWS 16
#include "attend_matrix.h"
#include "attend.h"
#undef ROWS
#undef KV
// More do not fit the registers of DG2.
#define KV q8_0
#define ROWS 8
#include "attend_matrix.h"
#include "attend.h"
#undef ROWS
#undef KV

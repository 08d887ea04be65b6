// Products of many rows of x on the matrix unit (AMX). Integer dot products come from tile registers, 16 x 16 at a time;
// what follows them is the arithmetic of integer.h and super.h on the same vectors. Not for groups of 16 columns with a
// scale of x per 32: the unit would multiply a quarter of what it could, and lose to vpdpbusd.
#include "internal.h"

#if defined(__x86_64__)
#define KERNEL_ISA ISA_AVX512_VNNI
#include <immintrin.h>
#pragma clang attribute push(                                                                                        \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c,prfchw,amx-tile,amx-int8"))), \
    apply_to = function)
#include "vector.h"

// Tile registers: four sums, two of x, two of weights. A sum takes some 50 cycles.
enum { X = 4, WEIGHTS = 6, TILE_REGISTERS = 8 };

static void begin(wide_kind kind) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    const bool small = wide_is_small(kind);
    for (int t = 0; t < TILE_REGISTERS; t++) {
        // A row of x in a block (in two); the weights of four columns of 16 outputs.
        config.row_bytes[t] = t >= X && t < WEIGHTS && small ? BLOCK : 64;
        config.rows[t] = t >= WEIGHTS && small ? BLOCK / 4 : WIDE_ROWS;
    }
    _tile_loadconfig(&config);
}

static void end(void) { _tile_release(); }

// A product of whatever the registers hold.
static void keep_awake(void) { _tile_dpbssd(0, 4, 6); }

// Sums or dot products that left a tile register: [row of x][16 outputs].
typedef int32_t dot_products[WIDE_ROWS][16];

// Where sums of 16 or 32 rows of one or two row groups lie: floats from a sum to the one four rows, a tile, a row, a row
// group farther.
typedef struct {
    float *at;
    int64_t four, tile, row, group;
} sums_place;

// What is multiplied: 256 columns, or what is left of them, of some row groups and tiles of x or pairs of tiles.
typedef struct {
    wide_panel panel;
    wide_x x;
    places to;
    fetch ahead;
    int64_t end;                   // of tiles or pairs
    int64_t lines;                 // of the next panel that are fetched with each of them
    int64_t home_begin, home_end;  // rows of each of them whose results' lines are fetched for writing
    int groups_begin, groups_end;
} products;

// Both are fetched evenly: asking for more at once than memory gives stalls.
INLINE void fetch_beside(const products *q, int64_t number, int group, int64_t first_row) {
    const int64_t first = number * q->lines;
    for (int64_t line = first; line < first + q->lines && line < q->ahead.lines; line++)
        __builtin_prefetch(q->ahead.base + (size_t)group * q->ahead.stride + 64 * line, 0, 2);
    const float *home = q->to.home + (first_row + q->home_begin) * q->to.stride + group * CPU_GROUP_ROWS;
    for (int64_t m = q->home_begin; m < q->home_end; m++, home += q->to.stride) __builtin_prefetch(home, 1, 3);
}

#include "amx_arrange.h"
#include "amx_small.h"
#include "amx_super.h"

// Where the sums of a row and a row group lie between calls.
INLINE float *aside_of(wide_kind kind, float *aside, int64_t m, int group) {
    if (wide_is_small(kind)) return small_aside(aside, m / 16, group) + m % 16 * ASIDE_ROW;
    const sums_place at = sums_aside(aside, m / 32, group);
    return at.at + m % 32 / 16 * at.tile + m % 16 / 4 * at.four + m % 4 * at.row;
}

// Moves sums of rows `begin ..< end` between there and rows `stride` apart.
#define MOVE(name, TO, FROM)                                                                                    \
    static void name(                                                                                           \
        wide_kind kind, float *aside, float *home, int64_t stride, int64_t begin, int64_t end, int64_t columns  \
    ) {                                                                                                         \
        for (int64_t m = begin; m < end; m++)                                                                   \
            for (int64_t n = 0; n < columns; n += CPU_GROUP_ROWS) {                                             \
                float *const a = aside_of(kind, aside, m, (int)(n / CPU_GROUP_ROWS));                           \
                float *const h = home + m * stride + n;                                                         \
                if (columns - n >= CPU_GROUP_ROWS) store_f32(TO, load_f32(FROM));                               \
                else __builtin_memcpy(TO, FROM, (size_t)(columns - n) * sizeof(float));                         \
            }                                                                                                   \
    }
MOVE(take_sums, a, h)
MOVE(bring_sums, h, a)

const wide_kernels wide_kernels_amx = {
    .begin = begin,
    .end = end,
    .keep_awake = keep_awake,
    .arrange = arrange,
    .multiply = {
        [WIDE_SMALL] = multiply_small,
        [WIDE_SMALL_MIN] = multiply_small_min,
        [SUPER_SPLIT] = multiply_halves,
        [SUPER_SPLIT_MIN] = multiply_halves_min,
        [SUPER_PRODUCTS] = multiply_products,
        [SUPER_PRODUCTS_MIN] = multiply_products_min,
        [SUPER_SHIFTED] = multiply_shifted,
    },
    .take_sums = take_sums,
    .bring_sums = bring_sums,
};
#pragma clang attribute pop
#endif

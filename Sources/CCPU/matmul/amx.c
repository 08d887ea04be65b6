// Products of 16 rows of x at once on the matrix unit (AMX). Integer dot products come from tile registers, 16 x 16 at a
// time; what follows them is the arithmetic of integer.h on the same vectors. Only for groups of 32 columns: in those of
// 16 the unit would multiply a quarter of what it could, and lose to vpdpbusd.
#include "internal.h"

#if defined(__x86_64__)
#define KERNEL_ISA ISA_AVX512_VNNI
#include <immintrin.h>
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c,prfchw,amx-tile,amx-int8"))), \
    apply_to = function)
#include "vector.h"

// Tile registers. A result takes some 50 cycles, so four are under way; each holds 16 rows of x times 16 outputs.
enum { DOTS_COUNT = 4, X = 4, WEIGHTS = 6, TILE_REGISTERS = 8 };

static void begin(bool super) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    for (int t = 0; t < TILE_REGISTERS; t++) {
        // A row of x in a block (in two); the weights of four columns of 16 outputs.
        config.row_bytes[t] = t >= X && t < WEIGHTS && !super ? BLOCK : 64;
        config.rows[t] = t >= WEIGHTS && !super ? BLOCK / 4 : WIDE_ROWS;
    }
    _tile_loadconfig(&config);
}

static void end(void) { _tile_release(); }

// Rows `row` and following of a record from a block of a tile.
INLINE void arrange_tile(const uint8_t *tile, const int width, int row, uint8_t *record) {
    uint8_t *codes = record + WIDE_CODES + BLOCK * row;
    if (width == 4) {
        const u32x16 first = (u32x16)load_u8(tile), second = (u32x16)load_u8(tile + 64);
        const u32x16 rows01 =
            __builtin_shufflevector(first, second, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
        const u32x16 rows23 =
            __builtin_shufflevector(first, second, 2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
        __builtin_memcpy(codes, &rows01, sizeof rows01);
        __builtin_memcpy(codes + 64, &rows23, sizeof rows23);
    } else {
        for (int c = 0; c < width; c++)
            for (int v = 0; v < 8; v++) __builtin_memcpy(codes + BLOCK * c + 4 * v, tile + 4 * (v * width + c), 4);
    }
    __builtin_memcpy(record + WIDE_SCALE + 4 * row, tile + TILE_SCALE * width, 4 * (size_t)width);
    __builtin_memcpy(record + WIDE_SUM + 4 * row, tile + TILE_SUM * width, 4 * (size_t)width);
}

static void arrange(const uint8_t *const *tiles, const int *widths, int64_t blocks, uint8_t *wide) {
    for (int64_t b = 0; b < blocks; b++, wide += WIDE_BYTES)
        UNROLL for (int t = 0; t < WIDE_ROWS / CPU_TILE_ROWS; t++) {
            const int row = t * CPU_TILE_ROWS;
            const uint8_t *tile = tiles[t] + b * TILE_BYTES * widths[t];
            if (widths[t] == 4) arrange_tile(tile, 4, row, wide);
            else if (widths[t] > 0) arrange_tile(tile, widths[t], row, wide);
        }
}

// Dot products of one block: [row of x][16 outputs].
typedef int32_t dot_products[WIDE_ROWS][16];

// Instructions name registers by literals.
#define MULTIPLY(INTO, X, WEIGHTS)           \
    do {                                     \
        _tile_zero(INTO);                    \
        _tile_loadd(X, rows, BLOCK);         \
        _tile_loadd(WEIGHTS, weights, 64);   \
        _tile_dpbssd(INTO, X, WEIGHTS);      \
    } while (0)

INLINE void multiply(int64_t block, const uint8_t *weights, const uint8_t *rows) {
    switch (block % DOTS_COUNT) {
        case 0: MULTIPLY(0, 4, 6); break;
        case 1: MULTIPLY(1, 5, 7); break;
        case 2: MULTIPLY(2, 4, 6); break;
        default: MULTIPLY(3, 5, 7);
    }
}

INLINE void store(int64_t block, dot_products *dots) {
    switch (block % DOTS_COUNT) {
        case 0: _tile_stored(0, dots, 64); break;
        case 1: _tile_stored(1, dots, 64); break;
        case 2: _tile_stored(2, dots, 64); break;
        default: _tile_stored(3, dots, 64);
    }
}

INLINE void add(bool has_min, const uint8_t *panel, const uint8_t *rows, const dot_products *dots, f32x16 *acc) {
    const f32x16 scale = load_f32(panel + 512);
    const float *const x_scales = (const float *)(rows + WIDE_SCALE);
    UNROLL for (int m = 0; m < WIDE_ROWS; m++) {
        const f32x16 dot = __builtin_convertvector(*(const i32x16 *)(*dots)[m], f32x16);
        acc[m] = fma16(dot, scale * (f32x16)x_scales[m], acc[m]);
    }
    if (!has_min) return;
    const f32x16 min = -load_f32(panel + 576);
    const float *const x_sums = (const float *)(rows + WIDE_SUM);
    UNROLL for (int m = 0; m < WIDE_ROWS; m++) acc[m] = fma16(min, (f32x16)x_sums[m], acc[m]);
}

// How many blocks later dot products are stored, and added.
enum { STORE_AFTER = 2, ADD_AFTER = 3 };

INLINE void multiply_group(
    bool has_min, const uint8_t *panel, int64_t blocks, const uint8_t *rows, float *out, int64_t stride, bool start,
    const uint8_t *ahead, int lines
) {
    const size_t bytes = panel_bytes(BLOCK, has_min);
    _Alignas(64) dot_products dots[DOTS_COUNT];
    f32x16 acc[WIDE_ROWS];
    UNROLL for (int m = 0; m < WIDE_ROWS; m++) acc[m] = start ? (f32x16)0 : load_f32(out + m * stride);
    for (int64_t b = 0; b < blocks + ADD_AFTER; b++) {
        if (b < blocks) multiply(b, panel + (size_t)b * bytes, rows + b * WIDE_BYTES + WIDE_CODES);
        const int64_t stored = b - STORE_AFTER, added = b - ADD_AFTER;
        if (stored >= 0 && stored < blocks) store(stored, &dots[stored % DOTS_COUNT]);
        if (added < 0) continue;
        for (int line = 0; line < lines; line++) __builtin_prefetch(ahead + 64 * (added * lines + line), 0, 2);
        add(has_min, panel + (size_t)added * bytes, rows + added * WIDE_BYTES, &dots[added % DOTS_COUNT], acc);
    }
    UNROLL for (int m = 0; m < WIDE_ROWS; m++) store_f32(out + m * stride, acc[m]);
}

#define WIDE_KERNEL(name, has_min)                                                                               \
    static void name(                                                                                            \
        const uint8_t *panel, size_t panel_stride, int groups, int64_t blocks, const uint8_t *rows, float *out,  \
        int64_t stride, bool start, fetch ahead                                                                  \
    ) {                                                                                                          \
        for (int r = 0; r < groups; r++)                                                                         \
            multiply_group(                                                                                      \
                has_min, panel + (size_t)r * panel_stride, blocks, rows, out + r * CPU_GROUP_ROWS, stride, start, \
                ahead.base + (size_t)r * ahead.stride, ahead.lines);                                             \
    }
WIDE_KERNEL(multiply_32, false)
WIDE_KERNEL(multiply_32_min, true)

#include "amx_super.h"

const wide_kernels wide_kernels_amx = {
    .begin = begin,
    .end = end,
    .arrange = arrange,
    .multiply = {multiply_32, multiply_32_min},
    .arrange_super = arrange_super,
    .take_sums = take_sums,
    .bring_sums = bring_sums,
    .multiply_super = {
        [SUPER_SPLIT] = multiply_halves,
        [SUPER_SPLIT_MIN] = multiply_halves_min,
        [SUPER_PRODUCTS] = multiply_products,
        [SUPER_PRODUCTS_MIN] = multiply_products_min,
        [SUPER_SHIFTED] = multiply_shifted,
    },
};
#pragma clang attribute pop
#endif

// Part of amx.c: formats with blocks of 256 columns. Tile registers add up products of scale and code over all 256, so
// that an instruction takes 64 columns and numbers become floats once per block. Where such products do not fit in a
// byte there are two sums, of p >> 7 and of p & 127.
#pragma once

static void arrange_super(const uint8_t *const *tiles, const int *widths, int group, int64_t blocks, uint8_t *wide) {
    for (int64_t first = 0; first < blocks; first += SUPER_BLOCKS, wide += WIDE_SUPER_BYTES) {
        for (int t = 0; t < WIDE_ROWS / CPU_TILE_ROWS; t++) {
            const int row = t * CPU_TILE_ROWS, width = widths[t];
            const uint8_t *tile = tiles[t] + first * TILE_BYTES * width;
            for (int b = 0; b < SUPER_BLOCKS && width > 0; b++, tile += TILE_BYTES * width) {
                uint8_t *codes = wide + WIDE_SUPER_CODES + (b / 2) * 1024 + row * 64 + (b % 2) * BLOCK;
                if (width == 4) {
                    const u32x16 one = (u32x16)load_u8(tile), two = (u32x16)load_u8(tile + 64);
                    const u32x16 rows01 =
                        __builtin_shufflevector(one, two, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
                    const u32x16 rows23 =
                        __builtin_shufflevector(one, two, 2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
                    __builtin_memcpy(codes, &rows01, 32);
                    __builtin_memcpy(codes + 64, (const uint8_t *)&rows01 + 32, 32);
                    __builtin_memcpy(codes + 128, &rows23, 32);
                    __builtin_memcpy(codes + 192, (const uint8_t *)&rows23 + 32, 32);
                } else {
                    for (int c = 0; c < width; c++)
                        for (int v = 0; v < 8; v++)
                            __builtin_memcpy(codes + 64 * c + 4 * v, tile + 4 * (v * width + c), 4);
                }
                uint8_t *pairs = wide + WIDE_SUPER_PAIRS + 4 * (group == 16 ? 8 * row + b : 4 * row + b / 2);
                const int field = group == 16 ? TILE_PAIR_16 : TILE_PAIR_32, step = group == 16 ? 32 : 16;
                for (int c = 0; c < width; c++) __builtin_memcpy(pairs + step * c, tile + field * width + 4 * c, 4);
                if (b == 0)
                    __builtin_memcpy(wide + WIDE_SUPER_SCALE + 4 * row, tile + TILE_SCALE * width, 4 * (size_t)width);
            }
        }
    }
}

// Sums of one block that left the tile registers, and what makes floats of them: `panels` sums of each of two tiles of
// 16 rows of x.
typedef struct {
    const dot_products *dots;  // [tile][panel]
    const uint8_t *tail;       // of the first panel, the other one's `panel_stride` farther
    size_t panel_stride;
    const uint8_t *rows;  // of the first tile
    size_t rows_stride;
    float *out;
    int64_t stride;
    bool start;
} finished;

// Adds rows `row ..< row + 4` of each tile to the results. Pairs: of groups with mins, or 0.
INLINE void add_rows(const int tiles, const int panels, const bool split, const int pairs, finished f, int row) {
    UNROLL for (int p = 0; p < (split ? 1 : panels); p++) {
        const uint8_t *const tail = f.tail + (size_t)p * f.panel_stride;
        const f32x16 d = load_f32(tail), dmin = pairs ? load_f32(tail + 64) : (f32x16)0;
        i16x32 mins[8];
        UNROLL for (int j = 0; j < pairs; j++) mins[j] = (i16x32)load_u8(tail + 64 * (2 + j));
        UNROLL for (int t = 0; t < tiles; t++) UNROLL for (int i = 0; i < 4; i++) {
            const int m = row + i;
            const uint8_t *const x = f.rows + (size_t)t * f.rows_stride;
            i32x16 sum = *(const i32x16 *)f.dots[2 * t + p][m];
            if (split) sum = (sum << 7) + *(const i32x16 *)f.dots[2 * t + 1][m];
            const f32x16 scale = (f32x16)((const float *)(x + WIDE_SUPER_SCALE))[m];
            float *const out = f.out + (t * WIDE_ROWS + m) * f.stride + p * CPU_GROUP_ROWS;
            f32x16 acc = f.start ? (f32x16)0 : load_f32(out);
            acc = fma16(__builtin_convertvector(sum, f32x16), d * scale, acc);
            if (pairs) {
                i32x16 of_mins = 0;
                UNROLL for (int j = 0; j < pairs; j++) of_mins = add_pairs(
                    of_mins, mins[j], (i16x32)(i32x16)load_i32(x + WIDE_SUPER_PAIRS + 4 * (pairs * m + j)));
                acc = fma16(-__builtin_convertvector(of_mins, f32x16), dmin * scale, acc);
            }
            store_f32(out, acc);
        }
    }
}

// Products of 64 columns. Instructions name registers by literals: sums are 0 to 3, tiles of x 4 and 5, weights 6 and 7.
#define MULTIPLY_64(tiles, panels, k)                                    \
    do {                                                                 \
        _tile_loadd(6, first + 1024 * (k), 64);                          \
        _tile_loadd(4, x + 1024 * (k), 64);                              \
        _tile_dpbssd(0, 4, 6);                                           \
        if ((panels) > 1) {                                              \
            _tile_loadd(7, second + 1024 * (k), 64);                     \
            _tile_dpbssd(1, 4, 7);                                       \
        }                                                                \
        if ((tiles) > 1) {                                               \
            _tile_loadd(5, x + rows_stride + 1024 * (k), 64);            \
            _tile_dpbssd(2, 5, 6);                                       \
            if ((panels) > 1) _tile_dpbssd(3, 5, 7);                     \
        }                                                                \
    } while (0)

// Sums of a block are added while those of the next one are computed: `count` times `tiles` tiles of 16 rows.
INLINE void multiply_super(
    const int tiles, const int panels, const bool split, const int pairs, const uint8_t *panel, size_t panel_stride,
    int64_t blocks, const uint8_t *rows, size_t rows_stride, int64_t count, float *out, int64_t stride, bool start,
    const uint8_t *ahead, size_t ahead_stride, int lines
) {
    const size_t tail = wide_super_tail(!split);
    const size_t bytes = tail + (pairs ? (size_t)64 * (size_t)(2 + pairs) : 64);
    _Alignas(64) dot_products dots[2][4];
    finished f = {.panel_stride = panel_stride, .rows_stride = rows_stride, .stride = stride};
    int turn = 0;
    for (int64_t t = 0; t < count; t++) {
        for (int64_t b = 0; b < blocks / SUPER_BLOCKS; b++, turn ^= 1) {
            const uint8_t *const first = panel + (size_t)b * bytes;
            const uint8_t *const second = first + (split ? 64 * 64 : panel_stride);
            const uint8_t *const x = rows + (size_t)(t * tiles) * rows_stride + (size_t)b * WIDE_SUPER_BYTES;
            for (int line = 0; line < lines * SUPER_BLOCKS; line++)
                for (int p = 0; p < (split ? 1 : panels); p++)
                    __builtin_prefetch(ahead + (size_t)p * ahead_stride + 64 * line, 0, 2);
            ahead += 64 * lines * SUPER_BLOCKS;
            const bool some = t + b > 0;
            _tile_zero(0);
            if (panels > 1) _tile_zero(1);
            if (tiles > 1) _tile_zero(2);
            if (panels > 1 && tiles > 1) _tile_zero(3);
            for (int k = 0; k < 4; k++) {
                MULTIPLY_64(tiles, panels, k);
                if (some) add_rows(tiles, panels, split, pairs, f, 4 * k);
            }
            _tile_stored(0, dots[turn][0], 64);
            if (panels > 1) _tile_stored(1, dots[turn][1], 64);
            if (tiles > 1) _tile_stored(2, dots[turn][2], 64);
            if (panels > 1 && tiles > 1) _tile_stored(3, dots[turn][3], 64);
            f.dots = dots[turn];
            f.tail = first + tail;
            f.rows = x;
            f.out = out + t * tiles * WIDE_ROWS * stride;
            f.start = start && b == 0;
        }
    }
    for (int k = 0; k < 4; k++) add_rows(tiles, panels, split, pairs, f, 4 * k);
}

#define SUPER_TILES(tiles, panels, at, count)                                                                      \
    multiply_super(                                                                                                \
        tiles, panels, split, pairs, panel + (size_t)r * panel_stride, panel_stride, blocks,                       \
        rows + (size_t)(at) * rows_stride, rows_stride, count, out + (at) * WIDE_ROWS * stride + r * CPU_GROUP_ROWS, \
        stride, start, ahead.base + (size_t)r * ahead.stride, ahead.stride, (at) ? 0 : ahead.lines)

INLINE void super_groups(
    const bool split, const int pairs, const uint8_t *panel, size_t panel_stride, int groups, int64_t blocks,
    const uint8_t *rows, size_t rows_stride, int64_t tiles, float *out, int64_t stride, bool start, fetch ahead
) {
    const int64_t even = tiles & ~(int64_t)1;
    int r = 0;
    for (; r < groups; r += split ? 1 : 2) {
        if (split || r + 1 < groups) {
            if (even) SUPER_TILES(2, 2, 0, even / 2);
            if (even < tiles) SUPER_TILES(1, 2, even, 1);
        } else {
            if (even) SUPER_TILES(2, 1, 0, even / 2);
            if (even < tiles) SUPER_TILES(1, 1, even, 1);
        }
    }
}

#define SUPER_KERNEL(name, split, pairs)                                                                              \
    static void name(                                                                                                 \
        const uint8_t *panel, size_t panel_stride, int groups, int64_t blocks, const uint8_t *rows,                   \
        size_t rows_stride, int64_t tiles, float *out, int64_t stride, bool start, fetch ahead                        \
    ) {                                                                                                               \
        super_groups(                                                                                                 \
            split, pairs, panel, panel_stride, groups, blocks, rows, rows_stride, tiles, out, stride, start, ahead);  \
    }
SUPER_KERNEL(multiply_split, true, 0)
SUPER_KERNEL(multiply_split_min, true, 4)
SUPER_KERNEL(multiply_products, false, 0)
SUPER_KERNEL(multiply_products_min, false, 8)

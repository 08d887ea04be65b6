// Part of amx.c: formats with blocks of 256 columns. Tile registers add up products of scale and code over all 256, so
// that an instruction takes 64 columns and numbers become floats once per block. Where such products do not fit in a
// byte there are two sums, of p >> 7 and of p & 127.
#pragma once

// Rows `row` and following of 32 columns of a record from a block of a tile.
INLINE void arrange_half(const uint8_t *tile, const int width, uint8_t *codes) {
    if (width < 4) {
        for (int c = 0; c < width; c++)
            for (int v = 0; v < 8; v++) __builtin_memcpy(codes + 64 * c + 4 * v, tile + 4 * (v * width + c), 4);
        return;
    }
    const u32x16 one = (u32x16)load_u8(tile), two = (u32x16)load_u8(tile + 64);
    const u32x16 rows01 = __builtin_shufflevector(one, two, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
    const u32x16 rows23 = __builtin_shufflevector(one, two, 2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
    __builtin_memcpy(codes, &rows01, 32);
    __builtin_memcpy(codes + 64, (const uint8_t *)&rows01 + 32, 32);
    __builtin_memcpy(codes + 128, &rows23, 32);
    __builtin_memcpy(codes + 192, (const uint8_t *)&rows23 + 32, 32);
}

// Sums of codes of a row as bytes l and h, where l + 8 h is the sum of `per_sum` times four columns; h that does not fit
// in a byte leaves a rest g.
INLINE void digits_of_sums(const uint8_t *codes, const int per_sum, int8_t *l, int8_t *h, int8_t *g) {
    int32_t fours[64];
    UNROLL for (int k = 0; k < 4; k++) {
        const i32x16 sums = dot_u7((i32x16)0, (u8x64)1, (i32x16)load_u8(codes + 1024 * k));
        __builtin_memcpy(fours + 16 * k, &sums, sizeof sums);
    }
    for (int i = 0; i < 64 / per_sum; i++) {
        int32_t sum = 0;
        UNROLL for (int j = 0; j < per_sum; j++) sum += fours[per_sum * i + j];
        const int32_t high = (sum + 4) >> 3;
        const int32_t first = high > 127 ? 127 : high < -127 ? -127 : high;
        l[i] = (int8_t)(sum - 8 * high);
        h[i] = (int8_t)first;
        if (g) g[i] = (int8_t)(high - first);
    }
}

static void arrange_super(
    const uint8_t *const *tiles, const int *widths, super_kind kind, int64_t blocks, uint8_t *wide
) {
    for (int64_t first = 0; first < blocks; first += SUPER_BLOCKS, wide += wide_super_record_bytes(kind)) {
        for (int t = 0; t < WIDE_ROWS / CPU_TILE_ROWS; t++) {
            const int row = t * CPU_TILE_ROWS, width = widths[t];
            if (width == 0) continue;
            const uint8_t *const tile = tiles[t] + first * TILE_BYTES * width;
            for (int b = 0; b < SUPER_BLOCKS; b++) {
                uint8_t *const codes = wide + WIDE_SUPER_CODES + (b / 2) * 1024 + row * 64 + (b % 2) * BLOCK;
                if (width == 4) arrange_half(tile + b * TILE_BYTES * 4, 4, codes);
                else arrange_half(tile + b * TILE_BYTES * width, width, codes);
            }
            __builtin_memcpy(wide + WIDE_SUPER_SCALE + 4 * row, tile + TILE_SCALE * width, 4 * (size_t)width);
            for (int c = 0; c < width; c++) {
                uint8_t *const sums = wide + WIDE_SUPER_SUMS;
                const uint8_t *const codes = wide + WIDE_SUPER_CODES + 64 * (row + c);
                int8_t *const digits = (int8_t *)sums + 64 * (row + c);
                for (int j = 0; j < 4 && kind == SUPER_SPLIT_MIN; j++)
                    __builtin_memcpy(
                        sums + 16 * (row + c) + 4 * j, tile + (2 * j * TILE_BYTES + TILE_PAIR_32) * width + 4 * c, 4);
                if (kind == SUPER_SHIFTED) digits_of_sums(codes, 2, digits, digits + 32, NULL);
                if (kind != SUPER_PRODUCTS_MIN) continue;
                digits_of_sums(codes, 4, digits, digits + 16, digits + 32);
                __builtin_memset(digits + 48, 0, 16);
            }
        }
    }
}

// Sums of one block that left the tile registers, and what makes floats of them: `panels` sums of each of two tiles of
// 16 rows of x.
typedef struct {
    const dot_products *dots;  // [tile][panel]
    const dot_products *mins;
    const uint8_t *tail;  // of the first panel, the other one's `panel_stride` farther
    size_t panel_stride;
    const uint8_t *rows;  // of the first tile
    size_t rows_stride;
    float *out;
    int64_t stride;
    bool start;
} finished;

// Adds rows `row ..< row + 4` of each tile to the results.
INLINE void add_rows(const super_kind kind, const int tiles, const int panels, finished f, int row) {
    const bool has_min = kind == SUPER_SPLIT_MIN || kind == SUPER_PRODUCTS_MIN;
    UNROLL for (int p = 0; p < (super_is_split(kind) ? 1 : panels); p++) {
        const uint8_t *const tail = f.tail + (size_t)p * f.panel_stride;
        const f32x16 d = load_f32(tail), dmin = has_min ? load_f32(tail + 64) : (f32x16)0;
        i16x32 mins[4];
        UNROLL for (int j = 0; j < 4 && kind == SUPER_SPLIT_MIN; j++) mins[j] = (i16x32)load_u8(tail + 64 * (2 + j));
        UNROLL for (int t = 0; t < tiles; t++) UNROLL for (int i = 0; i < 4; i++) {
            const int m = row + i;
            const uint8_t *const x = f.rows + (size_t)t * f.rows_stride;
            i32x16 sum = *(const i32x16 *)f.dots[2 * t + p][m];
            if (super_is_split(kind)) sum = (sum << 7) + *(const i32x16 *)f.dots[2 * t + 1][m];
            const f32x16 scale = (f32x16)((const float *)(x + WIDE_SUPER_SCALE))[m];
            float *const out = f.out + (t * WIDE_ROWS + m) * f.stride + p * CPU_GROUP_ROWS;
            f32x16 acc = f.start ? (f32x16)0 : load_f32(out);
            acc = fma16(__builtin_convertvector(sum, f32x16), d * scale, acc);
            if (has_min) {
                i32x16 of_mins = 0;
                if (kind == SUPER_PRODUCTS_MIN) of_mins = *(const i32x16 *)f.mins[2 * t + p][m];
                else UNROLL for (int j = 0; j < 4; j++) of_mins = add_pairs(
                    of_mins, mins[j], (i16x32)(i32x16)load_i32(x + WIDE_SUPER_SUMS + 16 * m + 4 * j));
                acc = fma16(-__builtin_convertvector(of_mins, f32x16), dmin * scale, acc);
            }
            store_f32(out, acc);
        }
    }
}

// Products of 64 columns of x from `at` on with as many weights, of one panel or two. Instructions name registers by
// literals: sums are 0 to 3, tiles of x 4 and 5, weights 6 and 7.
#define MULTIPLY_64(at, one, two)                                        \
    do {                                                                 \
        _tile_loadd(6, one, 64);                                         \
        _tile_loadd(4, at, 64);                                          \
        _tile_dpbssd(0, 4, 6);                                           \
        if (panels > 1) {                                                \
            _tile_loadd(7, two, 64);                                     \
            _tile_dpbssd(1, 4, 7);                                       \
        }                                                                \
        if (tiles > 1) {                                                 \
            _tile_loadd(5, (at) + rows_stride, 64);                      \
            _tile_dpbssd(2, 5, 6);                                       \
            if (panels > 1) _tile_dpbssd(3, 5, 7);                       \
        }                                                                \
    } while (0)

#define ZERO_SUMS()                                  \
    do {                                             \
        _tile_zero(0);                               \
        if (panels > 1) _tile_zero(1);               \
        if (tiles > 1) _tile_zero(2);                \
        if (panels > 1 && tiles > 1) _tile_zero(3);  \
    } while (0)

#define STORE_SUMS(into)                                              \
    do {                                                              \
        _tile_stored(0, (into)[0], 64);                               \
        if (panels > 1) _tile_stored(1, (into)[1], 64);               \
        if (tiles > 1) _tile_stored(2, (into)[2], 64);                \
        if (panels > 1 && tiles > 1) _tile_stored(3, (into)[3], 64);  \
    } while (0)

// Sums of a block are added while those of the next one are computed: `count` times `tiles` tiles of 16 rows.
INLINE void multiply_super(
    const super_kind kind, const int tiles, const int panels, const uint8_t *panel, size_t panel_stride,
    int64_t blocks, const uint8_t *rows, size_t rows_stride, int64_t count, float *out, int64_t stride, bool start,
    fetch ahead, home to
) {
    const bool split = super_is_split(kind);
    _Alignas(64) dot_products dots[2][4], mins[2][4];
    finished f = {.panel_stride = panel_stride, .rows_stride = rows_stride, .stride = stride};
    const int64_t steps = count * (blocks / SUPER_BLOCKS), lines = (ahead.lines + steps - 1) / steps;
    int64_t fetched = 0;
    int turn = 0;
    for (int64_t t = 0; t < count; t++) {
        for (int64_t b = 0; b < blocks / SUPER_BLOCKS; b++, turn ^= 1) {
            const uint8_t *const first = panel + (size_t)b * wide_super_panel_bytes(kind);
            const uint8_t *const second = first + (split ? 64 * 64 : panel_stride);
            const uint8_t *const x =
                rows + (size_t)(t * tiles) * rows_stride + (size_t)b * wide_super_record_bytes(kind);
            const int64_t fetch_end = fetched + lines < ahead.lines ? fetched + lines : ahead.lines;
            for (; fetched < fetch_end; fetched++)
                for (int p = 0; p < (split ? 1 : panels); p++)
                    __builtin_prefetch(ahead.base + (size_t)p * ahead.stride + 64 * fetched, 0, 2);
            if (to.out && b == 0)
                for (int m = 0; m < tiles * WIDE_ROWS; m++)
                    for (int p = 0; p < (split ? 1 : panels); p++)
                        __builtin_prefetch(to.out + (t * tiles * WIDE_ROWS + m) * to.stride + p * CPU_GROUP_ROWS, 1, 3);
            const bool some = t + b > 0;
            ZERO_SUMS();
            if (super_has_factors(kind)) {
                MULTIPLY_64(x + WIDE_SUPER_SUMS, first + 64 * 64, second + 64 * 64);
                if (kind == SUPER_PRODUCTS_MIN) {
                    STORE_SUMS(mins[turn]);
                    ZERO_SUMS();
                }
            }
            for (int k = 0; k < 4; k++) {
                MULTIPLY_64(x + 1024 * k, first + 1024 * k, second + 1024 * k);
                if (some) add_rows(kind, tiles, panels, f, 4 * k);
            }
            STORE_SUMS(dots[turn]);
            f.dots = dots[turn];
            f.mins = mins[turn];
            f.tail = first + wide_super_tail(kind);
            f.rows = x;
            f.out = out + t * tiles * WIDE_ROWS * stride;
            f.start = start && b == 0;
        }
    }
    for (int k = 0; k < 4; k++) add_rows(kind, tiles, panels, f, 4 * k);
}

#define SUPER_TILES(tiles, panels, at, count)                                                                      \
    multiply_super(                                                                                                \
        kind, tiles, panels, panel + (size_t)r * panel_stride, panel_stride, blocks,                               \
        rows + (size_t)(at) * rows_stride, rows_stride, count, out + (at) * WIDE_ROWS * stride + r * CPU_GROUP_ROWS, \
        stride, start, (fetch){ahead.base + (size_t)r * ahead.stride, ahead.stride, (at) ? 0 : ahead.lines},       \
        (home){to.out ? to.out + (at) * WIDE_ROWS * to.stride + r * CPU_GROUP_ROWS : NULL, to.stride})

INLINE void super_groups(
    const super_kind kind, const uint8_t *panel, size_t panel_stride, int groups, int64_t blocks, const uint8_t *rows,
    size_t rows_stride, int64_t tiles, float *out, int64_t stride, bool start, fetch ahead, home to
) {
    const bool split = super_is_split(kind);
    const int64_t even = tiles & ~(int64_t)1;
    for (int r = 0; r < groups; r += split ? 1 : 2) {
        if (split || r + 1 < groups) {
            if (even) SUPER_TILES(2, 2, 0, even / 2);
            if (even < tiles) SUPER_TILES(1, 2, even, 1);
        } else {
            if (even) SUPER_TILES(2, 1, 0, even / 2);
            if (even < tiles) SUPER_TILES(1, 1, even, 1);
        }
    }
}

#define SUPER_KERNEL(name, kind)                                                                                      \
    static void name(                                                                                                 \
        const uint8_t *panel, size_t panel_stride, int groups, int64_t blocks, const uint8_t *rows,                   \
        size_t rows_stride, int64_t tiles, float *out, int64_t stride, bool start, fetch ahead, home to               \
    ) {                                                                                                               \
        super_groups(                                                                                                 \
            kind, panel, panel_stride, groups, blocks, rows, rows_stride, tiles, out, stride, start, ahead, to);      \
    }
SUPER_KERNEL(multiply_halves, SUPER_SPLIT)
SUPER_KERNEL(multiply_halves_min, SUPER_SPLIT_MIN)
SUPER_KERNEL(multiply_products, SUPER_PRODUCTS)
SUPER_KERNEL(multiply_products_min, SUPER_PRODUCTS_MIN)
SUPER_KERNEL(multiply_shifted, SUPER_SHIFTED)

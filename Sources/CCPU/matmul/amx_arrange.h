// Part of amx.c: rows of x arranged anew for tile registers.
#pragma once

// Four rows of 64 columns from two blocks of a tile: a line each.
INLINE void arrange_four(const uint8_t *tile, uint8_t *codes) {
    u32x16 rows[2][2];  // [block][pair of rows]
    UNROLL for (int b = 0; b < 2; b++) {
        const u32x16 one = (u32x16)load_u8(tile + b * TILE_BYTES * 4), two = (u32x16)load_u8(tile + b * TILE_BYTES * 4 + 64);
        rows[b][0] = __builtin_shufflevector(one, two, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
        rows[b][1] = __builtin_shufflevector(one, two, 2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
    }
    UNROLL for (int p = 0; p < 2; p++) {
        u32x16 *const to = (u32x16 *)(codes + 128 * p);
        to[0] = __builtin_shufflevector(
            rows[0][p], rows[1][p], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
        to[1] = __builtin_shufflevector(
            rows[0][p], rows[1][p], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    }
}

// The same of a tile of one or two rows.
INLINE void arrange_few(const uint8_t *tile, const int width, uint8_t *codes) {
    for (int b = 0; b < 2; b++)
        for (int c = 0; c < width; c++)
            for (int v = 0; v < 8; v++)
                __builtin_memcpy(
                    codes + 64 * c + BLOCK * b + 4 * v, tile + b * TILE_BYTES * width + 4 * (v * width + c), 4);
}

// Sums of codes by pairs of groups, int16 [4][2] per row of a tile.
INLINE void arrange_sums(const uint8_t *tile, const int width, uint8_t *sums) {
    if (width < 4) {
        for (int c = 0; c < width; c++)
            for (int j = 0; j < 4; j++)
                __builtin_memcpy(sums + 16 * c + 4 * j, tile + (2 * j * TILE_BYTES + TILE_PAIR_32) * width + 4 * c, 4);
        return;
    }
    u32x16 pairs;  // [pair of groups][row]
    UNROLL for (int j = 0; j < 4; j++)
        __builtin_memcpy((uint8_t *)&pairs + 16 * j, tile + (2 * j * TILE_BYTES + TILE_PAIR_32) * 4, 16);
    pairs = __builtin_shufflevector(pairs, pairs, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __builtin_memcpy(sums, &pairs, sizeof pairs);
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

// Four rows of a block of 32 columns, of a tile of `width`.
INLINE void arrange_small(const uint8_t *tile, const int width, int row, uint8_t *codes, uint8_t *rest) {
    uint8_t *const to = codes + BLOCK * row;
    if (width == 4) {
        const u32x16 first = (u32x16)load_u8(tile), second = (u32x16)load_u8(tile + 64);
        const u32x16 rows01 =
            __builtin_shufflevector(first, second, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
        const u32x16 rows23 =
            __builtin_shufflevector(first, second, 2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
        __builtin_memcpy(to, &rows01, sizeof rows01);
        __builtin_memcpy(to + 64, &rows23, sizeof rows23);
    } else {
        for (int c = 0; c < width; c++)
            for (int v = 0; v < 8; v++) __builtin_memcpy(to + BLOCK * c + 4 * v, tile + 4 * (v * width + c), 4);
    }
    __builtin_memcpy(rest + 4 * row, tile + TILE_SCALE * width, 4 * (size_t)width);
    __builtin_memcpy(rest + 64 + 4 * row, tile + TILE_SUM * width, 4 * (size_t)width);
}

static void arrange_smalls(
    const uint8_t *const *tiles, const int *widths, int64_t blocks, uint8_t *codes, uint8_t *rest
) {
    for (int64_t b = 0; b < blocks; b++, codes += WIDE_ROWS * BLOCK, rest += SMALL_REST)
        UNROLL for (int t = 0; t < WIDE_ROWS / CPU_TILE_ROWS; t++) {
            const uint8_t *const tile = tiles[t] + b * TILE_BYTES * widths[t];
            if (widths[t] == 4) arrange_small(tile, 4, t * CPU_TILE_ROWS, codes, rest);
            else if (widths[t] > 0) arrange_small(tile, widths[t], t * CPU_TILE_ROWS, codes, rest);
        }
    const size_t missing = (size_t)missing_blocks(blocks);
    __builtin_memset(codes, 0, missing * WIDE_ROWS * BLOCK);
    __builtin_memset(rest, 0, missing * SMALL_REST);
}

static void arrange(
    const uint8_t *const *tiles, const int *widths, wide_kind kind, int64_t blocks, uint8_t *codes, uint8_t *rest
) {
    if (wide_is_small(kind)) {
        arrange_smalls(tiles, widths, blocks, codes, rest);
        return;
    }
    for (int64_t first = 0; first < blocks; first += SUPER_BLOCKS) {
        for (int t = 0; t < WIDE_ROWS / CPU_TILE_ROWS; t++) {
            const int row = t * CPU_TILE_ROWS, width = widths[t];
            if (width == 0) continue;
            const uint8_t *const tile = tiles[t] + first * TILE_BYTES * width;
            for (int k = 0; k < SUPER_BLOCKS / 2; k++) {
                const uint8_t *const two = tile + 2 * k * TILE_BYTES * width;
                if (width == 4) arrange_four(two, codes + 1024 * k + 64 * row);
                else arrange_few(two, width, codes + 1024 * k + 64 * row);
            }
            __builtin_memcpy(rest + WIDE_SCALE + 4 * row, tile + TILE_SCALE * width, 4 * (size_t)width);
            uint8_t *const sums = rest + WIDE_SUMS;
            if (kind == SUPER_SPLIT_MIN) arrange_sums(tile, width, sums + 16 * row);
            for (int c = 0; c < width && super_has_factors(kind); c++) {
                int8_t *const digits = (int8_t *)sums + 64 * (row + c);
                if (kind == SUPER_SHIFTED) digits_of_sums(codes + 64 * (row + c), 2, digits, digits + 32, NULL);
                if (kind != SUPER_PRODUCTS_MIN) continue;
                digits_of_sums(codes + 64 * (row + c), 4, digits, digits + 16, digits + 32);
                __builtin_memset(digits + 48, 0, 16);
            }
        }
        codes += WIDE_BYTES;
        rest += wide_rest_bytes(kind);
    }
}

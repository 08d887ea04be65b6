// Rows of x as 8-bit codes, in the tiles that kernels read (internal.h).
//
// Codes are x / d rounded to nearest, ties to even, where d = max |x| / 127; a maximum below 1e-30 counts as 0. A NaN
// or an infinity makes d one.
#pragma once
#include "vector.h"

#define TINY_BITS 0x0da24260u     // 1e-30
#define ROUNDING 12582912.0f      // 1.5 * 2^23: adding it rounds to an integer, in the low bits of the sum

static void fill_narrow(const float *const *rows, int count, int width, int64_t blocks, uint8_t *tile) {
    for (int c = 0; c < width; c++)
        for (int64_t b = 0; b < blocks; b++) {
            uint8_t *record = tile + b * TILE_BYTES * width;
            float *fields = (float *)record;
            int32_t *counts = (int32_t *)record;
            i32x16 low = 0, high = 0;
            float d = 0;
            if (c < count) {
                f32x16 x0 = load_f32(rows[c] + b * BLOCK), x1 = load_f32(rows[c] + b * BLOCK + 16);
                u32x16 m = __builtin_elementwise_max((u32x16)x0 & 0x7fffffffu, (u32x16)x1 & 0x7fffffffu);
                uint32_t bits = __builtin_reduce_max(m);
                if (bits >= TINY_BITS) {
                    d = format_float_of_bits(bits) / 127.0f;
                    float inverse = 1.0f / d;
                    f32x16 y0 = x0 * inverse, y1 = x1 * inverse;
                    y0 = y0 + ROUNDING;
                    y1 = y1 + ROUNDING;
                    low = ((i32x16)y0 << 24) >> 24;
                    high = ((i32x16)y1 << 24) >> 24;
                }
            }
            i8x16 bytes[2] = {__builtin_convertvector(low, i8x16), __builtin_convertvector(high, i8x16)};
            int32_t dwords[8], sum_low = __builtin_reduce_add(low), sum_high = __builtin_reduce_add(high);
            __builtin_memcpy(dwords, bytes, sizeof dwords);
            UNROLL for (int v = 0; v < 8; v++) counts[v * width + c] = dwords[v];
            fields[TILE_SCALE / 4 * width + c] = d;
            counts[TILE_INIT / 4 * width + c] = -128 * (sum_low + sum_high);
            counts[TILE_INIT_LOW / 4 * width + c] = -128 * sum_low;
            counts[TILE_INIT_HIGH / 4 * width + c] = -128 * sum_high;
            fields[TILE_SUM / 4 * width + c] = d * (float)(sum_low + sum_high);
            fields[TILE_SUM_LOW / 4 * width + c] = d * (float)sum_low;
            fields[TILE_SUM_HIGH / 4 * width + c] = d * (float)sum_high;
            counts[(TILE_BYTES - 4) / 4 * width + c] = 0;
        }
}

typedef float f32x4 __attribute__((ext_vector_type(4)));
typedef int32_t i32x4 __attribute__((ext_vector_type(4)));
typedef uint32_t u32x4 __attribute__((ext_vector_type(4)));

INLINE u32x16 max_u32(u32x16 a, u32x16 b) { return __builtin_elementwise_max(a, b); }

// The largest lane of each of four vectors.
INLINE u32x4 largest_of_four(const u32x16 *m) {
    u32x16 half[2];
    UNROLL for (int i = 0; i < 2; i++) half[i] = max_u32(
        __builtin_shufflevector(m[2 * i], m[2 * i + 1], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
        __builtin_shufflevector(m[2 * i], m[2 * i + 1], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31));
    u32x16 all = max_u32(
        __builtin_shufflevector(half[0], half[1], 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27),
        __builtin_shufflevector(half[0], half[1], 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31));
    all = max_u32(all, __builtin_shufflevector(all, all, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
    all = max_u32(all, __builtin_shufflevector(all, all, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
    return __builtin_shufflevector(all, all, 0, 4, 8, 12);
}

// Codes of 16 columns of four rows as dwords [column / 4][row].
INLINE u32x16 interleave_codes(const i8x16 *codes) {
    u32x4 rows[4];
    UNROLL for (int c = 0; c < 4; c++) rows[c] = (u32x4)codes[c];
    typedef uint32_t u32x8 __attribute__((ext_vector_type(8)));
    const u32x8 first = __builtin_shufflevector(rows[0], rows[1], 0, 1, 2, 3, 4, 5, 6, 7);
    const u32x8 second = __builtin_shufflevector(rows[2], rows[3], 0, 1, 2, 3, 4, 5, 6, 7);
    return __builtin_shufflevector(first, second, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

// Sums of codes by row.
INLINE i32x4 sums_of_rows(u32x16 codes) {
    const i32x16 s = dot_u7((i32x16)0, (u8x64)1, (i32x16)codes);
    const i32x4 a = __builtin_shufflevector(s, s, 0, 1, 2, 3), b = __builtin_shufflevector(s, s, 4, 5, 6, 7);
    const i32x4 c = __builtin_shufflevector(s, s, 8, 9, 10, 11), d = __builtin_shufflevector(s, s, 12, 13, 14, 15);
    return (a + b) + (c + d);
}

#define PUT_FIELD(field, value)                                       \
    do {                                                              \
        const u32x4 value_ = (u32x4)(value);                          \
        __builtin_memcpy(record + (field) * 4, &value_, sizeof value_); \
    } while (0)

// The same for whole tiles, four rows at once; rows that are not there are zeros.
static void fill_whole(const float *const *rows, int count, int64_t blocks, uint8_t *record) {
    for (int64_t b = 0; b < blocks; b++, record += TILE_BYTES * 4) {
        f32x16 x[4][2];
        u32x16 magnitudes[4];
        UNROLL for (int c = 0; c < 4; c++) {
            UNROLL for (int h = 0; h < 2; h++) x[c][h] = c < count ? load_f32(rows[c] + b * BLOCK + 16 * h) : (f32x16)0;
            magnitudes[c] = max_u32((u32x16)x[c][0] & 0x7fffffffu, (u32x16)x[c][1] & 0x7fffffffu);
        }
        const u32x4 bits = largest_of_four(magnitudes);
        const i32x4 usable = bits >= TINY_BITS;
        const f32x4 d = (f32x4)(((i32x4)((f32x4)bits / 127.0f)) & usable);
        const f32x4 inverse = (f32x4)((i32x4)(1.0f / d) & usable);
        i8x16 codes[2][4];
        UNROLL for (int c = 0; c < 4; c++) UNROLL for (int h = 0; h < 2; h++) {
            const f32x16 y = x[c][h] * (f32x16)inverse[c];
            codes[h][c] = __builtin_convertvector((i32x16)(y + ROUNDING), i8x16);
        }
        const u32x16 low = interleave_codes(codes[0]), high = interleave_codes(codes[1]);
        __builtin_memcpy(record, &low, sizeof low);
        __builtin_memcpy(record + 64, &high, sizeof high);
        const i32x4 sum_low = sums_of_rows(low), sum_high = sums_of_rows(high), sum = sum_low + sum_high;
        PUT_FIELD(TILE_SCALE, d);
        PUT_FIELD(TILE_INIT, -128 * sum);
        PUT_FIELD(TILE_INIT_LOW, -128 * sum_low);
        PUT_FIELD(TILE_INIT_HIGH, -128 * sum_high);
        PUT_FIELD(TILE_SUM, d * __builtin_convertvector(sum, f32x4));
        PUT_FIELD(TILE_SUM_LOW, d * __builtin_convertvector(sum_low, f32x4));
        PUT_FIELD(TILE_SUM_HIGH, d * __builtin_convertvector(sum_high, f32x4));
        PUT_FIELD(TILE_BYTES - 4, (u32x4)0);
    }
}

// MARK: One scale per 256 columns

static void fill_super_narrow(const float *const *rows, int count, int width, int64_t blocks, uint8_t *tile) {
    const size_t bytes = (size_t)(TILE_BYTES * width);
    for (int c = 0; c < width; c++)
        for (int64_t first = 0; first < blocks; first += SUPER_BLOCKS) {
            u32x16 m = 0;
            for (int i = 0; i < SUPER / 16 && c < count; i++)
                m = max_u32(m, (u32x16)load_f32(rows[c] + first * BLOCK + 16 * i) & 0x7fffffffu);
            const uint32_t bits = __builtin_reduce_max(m);
            const float d = bits >= TINY_BITS ? format_float_of_bits(bits) / 127.0f : 0;
            const float inverse = bits >= TINY_BITS ? 1.0f / d : 0;
            int32_t sums[SUPER_BLOCKS], all = 0;
            for (int b = 0; b < SUPER_BLOCKS; b++) {
                int32_t *counts = (int32_t *)(tile + (size_t)(first + b) * bytes);
                i8x16 codes[2] = {0};
                int32_t dwords[8], half[2] = {0};
                UNROLL for (int h = 0; h < 2; h++) {
                    if (c >= count) continue;
                    const f32x16 y = load_f32(rows[c] + (first + b) * BLOCK + 16 * h) * inverse;
                    const i32x16 wide = ((i32x16)(y + ROUNDING) << 24) >> 24;
                    codes[h] = __builtin_convertvector(wide, i8x16);
                    half[h] = __builtin_reduce_add(wide);
                }
                __builtin_memcpy(dwords, codes, sizeof dwords);
                UNROLL for (int v = 0; v < 8; v++) counts[v * width + c] = dwords[v];
                sums[b] = half[0] + half[1];
                all += sums[b];
                ((float *)counts)[TILE_SCALE / 4 * width + c] = d;
                counts[TILE_INIT / 4 * width + c] = -128 * sums[b];
                counts[TILE_INIT_LOW / 4 * width + c] = -128 * half[0];
                counts[TILE_INIT_HIGH / 4 * width + c] = -128 * half[1];
                counts[TILE_PAIR_16 / 4 * width + c] = (half[0] & 0xffff) | (int32_t)((uint32_t)half[1] << 16);
                counts[(TILE_BYTES - 4) / 4 * width + c] = 0;
            }
            for (int b = 0; b < SUPER_BLOCKS; b++) {
                int32_t *counts = (int32_t *)(tile + (size_t)(first + b) * bytes);
                const int32_t even = sums[b & ~1], odd = sums[b | 1];
                counts[TILE_PAIR_32 / 4 * width + c] = (even & 0xffff) | (int32_t)((uint32_t)odd << 16);
                counts[TILE_INIT_SUPER / 4 * width + c] = -128 * all;
            }
        }
}

static void fill_super_whole(const float *const *rows, int count, int64_t blocks, uint8_t *first_record) {
    for (int64_t first = 0; first < blocks; first += SUPER_BLOCKS) {
        u32x16 magnitudes[4];
        UNROLL for (int c = 0; c < 4; c++) {
            magnitudes[c] = 0;
            for (int i = 0; i < SUPER / 16 && c < count; i++)
                magnitudes[c] =
                    max_u32(magnitudes[c], (u32x16)load_f32(rows[c] + first * BLOCK + 16 * i) & 0x7fffffffu);
        }
        const u32x4 bits = largest_of_four(magnitudes);
        const i32x4 usable = bits >= TINY_BITS;
        const f32x4 d = (f32x4)(((i32x4)((f32x4)bits / 127.0f)) & usable);
        const f32x4 inverse = (f32x4)((i32x4)(1.0f / d) & usable);
        i32x4 sums[SUPER_BLOCKS], all = 0;
        uint8_t *record = first_record + (size_t)first * TILE_BYTES * 4;
        for (int b = 0; b < SUPER_BLOCKS; b++, record += TILE_BYTES * 4) {
            i8x16 codes[2][4];
            UNROLL for (int c = 0; c < 4; c++) UNROLL for (int h = 0; h < 2; h++) {
                const f32x16 x = c < count ? load_f32(rows[c] + (first + b) * BLOCK + 16 * h) : (f32x16)0;
                codes[h][c] = __builtin_convertvector((i32x16)(x * (f32x16)inverse[c] + ROUNDING), i8x16);
            }
            const u32x16 low = interleave_codes(codes[0]), high = interleave_codes(codes[1]);
            __builtin_memcpy(record, &low, sizeof low);
            __builtin_memcpy(record + 64, &high, sizeof high);
            const i32x4 sum_low = sums_of_rows(low), sum_high = sums_of_rows(high);
            sums[b] = sum_low + sum_high;
            all += sums[b];
            PUT_FIELD(TILE_SCALE, d);
            PUT_FIELD(TILE_INIT, -128 * sums[b]);
            PUT_FIELD(TILE_INIT_LOW, -128 * sum_low);
            PUT_FIELD(TILE_INIT_HIGH, -128 * sum_high);
            PUT_FIELD(TILE_PAIR_16, (sum_low & 0xffff) | sum_high << 16);
            PUT_FIELD(TILE_BYTES - 4, (u32x4)0);
        }
        record = first_record + (size_t)first * TILE_BYTES * 4;
        for (int b = 0; b < SUPER_BLOCKS; b++, record += TILE_BYTES * 4) {
            PUT_FIELD(TILE_PAIR_32, (sums[b & ~1] & 0xffff) | sums[b | 1] << 16);
            PUT_FIELD(TILE_INIT_SUPER, -128 * all);
        }
    }
}

static void fill_q8_super(const float *const *rows, int count, int width, int64_t blocks, uint8_t *tile) {
    if (width == 4) fill_super_whole(rows, count, blocks, tile);
    else fill_super_narrow(rows, count, width, blocks, tile);
}

static void fill_q8(const float *const *rows, int count, int width, int64_t blocks, uint8_t *tile) {
    if (width == 4) fill_whole(rows, count, blocks, tile);
    else fill_narrow(rows, count, width, blocks, tile);
}

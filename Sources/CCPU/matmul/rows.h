// GGUF blocks of sixteen whole rows, read by vectors: repacking, and panels without it, at about the speed of memory. The same for fewer
// rows, row by row, is in integer.h.
#pragma once
#include "integer.h"

INLINE u32x4 load_16(const uint8_t *p) {
    u32x4 v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

// Dword v of sixteen rows, from 16 bytes of each.
INLINE void transpose(const uint8_t *rows, size_t row_bytes, u8x64 *out) {
    typedef uint32_t u32x8 __attribute__((ext_vector_type(8)));
    u32x16 z[4];
    UNROLL for (int i = 0; i < 4; i++) {
        // Row 4 k + i in lane k: what stays within a lane is cheap.
        const u32x4 a = load_16(rows + (size_t)i * row_bytes), b = load_16(rows + (size_t)(i + 4) * row_bytes);
        const u32x4 c = load_16(rows + (size_t)(i + 8) * row_bytes), d = load_16(rows + (size_t)(i + 12) * row_bytes);
        const u32x8 low = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
        const u32x8 high = __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7);
#if KERNEL_ISA >= ISA_AVX512
        // Straight from memory: to join halves takes the unit that the shuffles below need.
        const uint8_t *const third = rows + (size_t)(i + 8) * row_bytes;
        __m512i z_ = _mm512_castsi256_si512((__m256i)low);
        z_ = _mm512_inserti32x4(z_, _mm_loadu_si128((const __m128i *)third), 2);
        z[i] = (u32x16)_mm512_inserti32x4(z_, _mm_loadu_si128((const __m128i *)(third + 4 * row_bytes)), 3);
#else
        z[i] = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#endif
    }
#define LOW_DWORDS(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define HIGH_DWORDS(a, b) __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define LOW_PAIRS(a, b) (u8x64)__builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define HIGH_PAIRS(a, b) (u8x64)__builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
    const u32x16 first = LOW_DWORDS(z[0], z[1]), second = LOW_DWORDS(z[2], z[3]);
    const u32x16 third = HIGH_DWORDS(z[0], z[1]), fourth = HIGH_DWORDS(z[2], z[3]);
    out[0] = LOW_PAIRS(first, second);
    out[1] = HIGH_PAIRS(first, second);
    out[2] = LOW_PAIRS(third, fourth);
    out[3] = HIGH_PAIRS(third, fourth);
#undef LOW_DWORDS
#undef HIGH_DWORDS
#undef LOW_PAIRS
#undef HIGH_PAIRS
}

// Sixteen bytes of nibbles: low ones are the first 16 columns.
INLINE void transpose_nibbles(const uint8_t *rows, size_t row_bytes, u8x64 *vectors) {
    u8x64 bytes[4];
    transpose(rows, row_bytes, bytes);
    UNROLL for (int v = 0; v < 4; v++) vectors[v] = bytes[v] & 15, vectors[v + 4] = bytes[v] >> 4;
}

// The fifth bit of each code, bit 4 v + i of a row's dword being that of byte i of vector v.
INLINE void transpose_fifth_bits(const uint8_t *rows, size_t row_bytes, u8x64 *vectors) {
    u32x16 bits;
    UNROLL for (int r = 0; r < 16; r++) bits[r] = (uint32_t)load_i32(rows + (size_t)r * row_bytes);
    UNROLL for (int v = 0; v < 8; v++)
        vectors[v] |= (u8x64)(((bits >> (uint32_t)(4 * v) & 15) * 0x00204081u & 0x01010101u) << 4);
}

// NAME_codes: columns 32 `part` ..< 32 `part` + 32 of a block of sixteen rows, as 8 vectors of unsigned codes or indices.
#define NIBBLE_CODES(name)                                                                             \
    INLINE void name##_codes(const uint8_t *rows, size_t row_bytes, int part, u8x64 *vectors) {        \
        transpose_nibbles(rows + __builtin_offsetof(block_##name, qs), row_bytes, vectors);            \
    }
#define FIVE_BIT_CODES(name)                                                                           \
    INLINE void name##_codes(const uint8_t *rows, size_t row_bytes, int part, u8x64 *vectors) {        \
        transpose_nibbles(rows + __builtin_offsetof(block_##name, qs), row_bytes, vectors);            \
        transpose_fifth_bits(rows + __builtin_offsetof(block_##name, qh), row_bytes, vectors);         \
    }
NIBBLE_CODES(q4_0)
NIBBLE_CODES(q4_1)
NIBBLE_CODES(iq4_nl)
NIBBLE_CODES(mxfp4)
FIVE_BIT_CODES(q5_0)
FIVE_BIT_CODES(q5_1)
INLINE void q8_0_codes(const uint8_t *rows, size_t row_bytes, int part, u8x64 *vectors) {
    UNROLL for (int half = 0; half < 2; half++)
        transpose(rows + __builtin_offsetof(block_q8_0, qs) + 16 * half, row_bytes, vectors + 4 * half);
    UNROLL for (int v = 0; v < 8; v++) vectors[v] ^= 128;
}
INLINE void nvfp4_codes(const uint8_t *rows, size_t row_bytes, int part, u8x64 *vectors) {
    u8x64 bytes[4];
    transpose(rows + __builtin_offsetof(block_nvfp4, qs) + 16 * part, row_bytes, bytes);
    // Eight bytes have 16 columns.
    UNROLL for (int v = 0; v < 4; v++) {
        vectors[v / 2 * 4 + v % 2] = bytes[v] & 15;
        vectors[v / 2 * 4 + v % 2 + 2] = bytes[v] >> 4;
    }
}

#define PACK_ROWS(name, record_blocks, code_offset)                                                                  \
    static void name##_pack_rows(const uint8_t *rows, size_t row_bytes, int valid, int64_t blocks, uint8_t *group) { \
        enum { BLOCKS = LENGTH_##name / BLOCK };                                                                     \
        if (valid < CPU_GROUP_ROWS) {                                                                                \
            name##_pack(rows, row_bytes, valid, blocks, group);                                                      \
            return;                                                                                                  \
        }                                                                                                            \
        for (int64_t b = 0; b < blocks; b += BLOCKS, rows += sizeof(block_##name)) {                                 \
            packed_##name *p = (packed_##name *)group + b / record_blocks;                                           \
            const int first = (int)(b % record_blocks);                                                              \
            UNROLL for (int r = 0; r < CPU_GROUP_ROWS; r++)                                                          \
                name##_put_scales(p, first, r, (const block_##name *)(rows + (size_t)r * row_bytes));                \
            UNROLL for (int i = 0; i < BLOCKS; i++) {                                                                \
                u8x64 vectors[8];                                                                                    \
                name##_codes(rows, row_bytes, i, vectors);                                                           \
                name##_put_codes(p, first + i, vectors);                                                             \
            }                                                                                                        \
        }                                                                                                            \
    }
SMALL_LIST(PACK_ROWS)

#define UNPACK_WHOLE(name, record_blocks, code_offset)                                                                  \
    INLINE void name##_unpack_sixteen(                                                                                  \
        const uint8_t *rows, size_t row_bytes, int64_t block_begin, int64_t block_end, uint8_t zero, uint8_t *to_codes, \
        uint8_t *rest, size_t codes_step, size_t rest_step                                                              \
    ) {                                                                                                                 \
        enum { BLOCKS = LENGTH_##name / BLOCK, HAS_MIN = HAS_MIN_##name, HALVES = BLOCK / GROUP_##name, AT_ONCE = 8 };  \
        const int8_t *const table = READ_TABLE((const block_##name *)0);                                                \
        const uint8_t shift = (uint8_t)(HAS_MIN ? 0 : zero - code_offset);                                              \
        rows += (size_t)(block_begin / BLOCKS) * sizeof(block_##name);                                                  \
        for (int64_t left = (block_end - block_begin) / BLOCKS; left > 0; left -= AT_ONCE) {                            \
            const int count = left < AT_ONCE ? (int)left : AT_ONCE;                                                     \
            packed_##name scales[AT_ONCE];                                                                              \
            for (int b = 0; b < count; b++) {                                                                           \
                const uint8_t *const of_block = rows + (size_t)b * sizeof(block_##name);                                \
                UNROLL for (int r = 0; r < CPU_GROUP_ROWS; r++)                                                         \
                    name##_put_scales(&scales[b], 0, r, (const block_##name *)(of_block + (size_t)r * row_bytes));      \
            }                                                                                                           \
            for (int b = 0; b < count; b++, rows += sizeof(block_##name)) {                                             \
                UNROLL for (int i = 0; i < BLOCKS; i++, to_codes += codes_step, rest += rest_step) {                    \
                    u8x64 vectors[8];                                                                                   \
                    name##_codes(rows, row_bytes, i, vectors);                                                          \
                    UNROLL for (int v = 0; v < 8; v++)                                                                  \
                        *(u8x64 *)(to_codes + 64 * v) = table ? lookup(vectors[v], table, zero) : vectors[v] + shift;   \
                    UNROLL for (int h = 0; h < HALVES; h++) {                                                           \
                        store_f32(rest + 64 * h, name##_scale(&scales[b], i, h));                                       \
                        if (HAS_MIN) store_f32(rest + 64 * (HALVES + h), name##_min(&scales[b], i, h));                 \
                    }                                                                                                   \
                }                                                                                                       \
            }                                                                                                           \
        }                                                                                                               \
    }                                                                                                                   \
    static void name##_unpack_whole(                                                                                    \
        const uint8_t *rows, size_t row_bytes, int valid, int64_t block_begin, int64_t block_end, uint8_t zero,         \
        uint8_t *panel                                                                                                  \
    ) {                                                                                                                 \
        const size_t bytes = panel_bytes(GROUP_##name, HAS_MIN_##name);                                                 \
        if (valid < CPU_GROUP_ROWS)                                                                                     \
            name##_unpack_blocks(rows, row_bytes, valid, block_begin, block_end, zero, panel);                          \
        else                                                                                                            \
            name##_unpack_sixteen(                                                                                      \
                rows, row_bytes, block_begin, block_end, zero, panel, panel + 512, bytes, bytes);                       \
    }
SMALL_LIST(UNPACK_WHOLE)

#if KERNEL_ISA >= ISA_AVX512_VBMI
#define UNPACK_WHOLE_WIDE(name, record_blocks, code_offset)                                                             \
    static void name##_unpack_whole_wide(                                                                               \
        const uint8_t *rows, size_t row_bytes, int valid, int64_t block_begin, int64_t block_end, uint8_t *codes,       \
        uint8_t *rest                                                                                                   \
    ) {                                                                                                                 \
        if (valid < CPU_GROUP_ROWS) {                                                                                   \
            name##_unpack_blocks_wide(rows, row_bytes, valid, block_begin, block_end, codes, rest);                     \
            return;                                                                                                     \
        }                                                                                                               \
        const size_t step = panel_bytes(GROUP_##name, HAS_MIN_##name) - 512;                                            \
        name##_unpack_sixteen(rows, row_bytes, block_begin, block_end, 0, codes, rest, 512, step);                      \
        clear_missing(block_end - block_begin, step, codes, rest);                                                      \
    }
SMALL_LIST(UNPACK_WHOLE_WIDE)
#endif

// Sixteen rows are sixteen streams, too short for the hardware, but they lie one after the other: the next row group is fetched from end to
// end while this one is multiplied, and a bit more, for its rows are begun all at once. Into the second-level cache: those lines
// wait too long for the few buffers of the first.
#define FETCH_BEFORE_NEXT 2048

#define DIRECT_ROWS(name)                                                                                               \
    static void name##_direct_rows(                                                                                     \
        const uint8_t *rows, size_t row_bytes, int64_t groups, int64_t blocks, const uint8_t *tile, int width,          \
        float *out, int64_t stride                                                                                      \
    ) {                                                                                                                 \
        for (int64_t g = 0; g < groups; g++, rows += CPU_GROUP_ROWS * row_bytes, out += CPU_GROUP_ROWS) {               \
            if (width == 1) name##_rows_tile(1, rows, row_bytes, blocks, tile, out, stride);                            \
            else if (width == 2) name##_rows_tile(2, rows, row_bytes, blocks, tile, out, stride);                       \
            else name##_rows_tile(4, rows, row_bytes, blocks, tile, out, stride);                                       \
        }                                                                                                               \
    }

#define DIRECT_ROWS_TILE(name, record_blocks, code_offset)                                                              \
    INLINE void name##_rows_tile(                                                                                       \
        const int C, const uint8_t *rows, size_t row_bytes, int64_t blocks, const uint8_t *tile, float *out,            \
        int64_t stride                                                                                                  \
    ) {                                                                                                                 \
        enum { BLOCKS = LENGTH_##name / BLOCK, AT_ONCE = 8 / BLOCKS };                                                  \
        const traits t = {GROUP_##name, HAS_MIN_##name, code_offset};                                                   \
        const int8_t *const table = READ_TABLE((const block_##name *)0);                                                \
        const uint8_t *ahead = rows + CPU_GROUP_ROWS * row_bytes + FETCH_BEFORE_NEXT;                                   \
        f32x16 acc[1][4];                                                                                               \
        UNROLL for (int c = 0; c < C; c++) acc[0][c] = 0;                                                               \
        for (int64_t left = blocks / BLOCKS; left > 0; left -= AT_ONCE) {                                               \
            const int count = left < AT_ONCE ? (int)left : AT_ONCE;                                                     \
            packed_##name scales[AT_ONCE];                                                                              \
            for (int b = 0; b < count; b++) {                                                                           \
                const uint8_t *const of_block = rows + (size_t)b * sizeof(block_##name);                                \
                UNROLL for (int r = 0; r < CPU_GROUP_ROWS; r++)                                                         \
                    name##_put_scales(&scales[b], 0, r, (const block_##name *)(of_block + (size_t)r * row_bytes));      \
            }                                                                                                           \
            for (int b = 0; b < count; b++, rows += sizeof(block_##name)) {                                             \
                UNROLL for (size_t i = 0; i < CPU_GROUP_ROWS * sizeof(block_##name); i += 64)                           \
                    __builtin_prefetch(ahead + i, 0, 2);                                                                \
                ahead += CPU_GROUP_ROWS * sizeof(block_##name);                                                         \
                UNROLL for (int i = 0; i < BLOCKS; i++) {                                                               \
                    u8x64 vectors[8];                                                                                   \
                    name##_codes(rows, row_bytes, i, vectors);                                                          \
                    if (table)                                                                                          \
                        UNROLL for (int v = 0; v < 8; v++) vectors[v] = lookup(vectors[v], table, code_offset);         \
                    ADD_BLOCK(                                                                                          \
                        t, 1, C, tile, acc, vectors[v], name##_scale(&scales[b], i, h), name##_min(&scales[b], i, h));  \
                    tile += TILE_BYTES * C;                                                                             \
                }                                                                                                       \
            }                                                                                                           \
        }                                                                                                               \
        UNROLL for (int c = 0; c < C; c++) store_f32(out + c * stride, acc[0][c]);                                      \
    }                                                                                                                   \
    DIRECT_ROWS(name)

SMALL_LIST(DIRECT_ROWS_TILE)

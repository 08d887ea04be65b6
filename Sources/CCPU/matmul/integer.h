// Kernels of the integer formats with blocks of fewer than 256 columns, one instruction set's copy, and repacking of all.
// For each output
//     acc = 0; for groups of 16 or 32 columns, ascending:
//         acc = fma(float(dot of codes), scale of weights * scale of x, acc)
//         acc = fma(-min of weights, scale of x * sum of codes of x, acc)          (formats with mins)
#pragma once
#include "layouts/all.h"
#include "read.h"

typedef struct {
    int group, has_min;
    int offset;  // of codes: 128 where products are taken by dot_u8, at most 64 where by dot_u7
} traits;

INLINE int halves(traits t) { return BLOCK / t.group; }

// Adds one block's products of R row groups and C rows of x. Vector v of group r is codes[v](r).
#define ADD_BLOCK(T, R, C, TILE, ACC, CODE, SCALE, MIN)                                                        \
    do {                                                                                                       \
        const uint8_t *const tile_ = (TILE);                                                                   \
        i32x16 dot_[2][4][4];                                                                                  \
        const bool init_ = (T).offset == 128 ? !DOT_U8_IS_SIGNED : (T).offset != 0;                            \
        UNROLL for (int h = 0; h < halves(T); h++) UNROLL for (int c = 0; c < (C); c++) {                      \
            const int field_ = (T).group == 32 ? TILE_INIT : h == 0 ? TILE_INIT_LOW : TILE_INIT_HIGH;          \
            const int divisor_ = 128 / ((T).offset ? (T).offset : 1);                                          \
            const int32_t sum_ = init_ ? load_i32(tile_ + field_ * (C) + 4 * c) / divisor_ : 0;                \
            UNROLL for (int r = 0; r < (R); r++) dot_[h][r][c] = (i32x16)sum_;                                 \
        }                                                                                                      \
        UNROLL for (int i_ = 0; i_ < 8; i_++) {                                                                \
            /* Vectors w and w + 4 of a 4-bit plane lie in the same register: take them together. */           \
            const int v = i_ / 2 + (i_ % 2) * 4, h_ = (T).group == 16 ? v / 4 : 0;                             \
            u8x64 w_[4];                                                                                       \
            UNROLL for (int r = 0; r < (R); r++) w_[r] = CODE;                                                 \
            UNROLL for (int c = 0; c < (C); c++) {                                                             \
                const i32x16 x_ = (i32x16)load_i32(tile_ + TILE_CODES + 4 * (v * (C) + c));                    \
                UNROLL for (int r = 0; r < (R); r++) dot_[h_][r][c] =                                          \
                    (T).offset == 128 ? dot_u8(dot_[h_][r][c], w_[r], x_) : dot_u7(dot_[h_][r][c], w_[r], x_); \
            }                                                                                                  \
        }                                                                                                      \
        const float *const fields_ = (const float *)tile_;                                                     \
        UNROLL for (int h = 0; h < halves(T); h++) {                                                           \
            UNROLL for (int r = 0; r < (R); r++) {                                                             \
                const f32x16 scale_ = SCALE;                                                                   \
                UNROLL for (int c = 0; c < (C); c++) {                                                         \
                    const f32x16 d_ = scale_ * (f32x16)fields_[TILE_SCALE / 4 * (C) + c];                      \
                    (ACC)[r][c] = fma16(__builtin_convertvector(dot_[h][r][c], f32x16), d_, (ACC)[r][c]);      \
                }                                                                                              \
            }                                                                                                  \
            if ((T).has_min) UNROLL for (int r = 0; r < (R); r++) {                                            \
                const f32x16 min_ = -MIN;                                                                      \
                const int field_ = (T).group == 32 ? TILE_SUM : h == 0 ? TILE_SUM_LOW : TILE_SUM_HIGH;         \
                UNROLL for (int c = 0; c < (C); c++)                                                           \
                    (ACC)[r][c] = fma16(min_, (f32x16)fields_[field_ / 4 * (C) + c], (ACC)[r][c]);             \
            }                                                                                                  \
        }                                                                                                      \
    } while (0)

// MARK: Panels

#define MICRO_ROWS (KERNEL_ISA >= ISA_AVX512 ? PANEL_GROUPS : 1)

INLINE void panel_tile(
    const traits t, const int R, const int C, const uint8_t *panel, size_t panel_stride, int64_t blocks,
    const uint8_t *tile, float *out, int64_t stride, bool start, fetch ahead
) {
    const size_t bytes = panel_bytes(t.group, t.has_min);
    f32x16 acc[4][4];
    UNROLL for (int r = 0; r < R; r++) UNROLL for (int c = 0; c < C; c++)
        acc[r][c] = start ? (f32x16)0 : load_f32(out + c * stride + r * CPU_GROUP_ROWS);
    for (int64_t b = 0; b < blocks; b++) {
        const uint8_t *p = panel + (size_t)b * bytes;
        for (int64_t line = b * ahead.lines; line < (b + 1) * ahead.lines; line++)
            UNROLL for (int r = 0; r < R; r++)
                __builtin_prefetch(ahead.base + (size_t)r * ahead.stride + 64 * line, 0, 3);
        ADD_BLOCK(
            t, R, C, tile + b * TILE_BYTES * C, acc, load_u8(p + (size_t)r * panel_stride + 64 * v),
            load_f32(p + (size_t)r * panel_stride + 512 + 64 * h),
            load_f32(p + (size_t)r * panel_stride + 512 + 64 * halves(t) + 64 * h));
    }
    UNROLL for (int r = 0; r < R; r++) UNROLL for (int c = 0; c < C; c++)
        store_f32(out + c * stride + r * CPU_GROUP_ROWS, acc[r][c]);
}

INLINE void panel_groups(
    const traits t, const int C, const uint8_t *panel, size_t panel_stride, int groups, int64_t blocks,
    const uint8_t *tile, float *out, int64_t stride, bool start, fetch ahead
) {
    int r = 0;
    if (MICRO_ROWS == 3 && C == 4 && groups == 3) {
        panel_tile(t, 3, C, panel, panel_stride, blocks, tile, out, stride, start, ahead);
        return;
    }
    for (; MICRO_ROWS >= 2 && C == 4 && r + 2 <= groups; r += 2) {
        const uint8_t *first = panel + (size_t)r * panel_stride;
        panel_tile(t, 2, C, first, panel_stride, blocks, tile, out + 16 * r, stride, start, ahead);
        ahead.base += 2 * ahead.stride;
    }
    for (; r < groups; r++) {
        const uint8_t *only = panel + (size_t)r * panel_stride;
        panel_tile(t, 1, C, only, panel_stride, blocks, tile, out + 16 * r, stride, start, ahead);
        ahead.base += ahead.stride;
    }
}

#define PANEL_KERNEL(name, group, has_min)                                                                             \
    static void panel_##name(                                                                                          \
        const uint8_t *panel, size_t panel_stride, int groups, int64_t blocks, const uint8_t *tile, int width,         \
        float *out, int64_t stride, bool start, fetch ahead                                                            \
    ) {                                                                                                                \
        const traits t = {group, has_min, has_min ? 0 : 128};                                                          \
        if (width == 4) panel_groups(t, 4, panel, panel_stride, groups, blocks, tile, out, stride, start, ahead);      \
        else if (width == 2) panel_groups(t, 2, panel, panel_stride, groups, blocks, tile, out, stride, start, ahead); \
        else panel_groups(t, 1, panel, panel_stride, groups, blocks, tile, out, stride, start, ahead);                 \
    }
PANEL_KERNEL(32, 32, 0)
PANEL_KERNEL(32_min, 32, 1)
PANEL_KERNEL(16, 16, 0)
PANEL_KERNEL(16_min, 16, 1)

// MARK: GGUF blocks

// Codes of a block of 32 columns, `row_codes` bytes apart from row to row, as 8 vectors.
INLINE void interleave(const int8_t *codes, size_t row_codes, u8x64 *vectors) {
    uint32_t dwords[8][16];
    for (int r = 0; r < 16; r++) {
        uint32_t row[8];
        __builtin_memcpy(row, codes + (size_t)r * row_codes, sizeof row);
        UNROLL for (int v = 0; v < 8; v++) dwords[v][r] = row[v];
    }
    __builtin_memcpy(vectors, dwords, sizeof dwords);
}

// Blocks of 16 rows (fewer at the end of a matrix: the rest are zeros) as a panel.
#define UNPACK_BLOCKS(name, length, group, has_min)                                                              \
    INLINE void name##_unpack_rows(                                                                              \
        const uint8_t *rows, size_t row_bytes, int valid, int64_t block_begin, int64_t block_end, uint8_t zero,  \
        uint8_t *to_codes, uint8_t *rest, size_t codes_step, size_t rest_step                                    \
    ) {                                                                                                          \
        enum { BLOCKS = length / BLOCK, SCALES = length / group, HALVES = BLOCK / group };                       \
        const int8_t *const table = READ_TABLE((const block_##name *)0);                                         \
        int8_t codes[16][length] = {0};                                                                          \
        float scales[16][SCALES] = {0}, mins[16][SCALES] = {0};                                                  \
        for (int64_t b = block_begin; b < block_end; b += BLOCKS) {                                              \
            for (int r = 0; r < valid; r++) {                                                                    \
                const block_##name *block = (const block_##name *)(rows + (size_t)r * row_bytes) + b / BLOCKS;   \
                READ(name, block, codes[r], scales[r], mins[r]);                                                 \
            }                                                                                                    \
            for (int i = 0; i < BLOCKS; i++) {                                                                   \
                u8x64 vectors[8];                                                                                \
                interleave(codes[0] + BLOCK * i, length, vectors);                                               \
                UNROLL for (int v = 0; v < 8; v++) *(u8x64 *)(to_codes + 64 * v) =                               \
                    table ? lookup(vectors[v], table, zero) : has_min ? vectors[v] : vectors[v] + zero;          \
                float *fields = (float *)rest;                                                                   \
                for (int h = 0; h < HALVES; h++)                                                                 \
                    for (int r = 0; r < 16; r++) fields[16 * h + r] = scales[r][HALVES * i + h];                 \
                for (int h = 0; has_min && h < HALVES; h++)                                                      \
                    for (int r = 0; r < 16; r++) fields[16 * (HALVES + h) + r] = mins[r][HALVES * i + h];        \
                to_codes += codes_step;                                                                          \
                rest += rest_step;                                                                               \
            }                                                                                                    \
        }                                                                                                        \
    }                                                                                                            \
    static void name##_unpack_blocks(                                                                            \
        const uint8_t *rows, size_t row_bytes, int valid, int64_t block_begin, int64_t block_end, uint8_t zero,  \
        uint8_t *panel                                                                                           \
    ) {                                                                                                          \
        const size_t bytes = panel_bytes(group, has_min);                                                        \
        name##_unpack_rows(                                                                                      \
            rows, row_bytes, valid, block_begin, block_end, zero, panel, panel + 512, bytes, bytes);             \
    }
#define UNPACK_SMALL(name) UNPACK_BLOCKS(name, LENGTH_##name, GROUP_##name, HAS_MIN_##name)
SMALL_FORMAT_LIST(UNPACK_SMALL)

// MARK: Repacked blocks

#define PACK(name, record_blocks, code_offset)                                                                  \
    static void name##_pack(const uint8_t *rows, size_t row_bytes, int valid, int64_t blocks, uint8_t *group) { \
        enum { LENGTH = LENGTH_##name, BLOCKS = LENGTH / BLOCK };                                               \
        int8_t codes[16][LENGTH] = {0};                                                                         \
        float scales[16], mins[16];                                                                             \
        packed_##name *records = (packed_##name *)group;                                                        \
        for (int64_t b = 0; b < blocks; b += BLOCKS) {                                                          \
            packed_##name *p = records + b / record_blocks;                                                     \
            const int first = (int)(b % record_blocks);                                                         \
            for (int r = 0; r < valid; r++) {                                                                   \
                const block_##name *block = (const block_##name *)(rows + (size_t)r * row_bytes) + b / BLOCKS;  \
                READ(name, block, codes[r], scales, mins);                                                      \
                name##_put_scales(p, first, r, block);                                                          \
            }                                                                                                   \
            for (int i = 0; i < BLOCKS; i++) {                                                                  \
                u8x64 vectors[8];                                                                               \
                interleave(codes[0] + BLOCK * i, LENGTH, vectors);                                              \
                const bool indices = READ_TABLE((const block_##name *)0) != 0;                                  \
                UNROLL for (int v = 0; v < 8; v++) vectors[v] += indices ? 0 : code_offset;                     \
                name##_put_codes(p, first + i, vectors);                                                        \
            }                                                                                                   \
        }                                                                                                       \
    }
SMALL_LIST(PACK)
SUPER_LIST(PACK)

#define PACK_GRID(name, record_blocks, code_offset)                                                             \
    static void name##_pack(const uint8_t *rows, size_t row_bytes, int valid, int64_t blocks, uint8_t *group) { \
        packed_##name *records = (packed_##name *)group;                                                        \
        for (int64_t b = 0; b < blocks / record_blocks; b++) {                                                  \
            __builtin_memset(records + b, 0, sizeof *records);                                                  \
            for (int r = 0; r < valid; r++)                                                                     \
                name##_put_row(records + b, r, (const block_##name *)(rows + (size_t)r * row_bytes) + b);       \
        }                                                                                                       \
    }
GRID_LIST(PACK_GRID)

#define UNPACK_PACKED(name, record_blocks, code_offset)                                                              \
    INLINE void name##_unpack_group(                                                                                 \
        const uint8_t *group, int64_t block_begin, int64_t block_end, uint8_t zero, uint8_t *to_codes,               \
        uint8_t *rest, size_t codes_step, size_t rest_step                                                           \
    ) {                                                                                                              \
        const traits t = {GROUP_##name, HAS_MIN_##name, code_offset};                                                \
        const uint8_t shift = (uint8_t)(t.has_min ? 0 : zero - code_offset);                                         \
        for (int64_t b = block_begin; b < block_end; b++) {                                                          \
            const packed_##name *p = (const packed_##name *)group + b / record_blocks;                               \
            const int at = (int)(b % record_blocks);                                                                 \
            u8x64 codes[8];                                                                                          \
            UNROLL for (int v = 0; v < 8; v++) codes[v] = name##_code(p, at, v) + shift;                             \
            UNROLL for (int v = 0; v < 8; v++) *(u8x64 *)(to_codes + 64 * v) = codes[v];                             \
            UNROLL for (int h = 0; h < halves(t); h++) {                                                             \
                store_f32(rest + 64 * h, name##_scale(p, at, h));                                                    \
                if (t.has_min) store_f32(rest + 64 * (halves(t) + h), name##_min(p, at, h));                         \
            }                                                                                                        \
            to_codes += codes_step;                                                                                  \
            rest += rest_step;                                                                                       \
        }                                                                                                            \
    }                                                                                                                \
    static void name##_unpack_packed(                                                                                \
        const uint8_t *group, int64_t block_begin, int64_t block_end, uint8_t zero, uint8_t *panel                   \
    ) {                                                                                                              \
        const size_t bytes = panel_bytes(GROUP_##name, HAS_MIN_##name);                                              \
        name##_unpack_group(group, block_begin, block_end, zero, panel, panel + 512, bytes, bytes);                  \
    }
SMALL_LIST(UNPACK_PACKED)

// The same for a matrix unit, up to UNIT_BLOCKS * n with zeros.
#if KERNEL_ISA >= ISA_AVX512_VBMI
INLINE void clear_missing(int64_t blocks, size_t rest_step, uint8_t *codes, uint8_t *rest) {
    const size_t missing = (size_t)missing_blocks(blocks);
    __builtin_memset(codes + 512 * blocks, 0, missing * 512);
    __builtin_memset(rest + rest_step * (size_t)blocks, 0, missing * rest_step);
}
#define UNPACK_PACKED_WIDE(name, record_blocks, code_offset)                                                         \
    static void name##_unpack_packed_wide(                                                                           \
        const uint8_t *group, int64_t block_begin, int64_t block_end, uint8_t *codes, uint8_t *rest                  \
    ) {                                                                                                              \
        const size_t step = panel_bytes(GROUP_##name, HAS_MIN_##name) - 512;                                         \
        name##_unpack_group(group, block_begin, block_end, 0, codes, rest, 512, step);                               \
        clear_missing(block_end - block_begin, step, codes, rest);                                                   \
    }
#define UNPACK_BLOCKS_WIDE(name)                                                                                     \
    static void name##_unpack_blocks_wide(                                                                           \
        const uint8_t *rows, size_t row_bytes, int valid, int64_t block_begin, int64_t block_end, uint8_t *codes,    \
        uint8_t *rest                                                                                                \
    ) {                                                                                                              \
        const size_t step = panel_bytes(GROUP_##name, HAS_MIN_##name) - 512;                                         \
        name##_unpack_rows(rows, row_bytes, valid, block_begin, block_end, 0, codes, rest, 512, step);               \
        clear_missing(block_end - block_begin, step, codes, rest);                                                   \
    }
SMALL_LIST(UNPACK_PACKED_WIDE)
SMALL_FORMAT_LIST(UNPACK_BLOCKS_WIDE)
#endif

// Bytes ahead of the current ones to fetch: DRAM latency is the limit of a single row, and the hardware alone does
// not keep four streams busy. Farther, or into other caches, was slower.
#define PREFETCH_AHEAD 2048

INLINE void prefetch_block(const uint8_t *p, size_t ahead, size_t bytes) {
    UNROLL for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(p + ahead + i, 0, 3);
}

// The same counted from `at` in a row group: behind its end the row group that follows the R streamed now.
INLINE size_t fetch_ahead(const int R, size_t group_bytes, size_t at) {
    return PREFETCH_AHEAD + (at + PREFETCH_AHEAD < group_bytes ? 0 : (size_t)(R - 1) * group_bytes);
}

#define DIRECT_TILE(name, record_blocks, code_offset)                                                            \
    INLINE void name##_direct_tile(                                                                              \
        const int R, const int C, const uint8_t *group, size_t group_bytes, int64_t blocks, const uint8_t *tile, \
        float *out, int64_t stride                                                                               \
    ) {                                                                                                          \
        const traits t = {GROUP_##name, HAS_MIN_##name, code_offset};                                            \
        f32x16 acc[4][4];                                                                                        \
        UNROLL for (int r = 0; r < R; r++) UNROLL for (int c = 0; c < C; c++) acc[r][c] = 0;                     \
        for (int64_t first = 0; first < blocks; first += record_blocks) {                                        \
            const int count = record_blocks < blocks - first ? record_blocks : (int)(blocks - first);            \
            const packed_##name *p[4];                                                                           \
            UNROLL for (int r = 0; r < R; r++)                                                                   \
                p[r] = (const packed_##name *)(group + (size_t)r * group_bytes) + first / record_blocks;         \
            for (int b = 0; b < count; b++) {                                                                    \
                const size_t part = sizeof(packed_##name) / record_blocks;                                       \
                UNROLL for (int r = 0; r < R; r++)                                                               \
                    prefetch_block((const uint8_t *)p[r] + (size_t)b * part, PREFETCH_AHEAD, part);              \
                ADD_BLOCK(                                                                                       \
                    t, R, C, tile + (first + b) * TILE_BYTES * C, acc, name##_code(p[r], b, v),                  \
                    name##_scale(p[r], b, h), name##_min(p[r], b, h));                                           \
            }                                                                                                    \
        }                                                                                                        \
        UNROLL for (int r = 0; r < R; r++) UNROLL for (int c = 0; c < C; c++)                                    \
            store_f32(out + c * stride + r * CPU_GROUP_ROWS, acc[r][c]);                                         \
    }                                                                                                            \
    DIRECT_WIDTHS(name)

#define DIRECT_WIDTHS(name)                                                                                        \
    INLINE void name##_direct_width(                                                                               \
        const int R, const int C, const uint8_t *group, size_t group_bytes, int64_t groups, int64_t blocks,        \
        const uint8_t *tile, float *out, int64_t stride                                                            \
    ) {                                                                                                            \
        int64_t g = 0;                                                                                             \
        for (; g + R <= groups; g += R)                                                                            \
            name##_direct_tile(                                                                                    \
                R, C, group + (size_t)g * group_bytes, group_bytes, blocks, tile, out + 16 * g, stride);           \
        for (; R > 1 && g < groups; g++)                                                                           \
            name##_direct_tile(                                                                                    \
                1, C, group + (size_t)g * group_bytes, group_bytes, blocks, tile, out + 16 * g, stride);           \
    }                                                                                                              \
    static void name##_direct(                                                                                     \
        const uint8_t *group, size_t group_bytes, int64_t groups, int64_t blocks, const uint8_t *tile, int width,  \
        float *out, int64_t stride                                                                                 \
    ) {                                                                                                            \
        const bool wide = KERNEL_ISA >= ISA_AVX512, any = KERNEL_ISA != ISA_PORTABLE;                              \
        if (width == 1)                                                                                            \
            name##_direct_width(wide ? 4 : any ? 2 : 1, 1, group, group_bytes, groups, blocks, tile, out, stride); \
        else if (width == 2)                                                                                       \
            name##_direct_width(wide ? 4 : 1, 2, group, group_bytes, groups, blocks, tile, out, stride);           \
        else name##_direct_width(wide ? 2 : 1, 4, group, group_bytes, groups, blocks, tile, out, stride);          \
    }
SMALL_LIST(DIRECT_TILE)

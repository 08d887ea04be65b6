// Kernels of the formats with blocks of 256 columns, one instruction set's copy. For each output
//     acc = 0; for blocks, ascending:
//         acc = fma(float(sum of s * dot of codes), d of weights * scale of x, acc)
//         acc = fma(-float(sum of m * sum of codes of x), dmin of weights * scale of x, acc)       (formats with mins)
// Sums are integers and exact: they may be taken in any order, and of products s * code as well as of codes.
#pragma once
#include "layouts/all.h"
#include "products.h"
#include "read.h"
#include "super_rows.h"

typedef struct {
    int group, has_min;
    int products;  // whether codes are products of scale and code
    int offset;    // of codes: 128 where dot products are taken by dot_u8, at most 64 where by dot_u7
    int narrow;    // whether dot products of a group and scales fit in 16 bits
    int run;       // blocks whose scaled dot products are added up as floats, or 0; it divides the format's
    int floats;    // whether scales are floats already
} super_traits;

// total + s * dot.
INLINE i32x16 add_scaled(const super_traits t, i32x16 total, i32x16 dot, i32x16 s) {
    return t.narrow ? add_pairs(total, (i16x32)dot, (i16x32)(s & 0xffff)) : total + dot * s;
}

// Adds dot products of vectors `first ..< first + 8 / parts` of a block.
#define ADD_VECTORS(T, R, C, PARTS, PART, BLOCK_TILE, DOT, CODE)                                                     \
    UNROLL for (int i_ = 0; i_ < 8 / (PARTS); i_++) {                                                                \
        /* Vectors w and w + 4 of a 4-bit plane lie in the same register: take them together. */                     \
        const int v = (PARTS) == 1 ? i_ / 2 + (i_ % 2) * 4 : 4 * (PART) + i_;                                        \
        u8x64 w_[4];                                                                                                 \
        UNROLL for (int r = 0; r < (R); r++) w_[r] = CODE;                                                           \
        UNROLL for (int c = 0; c < (C); c++) {                                                                       \
            const i32x16 x_ = (i32x16)load_i32((BLOCK_TILE) + TILE_CODES + 4 * (v * (C) + c));                       \
            UNROLL for (int r = 0; r < (R); r++) (DOT)[r][c] =                                                       \
                (T).offset == 128 ? dot_u8((DOT)[r][c], w_[r], x_) : dot_u7((DOT)[r][c], w_[r], x_);                 \
        }                                                                                                            \
    }

#define START_DOTS(T, R, C, DOT, AT)                                                                                 \
    do {                                                                                                             \
        const bool init_ = (T).offset == 128 ? !DOT_U8_IS_SIGNED : (T).offset != 0;                                  \
        const int divisor_ = 128 / ((T).offset ? (T).offset : 1);                                                    \
        UNROLL for (int c = 0; c < (C); c++) {                                                                       \
            const int32_t start_ = init_ ? load_i32((AT) + 4 * c) / divisor_ : 0;                                    \
            UNROLL for (int r = 0; r < (R); r++) (DOT)[r][c] = (i32x16)start_;                                       \
        }                                                                                                            \
    } while (0)

// Adds one block's products of R row groups and C rows of x. Vector v of block b of group r is CODE(b, v, r), S its
// scales, MINS pair j of its mins.
#define ADD_SUPER(T, R, C, TILE, ACC, AHEAD, CODE, S, D, DMIN, MINS)                                                 \
    do {                                                                                                             \
        const uint8_t *const tile_ = (TILE);                                                                         \
        i32x16 total_[4][4];                                                                                         \
        if ((T).products) START_DOTS(T, R, C, total_, tile_ + TILE_INIT_SUPER * (C));                                \
        else UNROLL for (int c = 0; c < (C); c++) UNROLL for (int r = 0; r < (R); r++) total_[r][c] = 0;             \
        for (int first_ = 0; first_ < SUPER_BLOCKS; first_ += (T).run ? (T).run : SUPER_BLOCKS) {                    \
            f32x16 run_[4][4];                                                                                       \
            if ((T).run) UNROLL for (int c = 0; c < (C); c++) UNROLL for (int r = 0; r < (R); r++) run_[r][c] = 0;   \
            for (int b = first_; b < first_ + ((T).run ? (T).run : SUPER_BLOCKS); b++) {                             \
                const uint8_t *const block_ = tile_ + b * TILE_BYTES * (C);                                          \
                AHEAD;                                                                                               \
                if ((T).products) {                                                                                  \
                    ADD_VECTORS(T, R, C, 1, 0, block_, total_, CODE)                                                 \
                    continue;                                                                                        \
                }                                                                                                    \
                UNROLL for (int h = 0; h < BLOCK / (T).group; h++) {                                                 \
                    i32x16 dot_[4][4];                                                                               \
                    const int field_ = (T).group == 32 ? TILE_INIT : h == 0 ? TILE_INIT_LOW : TILE_INIT_HIGH;        \
                    START_DOTS(T, R, C, dot_, block_ + field_ * (C));                                                \
                    ADD_VECTORS(T, R, C, BLOCK / (T).group, h, block_, dot_, CODE)                                   \
                    UNROLL for (int r = 0; r < (R); r++) {                                                           \
                        const i32x16 s_ = S;                                                                         \
                        const f32x16 f_ = (T).floats ? (f32x16)s_ : __builtin_convertvector(s_, f32x16);             \
                        UNROLL for (int c = 0; c < (C); c++) {                                                       \
                            if ((T).run) run_[r][c] =                                                                \
                                fma16(__builtin_convertvector(dot_[r][c], f32x16), f_, run_[r][c]);                  \
                            else total_[r][c] = add_scaled(T, total_[r][c], dot_[r][c], s_);                         \
                        }                                                                                            \
                    }                                                                                                \
                }                                                                                                    \
            }                                                                                                        \
            if ((T).run) UNROLL for (int r = 0; r < (R); r++) UNROLL for (int c = 0; c < (C); c++)                   \
                total_[r][c] += __builtin_convertvector(run_[r][c], i32x16);                                         \
        }                                                                                                            \
        const float *const scales_ = (const float *)(tile_ + TILE_SCALE * (C));                                      \
        UNROLL for (int r = 0; r < (R); r++) {                                                                       \
            const f32x16 d_ = D;                                                                                     \
            UNROLL for (int c = 0; c < (C); c++) (ACC)[r][c] =                                                       \
                fma16(__builtin_convertvector(total_[r][c], f32x16), d_ * (f32x16)scales_[c], (ACC)[r][c]);          \
            if (!(T).has_min) continue;                                                                              \
            i32x16 mins_[4];                                                                                         \
            UNROLL for (int c = 0; c < (C); c++) mins_[c] = 0;                                                       \
            UNROLL for (int j = 0; j < SUPER / (T).group / 2; j++) {                                                 \
                const int at_ = (T).group == 32 ? 2 * j * TILE_BYTES + TILE_PAIR_32 : j * TILE_BYTES + TILE_PAIR_16; \
                const i16x32 pairs_ = MINS;                                                                          \
                UNROLL for (int c = 0; c < (C); c++) mins_[c] =                                                      \
                    add_pairs(mins_[c], pairs_, (i16x32)(i32x16)load_i32(tile_ + at_ * (C) + 4 * c));                \
            }                                                                                                        \
            const f32x16 dmin_ = DMIN;                                                                               \
            UNROLL for (int c = 0; c < (C); c++) (ACC)[r][c] =                                                       \
                fma16(-__builtin_convertvector(mins_[c], f32x16), dmin_ * (f32x16)scales_[c], (ACC)[r][c]);          \
        }                                                                                                            \
    } while (0)

// MARK: Panels

INLINE void super_tile(
    const super_traits t, const int R, const int C, const uint8_t *panel, size_t panel_stride, int64_t blocks,
    const uint8_t *tile, float *out, int64_t stride, bool start, fetch ahead
) {
    f32x16 acc[4][4];
    UNROLL for (int r = 0; r < R; r++) UNROLL for (int c = 0; c < C; c++)
        acc[r][c] = start ? (f32x16)0 : load_f32(out + c * stride + r * CPU_GROUP_ROWS);
    for (int64_t first = 0; first < blocks; first += SUPER_BLOCKS) {
        const uint8_t *p = panel + (size_t)(first / SUPER_BLOCKS) * super_panel_bytes(t.group, t.has_min, t.products);
        const uint8_t *tail = p + super_tail(t.group, t.products);
        ADD_SUPER(
            t, R, C, tile + first * TILE_BYTES * C, acc,
            for (int64_t line = (first + b) * ahead.lines; line < (first + b + 1) * ahead.lines; line++)
                UNROLL for (int r = 0; r < R; r++)
                    __builtin_prefetch(ahead.base + (size_t)r * ahead.stride + 64 * line, 0, 2),
            load_u8(p + (size_t)r * panel_stride + 64 * (8 * b + v)),
            (i32x16)load_u8(p + (size_t)r * panel_stride + 64 * (64 + BLOCK / t.group * b + h)),
            load_f32(tail + (size_t)r * panel_stride), load_f32(tail + (size_t)r * panel_stride + 64),
            (i16x32)load_u8(tail + (size_t)r * panel_stride + 64 * (2 + j)));
    }
    UNROLL for (int r = 0; r < R; r++) UNROLL for (int c = 0; c < C; c++)
        store_f32(out + c * stride + r * CPU_GROUP_ROWS, acc[r][c]);
}

INLINE void super_groups(
    const super_traits t, const int C, const uint8_t *panel, size_t panel_stride, int groups, int64_t blocks,
    const uint8_t *tile, float *out, int64_t stride, bool start, fetch ahead
) {
    int r = 0;
    if (MICRO_ROWS == 3 && C == 4 && groups == 3) {
        super_tile(t, 3, C, panel, panel_stride, blocks, tile, out, stride, start, ahead);
        return;
    }
    for (; MICRO_ROWS >= 2 && C == 4 && r + 2 <= groups; r += 2) {
        const uint8_t *first = panel + (size_t)r * panel_stride;
        super_tile(t, 2, C, first, panel_stride, blocks, tile, out + 16 * r, stride, start, ahead);
        ahead.base += 2 * ahead.stride;
    }
    for (; r < groups; r++) {
        const uint8_t *only = panel + (size_t)r * panel_stride;
        super_tile(t, 1, C, only, panel_stride, blocks, tile, out + 16 * r, stride, start, ahead);
        ahead.base += ahead.stride;
    }
}

#define SUPER_KERNEL(name, group, has_min, products, run)                                                              \
    static void name(                                                                                                  \
        const uint8_t *panel, size_t panel_stride, int groups, int64_t blocks, const uint8_t *tile, int width,         \
        float *out, int64_t stride, bool start, fetch ahead                                                            \
    ) {                                                                                                                \
        const super_traits t = {group, has_min, products, has_min ? 0 : 128, 0, run, run != 0};                        \
        if (width == 4) super_groups(t, 4, panel, panel_stride, groups, blocks, tile, out, stride, start, ahead);      \
        else if (width == 2) super_groups(t, 2, panel, panel_stride, groups, blocks, tile, out, stride, start, ahead); \
        else super_groups(t, 1, panel, panel_stride, groups, blocks, tile, out, stride, start, ahead);                 \
    }
SUPER_KERNEL(super_products, 32, 0, 1, 0)
SUPER_KERNEL(super_products_min, 16, 1, 1, 0)
SUPER_KERNEL(super_integers, 32, 0, 0, 0)
// The shortest run of the formats that share a kernel.
SUPER_KERNEL(super_32, 32, 0, 0, 2)
SUPER_KERNEL(super_32_min, 32, 1, 0, 2)
SUPER_KERNEL(super_16, 16, 0, 0, 1)

// MARK: Unpacking

#define UNPACK_SUPER(name, record_blocks, code_offset)                                                                 \
    static void name##_unpack_packed(                                                                                  \
        const uint8_t *group, int64_t block_begin, int64_t block_end, uint8_t zero, uint8_t *panel                     \
    ) {                                                                                                                \
        enum { GROUP = GROUP_##name, MIN = HAS_MIN_##name, PRODUCTS = PRODUCTS_##name, SIGN = SIGN_##name };           \
        const uint8_t offset = MIN ? 0 : zero;                                                                         \
        for (int64_t first = block_begin; first < block_end; first += SUPER_BLOCKS) {                                  \
            const packed_##name *p = (const packed_##name *)group + first / SUPER_BLOCKS;                              \
            for (int b = 0; b < SUPER_BLOCKS; b++) {                                                                   \
                i32x16 s[2];                                                                                           \
                u8x64 shift[2];                                                                                        \
                UNROLL for (int h = 0; h < BLOCK / GROUP; h++) {                                                       \
                    s[h] = name##_s(p, b, h) * SIGN;                                                                   \
                    shift[h] = offset - (PRODUCTS ? all_bytes(s[h] * code_offset) : (u8x64)(uint8_t)code_offset);      \
                }                                                                                                      \
                /* All before the first store: neighbours share what they read. */                                     \
                u8x64 codes[8];                                                                                        \
                UNROLL for (int v = 0; v < 8; v++) codes[v] = name##_code(p, b, v);                                    \
                UNROLL for (int v = 0; v < 8; v++) {                                                                   \
                    const int h = v * (BLOCK / GROUP) / 8;                                                             \
                    *(u8x64 *)(panel + 64 * (8 * b + v)) = (PRODUCTS ? times(codes[v], s[h]) : codes[v]) + shift[h];   \
                }                                                                                                      \
                UNROLL for (int h = 0; h < BLOCK / GROUP && !PRODUCTS; h++) {                                          \
                    uint8_t *const to = panel + 64 * (64 + BLOCK / GROUP * b + h);                                     \
                    if (RUN_##name) store_f32(to, __builtin_convertvector(s[h], f32x16));                              \
                    else *(i32x16 *)to = s[h];                                                                         \
                }                                                                                                      \
            }                                                                                                          \
            name##_put_tail(p, panel + super_tail(GROUP, PRODUCTS));                                                   \
            panel += super_panel_bytes(GROUP, MIN, PRODUCTS);                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    UNPACK_SUPER_BLOCKS(                                                                                               \
        name, name##_unpack_blocks, name##_unpack_packed,                                                              \
        super_panel_bytes(GROUP_##name, HAS_MIN_##name, PRODUCTS_##name))

// Blocks of the file are repacked one at a time.
#define UNPACK_SUPER_BLOCKS(name, from_blocks, from_packed, bytes)                                                     \
    static void from_blocks(                                                                                           \
        const uint8_t *rows, size_t row_bytes, int valid, int64_t block_begin, int64_t block_end, uint8_t zero,        \
        uint8_t *panel                                                                                                 \
    ) {                                                                                                                \
        packed_##name record;                                                                                          \
        __builtin_memset(&record, 0, sizeof record);                                                                   \
        for (int64_t b = block_begin; b < block_end; b += SUPER_BLOCKS) {                                              \
            name##_pack_rows(                                                                                          \
                rows + (size_t)(b / SUPER_BLOCKS) * sizeof(block_##name), row_bytes, valid, SUPER_BLOCKS,              \
                (uint8_t *)&record);                                                                                   \
            from_packed((const uint8_t *)&record, 0, SUPER_BLOCKS, zero, panel);                                       \
            panel += bytes;                                                                                            \
        }                                                                                                              \
    }

#define PUT_TAIL(name, record_blocks, code_offset)                                                                     \
    INLINE void name##_put_tail(const packed_##name *p, uint8_t *tail) {                                               \
        store_f32(tail, name##_d(p) * (float)SIGN_##name);                                                             \
        if (!HAS_MIN_##name) return;                                                                                   \
        store_f32(tail + 64, name##_dmin(p));                                                                          \
        UNROLL for (int j = 0; j < SUPER / GROUP_##name / 2; j++)                                                      \
            *(i16x32 *)(tail + 64 * (2 + j)) = name##_mins(p, j);                                                      \
    }

SUPER_LIST(PUT_TAIL)
GRID_LIST(PUT_TAIL)
SUPER_LIST(UNPACK_SUPER)
GRID_LIST(UNPACK_SUPER)

#if KERNEL_ISA >= ISA_AVX512_VBMI
#define UNPACK_WIDE(name, record_blocks, code_offset)                                                                  \
    static void name##_unpack_packed_wide(                                                                             \
        const uint8_t *group, int64_t block, int64_t block_end, uint8_t *to_codes, uint8_t *rest                       \
    ) {                                                                                                                \
        enum { GROUP = GROUP_##name, SIGN = SIGN_##name };                                                             \
        const wide_kind kind = (wide_kind)KIND_##name;                                                                 \
        const packed_##name *p = (const packed_##name *)group + block / SUPER_BLOCKS;                                  \
        u8x64 *const factors = (u8x64 *)rest;                                                                          \
        for (int b = 0; b < SUPER_BLOCKS; b++) {                                                                       \
            i32x16 s[2];                                                                                               \
            UNROLL for (int h = 0; h < BLOCK / GROUP; h++) s[h] = name##_s(p, b, h) * SIGN;                            \
            u32x16 of_runs = 0;                                                                                        \
            u8x64 all[8];                                                                                              \
            UNROLL for (int v = 0; v < 8; v++) all[v] = name##_code(p, b, v);                                          \
            UNROLL for (int v = 0; v < 8; v++) {                                                                       \
                u8x64 *const to = (u8x64 *)to_codes + 8 * b + v;                                                       \
                const i32x16 scale = s[v * (BLOCK / GROUP) / 8];                                                       \
                const u8x64 codes = all[v];                                                                            \
                if (super_is_split(kind)) split_products(codes, scale, code_offset, to, to + 64);                      \
                else if (kind != SUPER_SHIFTED) *to = times(codes, scale) - all_bytes(scale * code_offset);            \
                else *to = times(unshifted(codes), scale) - all_bytes(scale * 16);                                     \
                if (kind == SUPER_SHIFTED && v % 2 == 0)                                                               \
                    of_runs |= (u32x16)(times(shifts(codes), scale) - all_bytes(scale)) & 0xffu << 4 * v;              \
            }                                                                                                          \
            if (kind == SUPER_SHIFTED) factors[b] = (u8x64)of_runs, factors[8 + b] = eightfold((u8x64)of_runs);        \
        }                                                                                                              \
        uint8_t *const tail = rest + wide_tail(kind);                                                                  \
        if (kind == SUPER_PRODUCTS_MIN) {                                                                              \
            UNROLL for (int j = 0; j < 4; j++) {                                                                       \
                const u32x16 one = (u32x16)name##_mins(p, 2 * j), two = (u32x16)name##_mins(p, 2 * j + 1);             \
                const u8x64 mins = (u8x64)(((one | one >> 8) & 0xffff) | (two | two >> 8) << 16);                      \
                factors[j] = mins;                                                                                     \
                factors[4 + j] = factors[8 + j] = eightfold(mins);                                                     \
                factors[12 + j] = 0;                                                                                   \
            }                                                                                                          \
            store_f32(tail, name##_d(p));                                                                              \
            store_f32(tail + 64, name##_dmin(p));                                                                      \
        } else name##_put_tail(p, tail);                                                                               \
    }                                                                                                                  \
    static void name##_unpack_blocks_wide(                                                                             \
        const uint8_t *rows, size_t row_bytes, int valid, int64_t block, int64_t block_end, uint8_t *codes,            \
        uint8_t *rest                                                                                                  \
    ) {                                                                                                                \
        packed_##name record;                                                                                          \
        __builtin_memset(&record, 0, sizeof record);                                                                   \
        name##_pack_rows(                                                                                              \
            rows + (size_t)(block / SUPER_BLOCKS) * sizeof(block_##name), row_bytes, valid, SUPER_BLOCKS,              \
            (uint8_t *)&record);                                                                                       \
        name##_unpack_packed_wide((const uint8_t *)&record, 0, block_end - block, codes, rest);                        \
    }
SUPER_LIST(UNPACK_WIDE)
GRID_LIST(UNPACK_WIDE)
#endif

// MARK: Repacked blocks

#define DIRECT_SUPER(name, record_blocks, code_offset)                                                                 \
    INLINE void name##_direct_tile(                                                                                    \
        const int R, const int C, const uint8_t *group, size_t group_bytes, int64_t blocks, const uint8_t *tile,       \
        float *out, int64_t stride                                                                                     \
    ) {                                                                                                                \
        enum { UNIT = INDEX_##name == INDEX_tq1_0 || INDEX_##name == INDEX_tq2_0 };                                    \
        enum { NARROW = PRODUCTS_##name || INDEX_##name == INDEX_iq1_m };                                              \
        const super_traits t = {                                                                                       \
            GROUP_##name, HAS_MIN_##name, UNIT, code_offset, NARROW, NARROW ? 0 : RUN_##name, 0};                      \
        f32x16 acc[4][4];                                                                                              \
        UNROLL for (int r = 0; r < R; r++) UNROLL for (int c = 0; c < C; c++) acc[r][c] = 0;                           \
        for (int64_t first = 0; first < blocks; first += SUPER_BLOCKS) {                                               \
            const packed_##name *p[4];                                                                                 \
            UNROLL for (int r = 0; r < R; r++)                                                                         \
                p[r] = (const packed_##name *)(group + (size_t)r * group_bytes) + first / SUPER_BLOCKS;                \
            const size_t part = sizeof(packed_##name) / SUPER_BLOCKS;                                                  \
            const size_t ahead = fetch_ahead(R, group_bytes, (size_t)(first / SUPER_BLOCKS) * sizeof(packed_##name));  \
            ADD_SUPER(                                                                                                 \
                t, R, C, tile + first * TILE_BYTES * C, acc,                                                           \
                UNROLL for (int r = 0; r < R; r++) prefetch_block((const uint8_t *)p[r] + (size_t)b * part, ahead, part), \
                name##_code(p[r], b, v), name##_s(p[r], b, h), name##_d(p[r]), name##_dmin(p[r]),                      \
                name##_mins(p[r], j));                                                                                 \
        }                                                                                                              \
        UNROLL for (int r = 0; r < R; r++) UNROLL for (int c = 0; c < C; c++)                                          \
            store_f32(out + c * stride + r * CPU_GROUP_ROWS, acc[r][c]);                                               \
    }                                                                                                                  \
    DIRECT_WIDTHS(name)
SUPER_LIST(DIRECT_SUPER)
GRID_LIST(DIRECT_SUPER)

#define DIRECT_SUPER_ROWS(name, shared)                                                                                \
    INLINE void name##_rows_tile(                                                                                      \
        const int C, const uint8_t *rows, size_t row_bytes, int64_t blocks, const uint8_t *tile, float *out,           \
        int64_t stride                                                                                                 \
    ) {                                                                                                                \
        const super_traits t = {                                                                                       \
            GROUP_##name, HAS_MIN_##name, 0, OFFSET_##name, PRODUCTS_##name, PRODUCTS_##name ? 0 : RUN_##name, 0};     \
        const uint8_t *ahead = rows + CPU_GROUP_ROWS * row_bytes + FETCH_BEFORE_NEXT;                                  \
        f32x16 acc[4][4];                                                                                              \
        UNROLL for (int c = 0; c < C; c++) acc[0][c] = 0;                                                              \
        for (int64_t first = 0; first < blocks; first += SUPER_BLOCKS, rows += sizeof(block_##name)) {                 \
            packed_##name record;                                                                                      \
            const packed_##name *const p = &record;                                                                    \
            name##_put_rows(&record, rows, row_bytes);                                                                 \
            const size_t part = CPU_GROUP_ROWS * sizeof(block_##name) / SUPER_BLOCKS;                                  \
            ADD_SUPER(                                                                                                 \
                t, 1, C, tile + first * TILE_BYTES * C, acc,                                                           \
                UNROLL for (size_t i = 0; i < part; i += 64) __builtin_prefetch(ahead + (size_t)b * part + i, 0, 2),   \
                name##_code(p, b, v), name##_s(p, b, h), name##_d(p), name##_dmin(p), name##_mins(p, j));              \
            ahead += CPU_GROUP_ROWS * sizeof(block_##name);                                                            \
        }                                                                                                              \
        UNROLL for (int c = 0; c < C; c++) store_f32(out + c * stride, acc[0][c]);                                     \
    }                                                                                                                  \
    DIRECT_ROWS(name)
SUPER_ROWS_LIST(DIRECT_SUPER_ROWS)

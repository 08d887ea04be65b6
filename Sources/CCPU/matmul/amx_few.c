// Products of up to sixteen rows of x with repacked weights on the matrix unit (AMX). Weights meet the rows once: while
// one block is multiplied the next one is unpacked, between the instructions, and the one before becomes floats.
#include "internal.h"

#if defined(__x86_64__)
#define KERNEL_ISA ISA_AVX512_VBMI
#include <immintrin.h>
#pragma clang attribute push(                                                                                            \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,avx2,fma,f16c,amx-tile,amx-int8"))), \
    apply_to = function)
#include "layouts/all.h"
#include "products.h"

enum { TILE_REGISTERS = 6, SUPER_WEIGHTS = 4, SMALL_X = 4 };

// Tile registers for blocks of 256 columns: two sums, 64 columns of x, two of as many columns of weights. For smaller
// ones: four sums, 32 columns of x and of weights.
static void begin(bool super, int rows) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    for (int t = 0; t < TILE_REGISTERS; t++) {
        const bool of_rows = t < SUPER_WEIGHTS || (!super && t == SMALL_X);
        config.row_bytes[t] = !super && t == SMALL_X ? BLOCK : 64;
        config.rows[t] = of_rows ? (uint8_t)rows : super ? CPU_GROUP_ROWS : BLOCK / 4;
    }
    _tile_loadconfig(&config);
}

static void end(void) { _tile_release(); }

// MARK: Unpacking

// One block of a row group: two digits of its products, 4 KiB each, high << shift + low. Where products fit in a byte they
// are the high ones, and the rest is what else is multiplied with sums of x (wide_kind).
enum { DIGIT = 64 * 64, UNPACKED = 2 * DIGIT };

INLINE int digit_bits(const wide_kind kind) { return kind == SUPER_SPLIT_MIN ? 3 : 8; }

// Digits of products of codes below 32 and scales below 64: each is below 256, so that a 16-bit product is two of them.
INLINE void unsigned_digits(const u8x64 *codes, i32x16 s, uint8_t *to) {
    const u16x32 all = (u16x32)(s | s << 16), high = all >> 3, low = all & 7;
    UNROLL for (int v = 0; v < 8; v++) {
        *(u16x32 *)(to + 64 * v) = (u16x32)codes[v] * high;
        *(u16x32 *)(to + DIGIT + 64 * v) = (u16x32)codes[v] * low;
    }
}

// Bytes of products of codes plus `offset` and scales, the low ones unsigned.
INLINE void signed_digits(const u8x64 *codes, i32x16 s, const int offset, const int count, uint8_t *to) {
    const __m512i even_s = (__m512i)((s & 0xff) * 0x10001), odd_s = _mm512_slli_epi16(even_s, 8);
    const __m512i shift = (__m512i)((s * offset & 0xffff) * 0x10001);
    UNROLL for (int v = 0; v < count; v++) {
        // Pairs of an unsigned and a signed number, one of each being zero.
        const u16x32 even = (u16x32)_mm512_sub_epi16(_mm512_maddubs_epi16((__m512i)codes[v], even_s), shift);
        const u16x32 odd = (u16x32)_mm512_sub_epi16(_mm512_maddubs_epi16((__m512i)codes[v], odd_s), shift);
        *(u16x32 *)(to + 64 * v) = even >> 8 | (odd & 0xff00);
        *(u16x32 *)(to + DIGIT + 64 * v) = (even & 0x00ff) | odd << 8;
    }
}

// For each format: 32 columns from block b on, and the rest.
#define UNPACK_FEW(name, record_blocks, code_offset)                                                                     \
    INLINE void name##_unpack_few(const packed_##name *p, const int b, uint8_t *panel) {                                 \
        enum { HALVES = BLOCK / GROUP_##name, UNIT = INDEX_##name == INDEX_tq1_0 || INDEX_##name == INDEX_tq2_0 };       \
        const wide_kind kind = (wide_kind)KIND_##name;                                                                   \
        uint8_t *const to = panel + 64 * 8 * b;                                                                          \
        u8x64 codes[8];                                                                                                  \
        UNROLL for (int v = 0; v < 8; v++) codes[v] = name##_code(p, b, v);                                              \
        i32x16 s[2];                                                                                                     \
        UNROLL for (int h = 0; h < HALVES; h++) s[h] = name##_s(p, b, h) * SIGN_##name;                                  \
        u32x16 of_runs = 0;                                                                                              \
        UNROLL for (int h = 0; h < HALVES; h++) {                                                                        \
            const int first = 8 / HALVES * h;                                                                            \
            if (kind == SUPER_SPLIT_MIN) unsigned_digits(codes, s[h], to);                                               \
            else if (kind == SUPER_SPLIT) signed_digits(codes + first, s[h], code_offset, 8 / HALVES, to + 64 * first);  \
            else UNROLL for (int v = first; v < first + 8 / HALVES; v++) {                                               \
                u8x64 *const product = (u8x64 *)(to + 64 * v);                                                           \
                if (UNIT) *product = codes[v] - code_offset;                                                             \
                else if (kind == SUPER_PRODUCTS_MIN) *product = (u8x64)((u16x32)codes[v] * (u16x32)(s[h] | s[h] << 16)); \
                else if (kind == SUPER_PRODUCTS) *product = times(codes[v], s[h]) - all_bytes(s[h] * code_offset);       \
                else *product = times(unshifted(codes[v]), s[h]) - all_bytes(s[h] * 16);                                 \
                if (kind == SUPER_SHIFTED && v % 2 == 0)                                                                 \
                    of_runs |= (u32x16)(times(shifts(codes[v]), s[h]) - all_bytes(s[h])) & 0xffu << 4 * v;               \
            }                                                                                                            \
        }                                                                                                                \
        u8x64 *const factors = (u8x64 *)(panel + DIGIT);                                                                 \
        if (kind == SUPER_SHIFTED) factors[b] = (u8x64)of_runs, factors[8 + b] = eightfold((u8x64)of_runs);              \
        if (kind == SUPER_PRODUCTS_MIN && b % 2 == 0) {                                                                  \
            const u32x16 one = (u32x16)name##_mins(p, b), two = (u32x16)name##_mins(p, b + 1);                           \
            const u8x64 mins = (u8x64)(((one | one >> 8) & 0xffff) | (two | two >> 8) << 16);                            \
            factors[b / 2] = mins;                                                                                       \
            factors[4 + b / 2] = factors[8 + b / 2] = eightfold(mins);                                                   \
            factors[12 + b / 2] = 0;                                                                                     \
        }                                                                                                                \
    }

// MARK: Products

// Sums of one block that left the tile registers, and where they belong.
typedef struct {
    int32_t sums[2][WIDE_ROWS][16];
    const uint8_t *x;  // what the block of x has beside its codes
    const float *from;  // NULL at the start of a row group
    float *to;
    int64_t from_stride, to_stride;
} block_sums;

#define ADD_FEW(name, record_blocks, code_offset)                                                             \
    INLINE void name##_add_few(const packed_##name *p, const block_sums *sums, int row, int row_end) {        \
        const wide_kind kind = (wide_kind)KIND_##name;                                                        \
        const f32x16 d = name##_d(p) * (float)SIGN_##name, dmin = name##_dmin(p);                             \
        i16x32 mins[4];                                                                                       \
        UNROLL for (int j = 0; j < 4; j++) mins[j] = kind == SUPER_SPLIT_MIN ? name##_mins(p, j) : (i16x32)0; \
        for (int m = row; m < row_end; m++) {                                                                 \
            const i32x16 first = load_i32x16(sums->sums[0][m]), second = load_i32x16(sums->sums[1][m]);       \
            const i32x16 sum = super_is_split(kind) ? (first << digit_bits(kind)) + second : first;           \
            const f32x16 scale = (f32x16)((const float *)(sums->x + WIDE_SCALE))[m];                          \
            f32x16 acc = sums->from ? load_f32(sums->from + m * sums->from_stride) : (f32x16)0;               \
            acc = fma16(__builtin_convertvector(sum, f32x16), d * scale, acc);                                \
            if (HAS_MIN_##name) {                                                                             \
                i32x16 of_mins = second;                                                                      \
                if (kind == SUPER_SPLIT_MIN) {                                                                \
                    of_mins = 0;                                                                              \
                    UNROLL for (int j = 0; j < 4; j++) of_mins = add_pairs(                                   \
                        of_mins, mins[j], (i16x32)(i32x16)load_i32(sums->x + WIDE_SUMS + 16 * m + 4 * j));    \
                }                                                                                             \
                acc = fma16(-__builtin_convertvector(of_mins, f32x16), dmin * scale, acc);                    \
            }                                                                                                 \
            store_f32(sums->to + m * sums->to_stride, acc);                                                   \
        }                                                                                                     \
    }

INLINE i32x16 load_i32x16(const int32_t *p) { return (i32x16)load_u8(p); }

// Products of 64 columns of x from `x` on with both digits of `weights`. Instructions name registers by literals.
INLINE void multiply_64(const wide_kind kind, const uint8_t *x, const uint8_t *weights) {
    _tile_loadd(2, x, 64);
    _tile_loadd(4, weights, 64);
    if (kind == SUPER_SPLIT_MIN) _tile_dpbsud(0, 2, 4);
    else _tile_dpbssd(0, 2, 4);
    if (!super_is_split(kind)) return;
    _tile_loadd(5, weights + DIGIT, 64);
    _tile_dpbsud(1, 2, 5);
}

// What goes beside products (wide_kind).
INLINE void multiply_factors(const wide_kind kind, const uint8_t *x, const uint8_t *factors) {
    _tile_loadd(2, x, 64);
    _tile_loadd(4, factors, 64);
    if (kind == SUPER_PRODUCTS_MIN) _tile_dpbssd(1, 2, 4);
    else _tile_dpbssd(0, 2, 4);
}

enum { FETCH_BLOCKS = 2 };

#define MULTIPLY_FEW(name, record_blocks, code_offset)                                                    \
    static void name##_few(                                                                               \
        const uint8_t *group, size_t group_bytes, int64_t groups, int64_t blocks, wide_x x, int rows,     \
        float *out, int64_t stride, bool start                                                            \
    ) {                                                                                                   \
        const wide_kind kind = (wide_kind)KIND_##name;                                                    \
        const size_t rest_bytes = wide_rest_bytes(kind);                                                  \
        _Alignas(64) uint8_t panels[2][UNPACKED];                                                         \
        _Alignas(64) float acc[WIDE_ROWS][16];                                                            \
        _Alignas(64) block_sums sums;                                                                     \
        const packed_##name *before = NULL, *p = (const packed_##name *)group;                            \
        const int quarter = (rows + 3) / 4;                                                               \
        UNROLL for (int b = 0; b < SUPER_BLOCKS; b++) name##_unpack_few(p, b, panels[0]);                 \
        int64_t b = 0, g = 0;                                                                             \
        for (int64_t unit = 0; unit < groups * blocks; unit++) {                                          \
            const uint8_t *const panel = panels[unit % 2], *const rest = x.rest + (size_t)b * rest_bytes; \
            const bool last = b + 1 == blocks, all = last && g + 1 == groups;                             \
            /* The last one is unpacked again, for nothing. */                                            \
            const packed_##name *const next =                                                             \
                all ? p : last ? (const packed_##name *)(group + (size_t)(g + 1) * group_bytes) : p + 1;  \
            _tile_zero(0);                                                                                \
            _tile_zero(1);                                                                                \
            if (super_has_factors(kind)) multiply_factors(kind, rest + WIDE_SUMS, panel + DIGIT);         \
            UNROLL for (int k = 0; k < 4; k++) {                                                          \
                multiply_64(kind, x.codes + b * WIDE_BYTES + 1024 * k, panel + 1024 * k);                 \
                const size_t part = sizeof *p / 4;                                                        \
                const uint8_t *const ahead = (const uint8_t *)(next + FETCH_BLOCKS) + k * part;           \
                UNROLL for (size_t i = 0; i < part; i += 64) __builtin_prefetch(ahead + i, 0, 3);         \
                name##_unpack_few(next, 2 * k, panels[(unit + 1) % 2]);                                   \
                name##_unpack_few(next, 2 * k + 1, panels[(unit + 1) % 2]);                               \
                const int row = k * quarter, row_end = row + quarter < rows ? row + quarter : rows;       \
                if (before) name##_add_few(before, &sums, row, row_end);                                  \
            }                                                                                             \
            _tile_stored(0, sums.sums[0], 64);                                                            \
            if (kind != SUPER_PRODUCTS && kind != SUPER_SHIFTED) _tile_stored(1, sums.sums[1], 64);       \
            float *const to = out + g * CPU_GROUP_ROWS;                                                   \
            sums.x = rest;                                                                                \
            sums.from = b > 0 ? acc[0] : start ? NULL : to;                                               \
            sums.from_stride = b > 0 ? 16 : stride;                                                       \
            sums.to = last ? to : acc[0];                                                                 \
            sums.to_stride = last ? stride : 16;                                                          \
            before = p;                                                                                   \
            p = next;                                                                                     \
            b = last ? 0 : b + 1;                                                                         \
            g += last;                                                                                    \
        }                                                                                                 \
        name##_add_few(before, &sums, 0, rows);                                                           \
    }

SUPER_LIST(UNPACK_FEW)
GRID_LIST(UNPACK_FEW)
SUPER_LIST(ADD_FEW)
GRID_LIST(ADD_FEW)
SUPER_LIST(MULTIPLY_FEW)
GRID_LIST(MULTIPLY_FEW)

#include "amx_few_small.h"

#define FEW_ENTRY(name, ...) [INDEX_##name] = name##_few,
const few_kernels few_kernels_amx = {
    .begin = begin,
    .end = end,
    .multiply = {SMALL_FEW_LIST(FEW_ENTRY) SUPER_LIST(FEW_ENTRY) GRID_LIST(FEW_ENTRY)},
};
#pragma clang attribute pop
#endif

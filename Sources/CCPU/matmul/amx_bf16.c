// Products of F16 and BF16 on the matrix unit (AMX), whose order of sums is that of tdpbf16ps (see reference.c): a float
// of x is three bf16 numbers, a weight of F16 two, of BF16 one, and a product of sums is a sum of products.
#include "internal.h"

#if defined(__x86_64__)
#define KERNEL_ISA ISA_AVX512_VNNI
#include <immintrin.h>
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c,amx-tile,amx-bf16"))), \
    apply_to = function)
#include "vector.h"

// Tile registers 0 to 3 are results. The rest are records of x and panels of weights: two of each where two records meet
// two panels, three and one where a record meets up to four panels.
enum { TILE_REGISTERS = 8, LAST = TILE_REGISTERS - 1 };

static void begin(int rows) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    for (int t = 0; t < TILE_REGISTERS; t++) {
        config.row_bytes[t] = 64;
        config.rows[t] = t < LAST ? (uint8_t)rows : BLOCK / 2;
    }
    _tile_loadconfig(&config);
}

static void end(void) { _tile_release(); }

// MARK: Rows of x

// bf16 numbers as floats: the nearest, ties to even; the next towards zero where that would be infinite.
INLINE u32x16 nearest_bf16(u32x16 bits) {
    const u32x16 cut = bits & 0xffff0000u, rounded = (bits + 0x7fffu + (bits >> 16 & 1)) & 0xffff0000u;
    const u32x16 infinite = (u32x16)((rounded & 0x7f800000u) == 0x7f800000u);
    return (infinite & cut) | (~infinite & rounded);
}

INLINE void fill_vectors(f32x16 x0, f32x16 x1, uint8_t *out, size_t piece) {
    f32x16 rest[2] = {x0, x1};
    UNROLL for (int p = 0; p < SPLIT_PIECES; p++, out += piece) {
        u16x16 halves[2];
        UNROLL for (int i = 0; i < 2; i++) {
            const u32x16 bits = (u32x16)rest[i], magnitude = bits & 0x7fffffffu;
            const u32x16 broken = (u32x16)(magnitude >= 0x7f800000u);
            // A NaN whose upper half is that of an infinity stays one.
            const u32x16 quiet = (u32x16)(magnitude > 0x7f800000u) & 0x00400000u;
            const u32x16 cut = (bits | quiet) & 0xffff0000u;
            const u32x16 number = (broken & cut) | (~broken & nearest_bf16(bits));
            rest[i] = (f32x16)((u32x16)(rest[i] - (f32x16)number) & ~broken);
            halves[i] = __builtin_convertvector(number >> 16, u16x16);
        }
        __builtin_memcpy(out, halves, sizeof halves);
    }
}

static void fill(const float *x, int64_t columns, uint8_t *out, size_t piece) {
    for (; columns >= BLOCK; columns -= BLOCK, x += BLOCK, out += SPLIT_PIECES * piece)
        fill_vectors(load_f32(x), load_f32(x + 16), out, piece);
    if (columns == 0) return;
    float rest[BLOCK] = {0};
    __builtin_memcpy(rest, x, (size_t)columns * sizeof *x);
    fill_vectors(load_f32(rest), load_f32(rest + 16), out, piece);
}

// MARK: Weights

// Columns k (low halves) and k + 1 of up to 16 rows; zeros beyond.
INLINE u32x16 column_pair(const uint8_t *rows, size_t row_bytes, int valid, int64_t k, int64_t columns) {
    if (k + 1 < columns) {
        const i32x16 iota = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
        const __m512i offsets = (__m512i)(iota * (int32_t)row_bytes);
        const __mmask16 mask = (__mmask16)((1u << valid) - 1);
        return (u32x16)_mm512_mask_i32gather_epi32(_mm512_setzero_si512(), mask, offsets, rows + 2 * k, 1);
    }
    u32x16 pair = 0;
    for (int r = 0; r < valid && k < columns; r++) {
        uint16_t element;
        __builtin_memcpy(&element, rows + (size_t)r * row_bytes + 2 * k, sizeof element);
        pair[r] = element;
    }
    return pair;
}

static void pack_bf16(const uint8_t *rows, size_t row_bytes, int valid, int64_t columns, uint8_t *group) {
    for (int64_t k = 0; k < (columns + BLOCK - 1) / BLOCK * BLOCK; k += 2, group += 64) {
        const u32x16 pair = column_pair(rows, row_bytes, valid, k, columns);
        __builtin_memcpy(group, &pair, sizeof pair);
    }
}

static void pack_f16(const uint8_t *rows, size_t row_bytes, int valid, int64_t columns, uint8_t *group) {
    for (int64_t k = 0; k < (columns + BLOCK - 1) / BLOCK * BLOCK; k += 2, group += 64) {
        const u32x16 pair = column_pair(rows, row_bytes, valid, k, columns);
        const u16x16 halves[2] = {
            __builtin_convertvector(pair & 0xffffu, u16x16), __builtin_convertvector(pair >> 16, u16x16)};
        __builtin_memcpy(group, halves, sizeof halves);
    }
}

// The first of two bf16 numbers is the largest one smaller than the weight, so that the second is not zero and has its
// sign: an infinite x times both is infinite. 1 - 2^-12 times the eleven bits of F16 is exact in f32.
INLINE u32x16 first_of_two(f32x16 weight) { return (u32x16)(weight * (f32x16)(1 - 0x1p-12f)) & 0xffff0000u; }

// The upper halves of both.
INLINE u32x16 upper_halves(u32x16 even, u32x16 odd) {
    const __m512i second_to_first = _mm512_set4_epi32(0x0f0e, 0x0b0a, 0x0706, 0x0302);
    // As an intrinsic the compiler makes it a shuffle of two vectors, which is three instructions inside.
    __asm__("vpshufb %2, %1, %0 %{%3%}"
            : "+v"(odd)
            : "v"(even), "v"(second_to_first), "Yk"((__mmask64)0x3333333333333333u));
    return odd;
}

// Fetches as many bytes `ahead`, where that is not 0.
INLINE void expand_block(const uint8_t *group, uint8_t *panel, size_t ahead) {
    for (int k = 0; k < BLOCK; k += 2, group += 64, panel += 64) {
        const f32x16 even = f32_of_f16((const uint16_t *)group), odd = f32_of_f16((const uint16_t *)(group + 32));
        const u32x16 even_first = first_of_two(even), odd_first = first_of_two(odd);
        const u32x16 first = upper_halves(even_first, odd_first);
        const u32x16 second =
            upper_halves((u32x16)(even - (f32x16)even_first), (u32x16)(odd - (f32x16)odd_first));
        if (ahead) __builtin_prefetch(group + ahead, 0, 3);
        __builtin_memcpy(panel, &first, sizeof first);
        __builtin_memcpy(panel + SPLIT_WEIGHT_BYTES, &second, sizeof second);
    }
}

static void expand(const uint8_t *group, int64_t blocks, uint8_t *panel) {
    for (int64_t b = 0; b < blocks; b++) expand_block(group + b * SPLIT_WEIGHT_BYTES, panel + 2 * b * SPLIT_WEIGHT_BYTES, 0);
}

// MARK: Products

INLINE void prefetch(const uint8_t *base, int lines) {
    for (int line = 0; line < lines; line++) __builtin_prefetch(base + 64 * line, 0, 2);
}

// Instructions name registers by literals.
#define SQUARE_MULTIPLY             \
    do {                            \
        _tile_dpbf16ps(0, 4, 6);    \
        _tile_dpbf16ps(1, 4, 7);    \
        _tile_dpbf16ps(2, 5, 6);    \
        _tile_dpbf16ps(3, 5, 7);    \
    } while (0)
#define SQUARE_LOAD_X(PIECE)                                   \
    do {                                                       \
        _tile_loadd(4, x + (PIECE) * piece, 64);               \
        _tile_loadd(5, x + record + (PIECE) * piece, 64);      \
    } while (0)
#define SQUARE_LOAD_WEIGHTS(FROM)                   \
    do {                                            \
        _tile_loadd(6, (FROM), 64);                 \
        _tile_loadd(7, (FROM) + panel_stride, 64);  \
    } while (0)

INLINE void square(
    const bool low, const uint8_t *x, size_t record, const uint8_t *panel, size_t panel_stride, int64_t blocks,
    float *out, int64_t stride, bool start, fetch ahead
) {
    const size_t piece = SPLIT_ROWS * BLOCK * 2, bytes = (size_t)stride * sizeof *out;
    if (start) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    } else {
        _tile_loadd(0, out, bytes);
        _tile_loadd(1, out + CPU_GROUP_ROWS, bytes);
        _tile_loadd(2, out + SPLIT_ROWS * stride, bytes);
        _tile_loadd(3, out + SPLIT_ROWS * stride + CPU_GROUP_ROWS, bytes);
    }
    for (int64_t b = 0; b < blocks; b++, x += SPLIT_PIECES * piece, panel += (size_t)SPLIT_WEIGHT_BYTES * (1 + low)) {
        SQUARE_LOAD_WEIGHTS(panel);
        SQUARE_LOAD_X(2);
        SQUARE_MULTIPLY;
        prefetch(ahead.base + 64 * b * ahead.lines, ahead.lines);
        SQUARE_LOAD_X(1);
        SQUARE_MULTIPLY;
        prefetch(ahead.base + ahead.stride + 64 * b * ahead.lines, ahead.lines);
        SQUARE_LOAD_X(0);
        SQUARE_MULTIPLY;
        if (!low) continue;
        SQUARE_LOAD_WEIGHTS(panel + SPLIT_WEIGHT_BYTES);
        SQUARE_MULTIPLY;
        SQUARE_LOAD_X(1);
        SQUARE_MULTIPLY;
    }
    _tile_stored(0, out, bytes);
    _tile_stored(1, out + CPU_GROUP_ROWS, bytes);
    _tile_stored(2, out + SPLIT_ROWS * stride, bytes);
    _tile_stored(3, out + SPLIT_ROWS * stride + CPU_GROUP_ROWS, bytes);
}

#define FLAT_GROUPS(STEP)       \
    do {                        \
        STEP(0);                \
        if (groups > 1) STEP(1); \
        if (groups > 2) STEP(2); \
        if (groups > 3) STEP(3); \
    } while (0)
#define FLAT_START(R)                                              \
    do {                                                           \
        if (start) _tile_zero(R);                                  \
        else _tile_loadd(R, out + (R) * CPU_GROUP_ROWS, bytes);    \
    } while (0)
#define FLAT_STORE(R) _tile_stored(R, out + (R) * CPU_GROUP_ROWS, bytes)
#define FLAT_MULTIPLY(R)                                                              \
    do {                                                                              \
        _tile_loadd(7, panel + (R) * panel_stride, 64);                               \
        prefetch(ahead.base + (R) * ahead.stride + 64 * b * ahead.lines, ahead.lines); \
        _tile_dpbf16ps(R, 6, 7);                                                      \
        _tile_dpbf16ps(R, 5, 7);                                                      \
        _tile_dpbf16ps(R, 4, 7);                                                      \
        if (!low) break;                                                              \
        _tile_loadd(7, panel + (R) * panel_stride + SPLIT_WEIGHT_BYTES, 64);          \
        _tile_dpbf16ps(R, 4, 7);                                                      \
        _tile_dpbf16ps(R, 5, 7);                                                      \
    } while (0)

INLINE void flat_groups(
    const bool low, const uint8_t *x, int rows, const uint8_t *panel, size_t panel_stride, const int groups,
    int64_t blocks, float *out, int64_t stride, bool start, fetch ahead
) {
    const size_t piece = (size_t)rows * BLOCK * 2, bytes = (size_t)stride * sizeof *out;
    FLAT_GROUPS(FLAT_START);
    for (int64_t b = 0; b < blocks; b++, x += SPLIT_PIECES * piece, panel += (size_t)SPLIT_WEIGHT_BYTES * (1 + low)) {
        _tile_loadd(4, x, 64);
        _tile_loadd(5, x + piece, 64);
        _tile_loadd(6, x + 2 * piece, 64);
        FLAT_GROUPS(FLAT_MULTIPLY);
    }
    FLAT_GROUPS(FLAT_STORE);
}

#define STREAM_STEP(R)                                                                                       \
    do {                                                                                                     \
        FLAT_MULTIPLY(R);                                                                                    \
        expand_block(next + (R) * group_bytes, panels[(b + 1) % 2] + (R) * PANEL, AHEAD);                    \
    } while (0)

// The same straight from repacked F16: while one block is multiplied the next one is expanded.
INLINE void stream_groups(
    const uint8_t *x, int rows, const uint8_t *group, size_t group_bytes, const int groups, int64_t blocks, float *out,
    int64_t stride, bool start
) {
    enum { PANEL = 2 * SPLIT_WEIGHT_BYTES, AHEAD = 4 * SPLIT_WEIGHT_BYTES };
    _Alignas(64) uint8_t panels[2][STREAM_GROUPS * PANEL];
    const size_t piece = (size_t)rows * BLOCK * 2, bytes = (size_t)stride * sizeof *out, panel_stride = PANEL;
    const bool low = true;
    const fetch ahead = {0};
    for (int r = 0; r < groups; r++) expand_block(group + (size_t)r * group_bytes, panels[0] + r * PANEL, AHEAD);
    FLAT_GROUPS(FLAT_START);
    for (int64_t b = 0; b < blocks; b++, x += SPLIT_PIECES * piece) {
        // The last one is expanded again, for nothing.
        const uint8_t *panel = panels[b % 2], *next = group + (b + (b + 1 < blocks)) * SPLIT_WEIGHT_BYTES;
        _tile_loadd(4, x, 64);
        _tile_loadd(5, x + piece, 64);
        _tile_loadd(6, x + 2 * piece, 64);
        FLAT_GROUPS(STREAM_STEP);
    }
    FLAT_GROUPS(FLAT_STORE);
}

static void stream(
    const uint8_t *x, int rows, const uint8_t *group, size_t group_bytes, int groups, int64_t blocks, float *out,
    int64_t stride, bool start
) {
    if (groups == STREAM_GROUPS)
        stream_groups(x, rows, group, group_bytes, STREAM_GROUPS, blocks, out, stride, start);
    else stream_groups(x, rows, group, group_bytes, groups, blocks, out, stride, start);
}

#define SPLIT_KERNELS(name, low)                                                                                     \
    static void square_##name(                                                                                       \
        const uint8_t *x, size_t record, const uint8_t *panel, size_t panel_stride, int64_t blocks, float *out,      \
        int64_t stride, bool start, fetch ahead                                                                      \
    ) {                                                                                                              \
        square(low, x, record, panel, panel_stride, blocks, out, stride, start, ahead);                              \
    }                                                                                                                \
    static void flat_##name(                                                                                         \
        const uint8_t *x, int rows, const uint8_t *panel, size_t panel_stride, int groups, int64_t blocks, float *out, \
        int64_t stride, bool start, fetch ahead                                                                      \
    ) {                                                                                                              \
        if (groups == STREAM_GROUPS)                                                                                 \
            flat_groups(low, x, rows, panel, panel_stride, STREAM_GROUPS, blocks, out, stride, start, ahead);        \
        else flat_groups(low, x, rows, panel, panel_stride, groups, blocks, out, stride, start, ahead);              \
    }
SPLIT_KERNELS(one, false)
SPLIT_KERNELS(two, true)

const split_kernels split_kernels_amx = {
    .begin = begin,
    .end = end,
    .fill = fill,
    .pack = {[INDEX_f16] = pack_f16, [INDEX_bf16] = pack_bf16},
    .expand = expand,
    .square = {square_one, square_two},
    .flat = {flat_one, flat_two},
    .stream = stream,
};
#pragma clang attribute pop
#endif

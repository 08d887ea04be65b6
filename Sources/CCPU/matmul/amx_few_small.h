// Part of amx_few.c: formats with smaller blocks, 128 columns at a time (panels are as fast with up to eight rows). A
// scale of weights and x per 32 columns makes a float of each sum.
#pragma once

// Tile registers of sums of four blocks, 32 columns of x, as many of weights.
enum { UNIT_AHEAD = 4096 };

// Unpacked weights as panels for a matrix unit have them, and sums that left the tile registers.
typedef struct {
    uint8_t codes[UNIT_BLOCKS][512];
    f32x16 scales[UNIT_BLOCKS], mins[UNIT_BLOCKS];
} unit_weights;
typedef struct {
    int32_t sums[UNIT_BLOCKS][WIDE_ROWS][16];
} unit_sums;

// Four blocks that were multiplied.
typedef struct {
    const unit_weights *weights;
    const unit_sums *sums;
    const uint8_t *x;
    const float *from;  // NULL at the start of a row group
    float *to;
    int64_t from_stride, to_stride;
} unit;

INLINE void add_unit(const bool has_min, const unit *u, int row, int row_end) {
    for (int m = row; m < row_end; m++) {
        f32x16 acc = u->from ? load_f32(u->from + m * u->from_stride) : (f32x16)0;
        UNROLL for (int i = 0; i < UNIT_BLOCKS; i++) {
            const float *const x = (const float *)(u->x + i * SMALL_REST);
            const f32x16 dot = __builtin_convertvector((i32x16)load_u8(u->sums->sums[i][m]), f32x16);
            acc = fma16(dot, u->weights->scales[i] * (f32x16)x[m], acc);
            if (has_min) acc = fma16(-u->weights->mins[i], (f32x16)x[16 + m], acc);
        }
        store_f32(u->to + m * u->to_stride, acc);
    }
}

#define MULTIPLY_UNIT(I)                                                       \
    do {                                                                       \
        if (multiplied) _tile_stored(I, sums[(n + 1) % 2].sums[I], 64);        \
        _tile_zero(I);                                                         \
        _tile_loadd(4, x_unit + (I) * WIDE_ROWS * BLOCK, BLOCK);               \
        _tile_loadd(5, weights[n % 4].codes[I], 64);                           \
        _tile_dpbssd(I, 4, 5);                                                 \
    } while (0)

INLINE void store_unit(unit_sums *to) {
    _tile_stored(0, to->sums[0], 64);
    _tile_stored(1, to->sums[1], 64);
    _tile_stored(2, to->sums[2], 64);
    _tile_stored(3, to->sums[3], 64);
}

#define SMALL_FEW(name, record_blocks, code_offset)                                                                 \
    INLINE void name##_unpack_unit(const uint8_t *from, int i, unit_weights *to) {                                  \
        const packed_##name *const p = (const packed_##name *)from + i / record_blocks;                             \
        const int at = i % record_blocks;                                                                           \
        u8x64 codes[8];                                                                                             \
        UNROLL for (int v = 0; v < 8; v++) codes[v] = name##_code(p, at, v) - code_offset;                          \
        UNROLL for (int v = 0; v < 8; v++) *(u8x64 *)(to->codes[i] + 64 * v) = codes[v];                            \
        to->scales[i] = name##_scale(p, at, 0);                                                                     \
        if (HAS_MIN_##name) to->mins[i] = name##_min(p, at, 0);                                                     \
    }                                                                                                               \
    static void name##_few(                                                                                         \
        const uint8_t *group, size_t group_bytes, int64_t groups, int64_t units, wide_x x, int rows,                \
        float *out, int64_t stride, bool start                                                                      \
    ) {                                                                                                             \
        enum { BYTES = sizeof(packed_##name) * UNIT_BLOCKS / record_blocks, HAS_MIN = HAS_MIN_##name };             \
        _Alignas(64) unit_weights weights[4];                                                                       \
        _Alignas(64) unit_sums sums[2];                                                                             \
        _Alignas(64) float acc[WIDE_ROWS][16];                                                                      \
        const int64_t all = units * groups;                                                                         \
        const int quarter = (rows + 3) / 4;                                                                         \
        unit last = {0}, older = {0};                                                                               \
        const uint8_t *p = group;                                                                                   \
        UNROLL for (int i = 0; i < UNIT_BLOCKS; i++) name##_unpack_unit(p, i, &weights[0]);                         \
        int64_t b = 0, g = 0;                                                                                       \
        for (int64_t n = 0; n < all; n++) {                                                                         \
            const uint8_t *const x_unit = x.codes + b * UNIT_BYTES;                                                 \
            const bool multiplied = n > 0, end = b + 1 == units;                                                    \
            /* The last one is unpacked again, for nothing. */                                                      \
            const uint8_t *const next = n + 1 == all ? p : end ? group + (size_t)(g + 1) * group_bytes : p + BYTES; \
            UNROLL for (int i = 0; i < UNIT_BLOCKS; i++) {                                                          \
                if (i == 0) MULTIPLY_UNIT(0);                                                                       \
                else if (i == 1) MULTIPLY_UNIT(1);                                                                  \
                else if (i == 2) MULTIPLY_UNIT(2);                                                                  \
                else MULTIPLY_UNIT(3);                                                                              \
                UNROLL for (size_t at = 0; at < BYTES / UNIT_BLOCKS; at += 64)                                      \
                    __builtin_prefetch(next + UNIT_AHEAD + i * (BYTES / UNIT_BLOCKS) + at, 0, 3);                   \
                name##_unpack_unit(next, i, &weights[(n + 1) % 4]);                                                 \
                const int row = i * quarter, row_end = row + quarter < rows ? row + quarter : rows;                 \
                if (older.x) add_unit(HAS_MIN, &older, row, row_end);                                               \
            }                                                                                                       \
            float *const to = out + g * CPU_GROUP_ROWS;                                                             \
            older = last;                                                                                           \
            last = (unit){                                                                                          \
                &weights[n % 4], &sums[n % 2], x.rest + b * UNIT_BLOCKS * SMALL_REST,                               \
                b > 0 ? acc[0] : start ? NULL : to, end ? to : acc[0], b > 0 ? 16 : stride, end ? stride : 16};     \
            p = next;                                                                                               \
            b = end ? 0 : b + 1;                                                                                    \
            g += end;                                                                                               \
        }                                                                                                           \
        if (older.x) add_unit(HAS_MIN, &older, 0, rows);                                                            \
        store_unit(&sums[(all + 1) % 2]);                                                                           \
        add_unit(HAS_MIN, &last, 0, rows);                                                                          \
    }

// Q8_0, which needs no unpacking, is faster by panels; NVFP4 has groups of 16.
#define SMALL_FEW_LIST(X) X(q4_0, 2, 8) X(q4_1, 1, 0) X(q5_0, 2, 16) X(q5_1, 1, 0) X(iq4_nl, 2, 128) X(mxfp4, 4, 16)
SMALL_FEW_LIST(SMALL_FEW)

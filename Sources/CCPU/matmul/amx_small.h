// Part of amx.c: formats with blocks of fewer than 256 columns. Each block's dot products leave the tile registers and
// become floats: while the unit multiplies four blocks, vectors add the four before.
//
// While the unit is busy, one vector multiplication or conversion begins per cycle, not two as without it, but additions
// find another port. So sums start at BIAS, which makes them floats as they lie there (2^23 + 2^22 + sum, exact as 32
// products of bytes are below 2^22), and subtracting it takes the place of a conversion.
#pragma once

enum { BIAS = 0x4b400000 };
static const float bias_value = 12582912.0f;

// Sums of a job, which is four blocks of a tile of x and of a row group or two, lie in a region of their own (two take
// turns), each block's and row group's in 1 KiB. Blocks of x and of weights are loaded from all eighths of a page in turn;
// what is stored meanwhile goes to the half of a page that was loaded from last: a load waits for earlier stores whose
// addresses have the same low 12 bits.
enum { EIGHTH = 512, SUMS_BYTES = WIDE_DOTS / 2 };
INLINE uint8_t *small_sums(uint8_t *sums, int64_t turn) { return sums + turn * SUMS_BYTES + (turn ? 1 : 5) * EIGHTH; }
enum { NEXT_BLOCK = 9 * EIGHTH };
_Static_assert(5 * EIGHTH + 3 * NEXT_BLOCK + 2048 <= SUMS_BYTES, "sums of a job");
_Static_assert(UNIT_BYTES == UNIT_BLOCKS * CPU_GROUP_ROWS * BLOCK, "codes of x and of weights");

// Sums between jobs: 4 KiB of a tile, half of it two row groups', of which four rows lie in an eighth.
enum { ASIDE_ROW = 2 * CPU_GROUP_ROWS };
INLINE float *small_aside(float *aside, int64_t tile, int group) {
    return aside + tile * 1024 + (group / 2 ? 0 : 512) + group % 2 * CPU_GROUP_ROWS;
}

// What makes floats of a job's sums, and where they belong: the second row group's beside those of the first one.
typedef struct {
    const uint8_t *weights;  // scales and mins
    const float *x;          // scales and sums
    const float *from;
    float *to;
    int64_t from_row, to_row;
} small_job;

// Adds rows `row ..< row_end` of a job whose sums left the tile registers.
INLINE void add_small(
    const bool has_min, const int panels, size_t rest_stride, const small_job *j, const uint8_t *sums, const int row,
    const int row_end
) {
    const size_t rest = small_panel_rest(has_min);
    f32x16 scales[2][UNIT_BLOCKS], mins[2][UNIT_BLOCKS];
    UNROLL for (int p = 0; p < panels; p++) UNROLL for (int b = 0; b < UNIT_BLOCKS; b++) {
        const uint8_t *const at = j->weights + (size_t)p * rest_stride + (size_t)b * rest;
        scales[p][b] = load_f32(at);
        if (has_min) mins[p][b] = -load_f32(at + 64);
    }
    UNROLL for (int m = row; m < row_end; m++) {
        f32x16 acc[2];
        UNROLL for (int p = 0; p < panels; p++) acc[p] = load_f32(j->from + m * j->from_row + p * CPU_GROUP_ROWS);
        UNROLL for (int b = 0; b < UNIT_BLOCKS; b++) {
            const f32x16 scale = (f32x16)j->x[SMALL_REST / 4 * b + m], sum = (f32x16)j->x[SMALL_REST / 4 * b + 16 + m];
            UNROLL for (int p = 0; p < panels; p++) {
                const f32x16 dot = load_f32(sums + b * NEXT_BLOCK + 1024 * p + 64 * m) - bias_value;
                acc[p] = fma16(dot, scales[p][b] * scale, acc[p]);
                if (has_min) acc[p] = fma16(mins[p][b], sum, acc[p]);
            }
        }
        UNROLL for (int p = 0; p < panels; p++) store_f32(j->to + m * j->to_row + p * CPU_GROUP_ROWS, acc[p]);
    }
}

// Instructions name registers by literals: even blocks' sums are 0 and 1, by row group, odd ones' 2 and 3.
#define MULTIPLY_BLOCK(INTO, X, WEIGHTS, AT)      \
    do {                                          \
        _tile_loadd(WEIGHTS, AT, 64);             \
        _tile_loadd(INTO, bias, 0);               \
        _tile_dpbssd(INTO, X, WEIGHTS);           \
    } while (0)

// Multiplies block B, stores the one before to TO, and adds rows of JOB, whose sums are at FROM. Where mins are added too,
// half of them between the two products.
#define STEP(B, FIRST, SECOND, X, TO, TO_FIRST, TO_SECOND, STORES, JOB, FROM, ROW, ADDS)                               \
    do {                                                                                                               \
        _tile_loadd(X, x + EIGHTH * (B), BLOCK);                                                                       \
        MULTIPLY_BLOCK(FIRST, X, 6, weights + EIGHTH * (B));                                                           \
        if (has_min && (STORES)) _tile_stored(TO_FIRST, TO, 64);                                                       \
        if (has_min && (ADDS)) add_small(has_min, panels, q->panel.rest_stride, JOB, FROM, ROW, (ROW) + 2);            \
        if (panels > 1) MULTIPLY_BLOCK(SECOND, X, 7, weights + q->panel.codes_stride + EIGHTH * (B));                  \
        if (!has_min && (STORES)) _tile_stored(TO_FIRST, TO, 64);                                                      \
        if (panels > 1 && (STORES)) _tile_stored(TO_SECOND, (TO) + 1024, 64);                                          \
        if (ADDS)                                                                                                      \
            add_small(has_min, panels, q->panel.rest_stride, JOB, FROM, (ROW) + (has_min ? 2 : 0), (ROW) + 4);         \
    } while (0)

// A block's sums leave the registers while the next one is multiplied, and another block later their first rows are added.
INLINE void small_range(const bool has_min, const int panels, const products *q, int64_t units) {
    const int64_t number = q->end * units * ((q->groups_end - q->groups_begin) / panels);
    _Alignas(64) static const int32_t bias[16] = {BIAS, BIAS, BIAS, BIAS, BIAS, BIAS, BIAS, BIAS,
                                                  BIAS, BIAS, BIAS, BIAS, BIAS, BIAS, BIAS, BIAS};
    _Alignas(64) static const float zeros[ASIDE_ROW] = {0};
    uint8_t *const sums = q->to.dots;
    const size_t unit_rest = UNIT_BLOCKS * small_panel_rest(has_min);
    small_job last = {0}, older = {0};
    int64_t tile = 0, unit = 0;
    int group = q->groups_begin;
    for (int64_t n = 0; n < number; n++) {
        uint8_t *const to = small_sums(sums, n & 1), *const before = small_sums(sums, ~n & 1);
        const uint8_t *const x = q->x.codes + (size_t)tile * q->x.codes_stride + (size_t)unit * UNIT_BYTES;
        const uint8_t *const weights =
            q->panel.codes + (size_t)group * q->panel.codes_stride + (size_t)unit * UNIT_BYTES;
        for (int p = 0; p < panels && unit == 0; p++) fetch_beside(q, tile, group + p, tile * WIDE_ROWS);
        STEP(0, 0, 1, 4, before + 3 * NEXT_BLOCK, 2, 3, n > 0, &older, to, 12, n > 1);
        STEP(1, 2, 3, 5, to, 0, 1, true, &last, before, 0, n > 0);
        STEP(2, 0, 1, 4, to + NEXT_BLOCK, 2, 3, true, &last, before, 4, n > 0);
        STEP(3, 2, 3, 5, to + 2 * NEXT_BLOCK, 0, 1, true, &last, before, 8, n > 0);
        older = last;
        const bool direct = (tile + 1) * WIDE_ROWS <= q->to.direct;
        float *const aside = small_aside(q->to.aside, tile, group);
        float *const home = q->to.home + tile * WIDE_ROWS * q->to.stride + group * CPU_GROUP_ROWS;
        const bool from_home = direct && q->to.take && unit == 0, to_home = direct && q->to.bring && unit + 1 == units;
        last = (small_job){
            .weights = q->panel.rest + (size_t)group * q->panel.rest_stride + (size_t)unit * unit_rest,
            .x = (const float *)(q->x.rest + (size_t)tile * q->x.rest_stride) + unit * (UNIT_BLOCKS * SMALL_REST / 4),
            .from = from_home ? home : aside,
            .to = to_home ? home : aside,
            .from_row = from_home ? q->to.stride : ASIDE_ROW,
            .to_row = to_home ? q->to.stride : ASIDE_ROW};
        if (q->to.before == 0 && unit == 0) last.from = zeros, last.from_row = 0;
        if (++unit < units) continue;
        unit = 0;
        group += panels;
        if (group < q->groups_end) continue;
        group = q->groups_begin;
        tile++;
    }
    uint8_t *const to = small_sums(sums, number & 1), *const before = small_sums(sums, ~number & 1);
    _tile_stored(2, before + 3 * NEXT_BLOCK, 64);
    if (panels > 1) _tile_stored(3, before + 3 * NEXT_BLOCK + 1024, 64);
    if (number > 1) add_small(has_min, panels, q->panel.rest_stride, &older, to, 12, 16);
    UNROLL for (int row = 0; row < WIDE_ROWS; row += 4)
        add_small(has_min, panels, q->panel.rest_stride, &last, before, row, row + 4);
}

INLINE void small_groups(
    const bool has_min, wide_panel panel, int groups, wide_x x, int64_t tiles, int64_t blocks, places to, fetch ahead
) {
    const int64_t units = (blocks + UNIT_BLOCKS - 1) / UNIT_BLOCKS;
    products q = {
        .panel = panel,
        .x = x,
        .to = to,
        .ahead = ahead,
        .end = tiles,
        .lines = (ahead.lines + tiles - 1) / tiles,
        .home_begin = to.direct ? WIDE_ROWS * to.before / to.all : 0,
        .home_end = to.direct ? WIDE_ROWS * (to.before + 1) / to.all : 0,
        .groups_end = groups & ~1,
    };
    if (groups > 1) small_range(has_min, 2, &q, units);
    q.groups_begin = groups & ~1;
    q.groups_end = groups;
    if (groups % 2) small_range(has_min, 1, &q, units);
}

#define SMALL_KERNEL(name, has_min)                                                                                \
    static void name(                                                                                              \
        wide_panel panel, int groups, wide_x x, int64_t tiles, int64_t blocks, places to, fetch ahead              \
    ) {                                                                                                            \
        small_groups(has_min, panel, groups, x, tiles, blocks, to, ahead);                                         \
    }
SMALL_KERNEL(multiply_small, false)
SMALL_KERNEL(multiply_small_min, true)

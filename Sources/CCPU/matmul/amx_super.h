// Part of amx.c: formats with blocks of 256 columns. Tile registers add up products of scale and code over all 256, so
// that an instruction takes 64 columns and numbers become floats once per block. Where such products do not fit in a
// byte there are two sums, of p >> 7 and of p & 127.
#pragma once

// Sums of one job that left the tile registers, and what makes floats of them.
typedef struct {
    const dot_products *dots;  // [high, low or first, second row group][tile of x]
    const dot_products *mins;
    const uint8_t *tail;  // of the first panel, the other one's `panel_stride` farther
    size_t panel_stride;
    const uint8_t *x;  // scale and sums of the first tile
    size_t x_stride;
    sums_place from, to;
    bool start;
} finished;

// Adds rows 4 k ..< 4 k + 4 of each tile to the results.
INLINE void add_rows(const wide_kind kind, const int tiles, const int panels, const finished *f, int k) {
    const bool has_min = kind == SUPER_SPLIT_MIN || kind == SUPER_PRODUCTS_MIN;
    UNROLL for (int p = 0; p < (super_is_split(kind) ? 1 : panels); p++) {
        const uint8_t *const tail = f->tail + (size_t)p * f->panel_stride;
        const f32x16 d = load_f32(tail), dmin = has_min ? load_f32(tail + 64) : (f32x16)0;
        i16x32 mins[4];
        UNROLL for (int j = 0; j < 4 && kind == SUPER_SPLIT_MIN; j++) mins[j] = (i16x32)load_u8(tail + 64 * (2 + j));
        UNROLL for (int t = 0; t < tiles; t++) {
            const uint8_t *const x = f->x + (size_t)t * f->x_stride;
            const float *const from = f->from.at + k * f->from.four + t * f->from.tile + p * f->from.group;
            float *const to = f->to.at + k * f->to.four + t * f->to.tile + p * f->to.group;
            UNROLL for (int i = 0; i < 4; i++) {
                const int m = 4 * k + i;
                i32x16 sum = *(const i32x16 *)f->dots[2 * p + t][m];
                if (super_is_split(kind)) sum = (sum << 7) + *(const i32x16 *)f->dots[2 + t][m];
                const f32x16 scale = (f32x16)((const float *)(x + WIDE_SCALE))[m];
                f32x16 acc = f->start ? (f32x16)0 : load_f32(from + i * f->from.row);
                acc = fma16(__builtin_convertvector(sum, f32x16), d * scale, acc);
                if (has_min) {
                    i32x16 of_mins = 0;
                    if (kind == SUPER_PRODUCTS_MIN) of_mins = *(const i32x16 *)f->mins[2 * p + t][m];
                    else UNROLL for (int j = 0; j < 4; j++) of_mins = add_pairs(
                        of_mins, mins[j], (i16x32)(i32x16)load_i32(x + WIDE_SUMS + 16 * m + 4 * j));
                    acc = fma16(-__builtin_convertvector(of_mins, f32x16), dmin * scale, acc);
                }
                store_f32(to + i * f->to.row, acc);
            }
        }
    }
}

// Instructions name registers by literals: sums of high halves or of the first row group are 0 and 1, by tile of x, sums of
// low halves or of the second row group 2 and 3; tiles of x are 4 and 5, weights 6 and 7.
#define LOAD_X(at, stride)                                \
    do {                                                  \
        _tile_loadd(4, at, 64);                           \
        if (tiles > 1) _tile_loadd(5, (at) + stride, 64); \
    } while (0)
#define MULTIPLY_FIRST(weights)                  \
    do {                                         \
        _tile_loadd(6, weights, 64);             \
        _tile_dpbssd(0, 4, 6);                   \
        if (tiles > 1) _tile_dpbssd(1, 5, 6);    \
    } while (0)
#define MULTIPLY_SECOND(weights)                 \
    do {                                         \
        _tile_loadd(7, weights, 64);             \
        _tile_dpbssd(2, 4, 7);                   \
        if (tiles > 1) _tile_dpbssd(3, 5, 7);    \
    } while (0)
#define ZERO(a, b)                     \
    do {                               \
        _tile_zero(a);                 \
        if (tiles > 1) _tile_zero(b);  \
    } while (0)
#define STORE(a, b, into)                                 \
    do {                                                  \
        _tile_stored(a, (into)[0], 64);                   \
        if (tiles > 1) _tile_stored(b, (into)[1], 64);    \
    } while (0)

// Sums between blocks: a pair of tiles and of row groups after another, in 4 KiB each, of which the k-th quarter has rows
// 4 k ..< 4 k + 4 of each tile. That is the quarter of a page that tiles are loaded from before (and not soon after):
// a load waits for earlier stores whose addresses have the same low 12 bits.
INLINE sums_place sums_aside(float *aside, int64_t pair, int group) {
    return (sums_place){aside + (pair * (CHUNK_GROUPS / 2) + group / 2) * 1024 + group % 2 * 128, 256, 64, 16, 128};
}

// A block of 256 columns of a tile or two of x, pair `pair` of them, and of the halves of a row group, or of a row group or
// two.
typedef struct {
    int64_t pair;
    int group;
} job;

INLINE finished finished_of(
    const wide_kind kind, const int tiles, const products *q, job j, const dot_products *dots, const dot_products *mins
) {
    const int64_t row = 2 * j.pair * WIDE_ROWS;
    const bool direct = row + tiles * WIDE_ROWS <= q->to.direct;
    const sums_place aside = sums_aside(q->to.aside, j.pair, j.group), home = {
        q->to.home + row * q->to.stride + j.group * CPU_GROUP_ROWS, 4 * q->to.stride, WIDE_ROWS * q->to.stride,
        q->to.stride, CPU_GROUP_ROWS};
    return (finished){
        .dots = dots,
        .mins = mins,
        .tail = q->panel.rest + (size_t)j.group * q->panel.rest_stride + wide_tail(kind),
        .panel_stride = q->panel.rest_stride,
        .x = q->x.rest + (size_t)(2 * j.pair) * q->x.rest_stride,
        .x_stride = q->x.rest_stride,
        .from = direct && q->to.take ? home : aside,
        .to = direct && q->to.bring ? home : aside,
        .start = q->to.before == 0,
    };
}

// The second half's sums run two of four steps behind the first one's, so that a store of sums finds the unit busy with
// others: four stores in a row would cost what four products do. What makes floats of sums runs another two steps later.
// All row groups of a panel meet a block of x before the next one, which is in the first-level cache by then.
INLINE void multiply_super(const wide_kind kind, const int tiles, const int panels, const products *q, int64_t pair) {
    const bool split = super_is_split(kind), two = split || panels > 1;
    const int width = split ? 1 : panels;  // row groups of a job
    _Static_assert(6 * 4 * sizeof(dot_products) <= WIDE_DOTS, "sums of a job");
    dot_products (*const dots)[4] = (dot_products(*)[4])q->to.dots, (*const mins)[4] = dots + 2;  // by job
    const size_t second = split ? 4096 : q->panel.codes_stride;
    job now = {pair, q->groups_begin}, last = now, older = now;
    int64_t number = 0;
    const int64_t end = (q->end - pair) * ((q->groups_end - q->groups_begin) / width);
    for (; number < end; number++) {
        const int64_t turn = number & 1;
        const uint8_t *const codes = q->x.codes + (size_t)(2 * now.pair) * q->x.codes_stride;
        const uint8_t *const last_codes = q->x.codes + (size_t)(2 * last.pair) * q->x.codes_stride;
        const uint8_t *const of_sums = q->x.rest + (size_t)(2 * now.pair) * q->x.rest_stride + WIDE_SUMS;
        const uint8_t *const weights = q->panel.codes + (size_t)now.group * q->panel.codes_stride;
        const uint8_t *const last_weights = q->panel.codes + (size_t)last.group * q->panel.codes_stride + second;
        const uint8_t *const factors = q->panel.rest + (size_t)now.group * q->panel.rest_stride;
        for (int p = 0; p < width; p++) fetch_beside(q, now.pair - pair, now.group + p, 2 * now.pair * WIDE_ROWS);
        ZERO(0, 1);
        if (super_has_factors(kind)) {
            LOAD_X(of_sums, q->x.rest_stride);
            MULTIPLY_FIRST(factors);
            if (kind == SUPER_PRODUCTS_MIN) {
                STORE(0, 1, mins[number & 3]);
                ZERO(0, 1);
            }
        }
        const finished f = finished_of(kind, tiles, q, older, dots[turn], mins[(number - 2) & 3]);
        for (int k = 0; k < 2; k++) {
            LOAD_X(codes + 1024 * k, q->x.codes_stride);
            MULTIPLY_FIRST(weights + 1024 * k);
            if (two && number > 0) {
                if (last_codes != codes) LOAD_X(last_codes + 1024 * k, q->x.codes_stride);
                MULTIPLY_SECOND(last_weights + 1024 * k);
            }
            if (number > 1) add_rows(kind, tiles, panels, &f, k);
        }
        if (two && number > 0) STORE(2, 3, dots[turn ^ 1] + 2);
        if (two) {
            ZERO(2, 3);
            if (super_has_factors(kind)) {
                LOAD_X(of_sums, q->x.rest_stride);
                MULTIPLY_SECOND(factors + q->panel.rest_stride);
                if (kind == SUPER_PRODUCTS_MIN) {
                    STORE(2, 3, mins[number & 3] + 2);
                    ZERO(2, 3);
                }
            }
        }
        for (int k = 2; k < 4; k++) {
            LOAD_X(codes + 1024 * k, q->x.codes_stride);
            MULTIPLY_FIRST(weights + 1024 * k);
            if (two) MULTIPLY_SECOND(weights + second + 1024 * k);
            if (number > 1) add_rows(kind, tiles, panels, &f, k);
        }
        STORE(0, 1, dots[turn]);
        older = last;
        last = now;
        now.group += width;
        if (now.group >= q->groups_end) now = (job){now.pair + 1, q->groups_begin};
    }
    for (int k = 0; k < 2 && two; k++) {
        LOAD_X(q->x.codes + (size_t)(2 * last.pair) * q->x.codes_stride + 1024 * k, q->x.codes_stride);
        MULTIPLY_SECOND(q->panel.codes + (size_t)last.group * q->panel.codes_stride + second + 1024 * k);
    }
    if (two) STORE(2, 3, dots[(number & 1) ^ 1] + 2);
    for (int64_t n = number < 2 ? 0 : number - 2; n < number; n++) {
        const finished f = finished_of(kind, tiles, q, n + 1 < number ? older : last, dots[n & 1], mins[n & 3]);
        for (int k = 0; k < 4; k++) add_rows(kind, tiles, panels, &f, k);
    }
}

INLINE void super_range(
    const wide_kind kind, const int tiles, const int panels, wide_panel panel, int groups_begin, int groups_end,
    wide_x x, int64_t pair, int64_t count, places to, fetch ahead
) {
    const bool direct = 2 * pair * WIDE_ROWS + tiles * WIDE_ROWS <= to.direct;
    const products q = {
        .panel = panel,
        .x = x,
        .to = to,
        .ahead = ahead,
        .end = pair + count,
        .lines = (ahead.lines + count - 1) / count,
        .home_begin = direct ? tiles * WIDE_ROWS * to.before / to.all : 0,
        .home_end = direct ? tiles * WIDE_ROWS * (to.before + 1) / to.all : 0,
        .groups_begin = groups_begin,
        .groups_end = groups_end,
    };
    multiply_super(kind, tiles, panels, &q, pair);
}

INLINE void super_groups(
    const wide_kind kind, wide_panel panel, int groups, wide_x x, int64_t tiles, places to, fetch ahead
) {
    const int64_t pairs = tiles / 2;
    const int whole = super_is_split(kind) ? groups : groups & ~1;
    const fetch none = {0}, alone = pairs ? none : ahead;
    if (whole && pairs) super_range(kind, 2, 2, panel, 0, whole, x, 0, pairs, to, ahead);
    if (whole && tiles % 2) super_range(kind, 1, 2, panel, 0, whole, x, pairs, 1, to, alone);
    if (whole == groups) return;
    if (pairs) super_range(kind, 2, 1, panel, whole, groups, x, 0, pairs, to, ahead);
    if (tiles % 2) super_range(kind, 1, 1, panel, whole, groups, x, pairs, 1, to, alone);
}

#define SUPER_KERNEL(name, kind)                                                                          \
    static void name(                                                                                     \
        wide_panel panel, int groups, wide_x x, int64_t tiles, int64_t blocks, places to, fetch ahead     \
    ) {                                                                                                   \
        super_groups(kind, panel, groups, x, tiles, to, ahead);                                           \
    }
SUPER_KERNEL(multiply_halves, SUPER_SPLIT)
SUPER_KERNEL(multiply_halves_min, SUPER_SPLIT_MIN)
SUPER_KERNEL(multiply_products, SUPER_PRODUCTS)
SUPER_KERNEL(multiply_products_min, SUPER_PRODUCTS_MIN)
SUPER_KERNEL(multiply_shifted, SUPER_SHIFTED)

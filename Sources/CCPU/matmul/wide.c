// Drives the kernels of a matrix unit: rows of x are arranged anew once for all row groups of a call, for as many columns
// as stay in the second-level cache, and each panel of weights, 256 columns of some row groups, meets all of them.
#include "driver.h"

static int64_t tile_count(int64_t row_begin, int64_t row_end) {
    return (row_end - row_begin + WIDE_ROWS - 1) / WIDE_ROWS;
}

// Stretches of 256 columns, the last one of those that are left, and blocks of 32 columns up to the end of one.
static int64_t stretch_count(const call *c) { return (c->matrix->columns + SUPER - 1) / SUPER; }
static int64_t blocks_before(const call *c, int64_t stretch) {
    const int64_t blocks = c->matrix->columns / BLOCK, before = stretch * SUPER_BLOCKS;
    return before < blocks ? before : blocks;
}

// The tiles of rows `m ..< m + WIDE_ROWS` of x from a block of 32 columns on.
static void tiles_of(const call *c, int64_t m, int64_t row_end, int64_t block, const uint8_t **tiles, int *widths) {
    for (int t = 0; t < WIDE_ROWS / CPU_TILE_ROWS; t++) {
        const int64_t row = m + t * CPU_TILE_ROWS;
        widths[t] = row < row_end ? tile_width(c->x->rows, row) : 0;
        tiles[t] = row < row_end ? tile_at(c->x, row) + block * TILE_BYTES * widths[t] : NULL;
    }
}

// Rows of x arranged anew: codes of all tiles, then the rest.
static wide_x wide_rows(const call *c, int64_t tiles, int64_t stretches) {
    const size_t rest_bytes = wide_rest_bytes(c->matrix->format->kind);
    return (wide_x){
        .codes = c->wide,
        .rest = c->wide + (size_t)(tiles * stretches) * WIDE_BYTES,
        .codes_stride = (size_t)stretches * WIDE_BYTES,
        .rest_stride = (size_t)stretches * rest_bytes};
}

// Stretches `begin ..< end` of rows of x, tile by tile. Rows that are not there are zeros.
static wide_x arrange_rows(const call *c, int64_t row_begin, int64_t row_end, int64_t begin, int64_t end) {
    const wide_kind kind = c->matrix->format->kind;
    const wide_x x = wide_rows(c, tile_count(row_begin, row_end), end - begin);
    const int64_t first = blocks_before(c, begin), blocks = blocks_before(c, end) - first;
    uint8_t *codes = (uint8_t *)x.codes, *rest = (uint8_t *)x.rest;
    for (int64_t m = row_begin; m < row_end; m += WIDE_ROWS, codes += x.codes_stride, rest += x.rest_stride) {
        const uint8_t *tiles[WIDE_ROWS / CPU_TILE_ROWS];
        int widths[WIDE_ROWS / CPU_TILE_ROWS];
        if (row_end - m < WIDE_ROWS) memset(codes, 0, x.codes_stride), memset(rest, 0, x.rest_stride);
        tiles_of(c, m, row_end, first, tiles, widths);
        c->kernels->wide->arrange(tiles, widths, kind, blocks, codes, rest);
    }
    return x;
}

static void unpack_stretch(const call *c, chunk k, int64_t begin, int64_t end, wide_panel panel) {
    const integer_kernels *kernels = &c->kernels->integers[c->matrix->format->index];
    for (int r = 0; r < k.groups; r++) {
        uint8_t *const codes = (uint8_t *)panel.codes + (size_t)r * panel.codes_stride;
        uint8_t *const rest = (uint8_t *)panel.rest + (size_t)r * panel.rest_stride;
        c->kernels->wide->keep_awake();
        if (c->matrix->packed && kernels->pack)
            kernels->unpack_packed_wide(packed_group(c, k.group + r), begin, end, codes, rest);
        else
            kernels->unpack_blocks_wide(
                block_row(c, k.group + r), c->row_bytes, rows_in_group(c, k.group + r), begin, end, codes, rest);
    }
}

// Repacked weights of the next panel, which are fetched from DRAM meanwhile: all lines of a row group.
static fetch fetch_panel(const call *c, int64_t group, int64_t begin, int64_t end) {
    const integer_kernels *kernels = &c->kernels->integers[c->matrix->format->index];
    if (!c->matrix->packed || !kernels->pack || group >= c->group_end) return (fetch){0};
    const size_t bytes = c->group_bytes / (size_t)(c->matrix->columns / BLOCK);
    return (fetch){
        packed_group(c, group) + (size_t)begin * bytes, c->group_bytes, (int)(bytes * (size_t)(end - begin) / 64)};
}

static void multiply_chunk(const call *c, chunk k, wide_x x, int64_t begin, int64_t end) {
    const wide_kind kind = c->matrix->format->kind;
    const wide_kernels *kernels = c->kernels->wide;
    const int64_t rows = k.row_end - k.row_begin, tiles = tile_count(k.row_begin, k.row_end);
    const wide_panel panel = {c->panels, c->panels + WIDE_PANEL, wide_panel_bytes(kind), wide_panel_rest(kind)};
    // Whole tiles, or pairs of them, of whole row groups; the driver moves other results.
    const int columns = columns_in(c, k);
    const int64_t whole = rows - rows % (wide_is_small(kind) ? WIDE_ROWS : 2 * WIDE_ROWS);
    const int64_t direct = columns < k.groups * CPU_GROUP_ROWS ? 0 : whole;
    float *const home = c->out + k.row_begin * c->stride + k.group * CPU_GROUP_ROWS;
    if (begin > 0) kernels->take_sums(kind, c->edge, home, c->stride, direct, rows, columns);
    for (int64_t s = begin; s < end; s++) {
        const int64_t first = blocks_before(c, s), last = blocks_before(c, s + 1);
        unpack_stretch(c, k, first, last, panel);
        const int64_t next = s + 1 < end ? s + 1 : begin;
        const fetch ahead = fetch_panel(
            c, s + 1 < end ? k.group : k.group + k.groups, blocks_before(c, next), blocks_before(c, next + 1));
        const places to = {
            .dots = c->panels + WIDE_PANEL + WIDE_PANEL_REST,
            .aside = c->edge,
            .home = home,
            .stride = c->stride,
            .direct = direct,
            .take = s == begin && begin > 0,
            .bring = s + 1 == end,
            .before = s,
            .all = stretch_count(c)};
        kernels->multiply[kind](panel, k.groups, x, tiles, last - first, to, ahead);
        x.codes += WIDE_BYTES;
        x.rest += wide_rest_bytes(kind);
    }
    kernels->bring_sums(kind, c->edge, home, c->stride, direct, rows, columns);
}

// As many stretches as there is room for, in passes of about the same size.
static int64_t stretches_of_pass(const call *c, int64_t tiles) {
    const int64_t bytes = (int64_t)(WIDE_BYTES + wide_rest_bytes(c->matrix->format->kind));
    const int64_t at_once = WIDE_PASS_BYTES / bytes / tiles, all = stretch_count(c);
    const int64_t passes = (all + at_once - 1) / at_once;
    return (all + passes - 1) / passes;
}

void multiply_wide(const call *c, int64_t row_begin, int64_t row_end) {
    const wide_kind kind = c->matrix->format->kind;
    const int64_t all = stretch_count(c), room = stretches_of_pass(c, tile_count(row_begin, row_end));
    const int groups = (int)(WIDE_PANEL / wide_panel_bytes(kind));
    c->kernels->wide->begin(kind);
    for (int64_t begin = 0; begin < all; begin += room) {
        const int64_t end = all - begin < room ? all : begin + room;
        const wide_x x = arrange_rows(c, row_begin, row_end, begin, end);
        for (int64_t g = c->group_begin; g < c->group_end; g += groups) {
            const int64_t left = c->group_end - g;
            const chunk k = {g, row_begin, row_end, left < groups ? (int)left : groups};
            multiply_chunk(c, k, x, begin, end);
            if (end == all) finish(c, k);
        }
    }
    c->kernels->wide->end();
}

void multiply_few(const call *c, int64_t row_begin, int64_t row_end) {
    const cpu_matrix_format *format = c->matrix->format;
    const bool super = !wide_is_small(format->kind);
    const int64_t all = stretch_count(c), room = stretches_of_pass(c, 1);
    const int64_t unit = super ? SUPER_BLOCKS : UNIT_BLOCKS, blocks = c->matrix->columns / BLOCK;
    const int rows = (int)(row_end - row_begin);
    // Row groups that are there as a whole, then the last one, whose results are kept aside.
    const int64_t whole = c->matrix->rows / CPU_GROUP_ROWS < c->group_end ? c->matrix->rows / CPU_GROUP_ROWS : c->group_end;
    const int64_t parts[] = {c->group_begin, whole, c->group_end};
    c->kernels->few->begin(super, rows);
    for (int64_t begin = 0; begin < all; begin += room) {
        const int64_t end = all - begin < room ? all : begin + room;
        const int64_t first = blocks_before(c, begin), last = blocks_before(c, end);
        const wide_x x = arrange_rows(c, row_begin, row_end, begin, end);
        for (int i = 0; i < 2; i++) {
            const bool aside = i == 1;
            const chunk k = {parts[i], row_begin, row_end, (int)(parts[i + 1] - parts[i])};
            if (k.groups <= 0) continue;
            float *const out = c->out + row_begin * c->stride + k.group * CPU_GROUP_ROWS;
            if (begin > 0 && aside) take_aside(c, k);
            c->kernels->few->multiply[format->index](
                packed_group(c, k.group) + (size_t)first * (c->group_bytes / (size_t)blocks), c->group_bytes, k.groups,
                (last - first) / unit, x, rows, aside ? c->edge : out, aside ? CHUNK : c->stride, begin == 0);
            if (aside) bring_home(c, k);
            if (end == all) finish(c, k);
        }
    }
    c->kernels->few->end();
}

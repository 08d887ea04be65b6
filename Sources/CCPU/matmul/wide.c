// Drives the kernels of a matrix unit: rows of x are arranged in records of 16 once for all row groups of a call, for as
// many columns as stay in the second-level cache, and each unpacked panel of weights meets all of them.
#include "driver.h"

static int64_t tile_count(int64_t row_begin, int64_t row_end) {
    return (row_end - row_begin + WIDE_ROWS - 1) / WIDE_ROWS;
}

// The tiles of rows `m ..< m + WIDE_ROWS` of x from a block of 32 columns on.
static void tiles_of(const call *c, int64_t m, int64_t row_end, int64_t block, const uint8_t **tiles, int *widths) {
    for (int t = 0; t < WIDE_ROWS / CPU_TILE_ROWS; t++) {
        const int64_t row = m + t * CPU_TILE_ROWS;
        widths[t] = row < row_end ? tile_width(c->x->rows, row) : 0;
        tiles[t] = row < row_end ? tile_at(c->x, row) + block * TILE_BYTES * widths[t] : NULL;
    }
}

// Blocks `begin ..< end` of rows of x as wide records, tile by tile. Rows that are not there are zeros.
static void arrange_rows(const call *c, int64_t row_begin, int64_t row_end, int64_t begin, int64_t end) {
    const size_t bytes = (size_t)(end - begin) * WIDE_BYTES;
    uint8_t *wide = c->wide;
    for (int64_t m = row_begin; m < row_end; m += WIDE_ROWS, wide += bytes) {
        const uint8_t *tiles[WIDE_ROWS / CPU_TILE_ROWS];
        int widths[WIDE_ROWS / CPU_TILE_ROWS];
        if (row_end - m < WIDE_ROWS) memset(wide, 0, bytes);
        tiles_of(c, m, row_end, begin, tiles, widths);
        c->kernels->wide->arrange(tiles, widths, end - begin, wide);
    }
}

static void multiply_chunk(const call *c, chunk k, int64_t begin, int64_t end) {
    const cpu_matrix_format *format = c->matrix->format;
    const int64_t blocks = c->matrix->columns / BLOCK;
    const int64_t tiles = tile_count(k.row_begin, k.row_end);
    const size_t panel_stride = WIDE_BLOCKS * panel_bytes(format->group, format->has_min);
    for (int64_t b = begin; b < end; b += WIDE_BLOCKS) {
        const int64_t stop = end - b < WIDE_BLOCKS ? end : b + WIDE_BLOCKS, after = stop < end ? stop : begin;
        unpack_panels(c, k, b, stop, 0, panel_stride);
        const int64_t next = end - after < WIDE_BLOCKS ? end - after : WIDE_BLOCKS;
        fetch ahead = fetch_weights(c, stop < end ? k.group : k.group + k.groups, after, next, stop - b, tiles);
        const int64_t lines = (int64_t)(c->group_bytes / (size_t)blocks) * next / 64;
        const uint8_t *fetched = ahead.base + (ahead.lines ? lines * 64 : 0);
        const uint8_t *rows = c->wide + (b - begin) * WIDE_BYTES;
        for (int64_t m = k.row_begin; m < k.row_end; m += WIDE_ROWS, rows += (end - begin) * WIDE_BYTES) {
            place to = place_of(c, k, m);
            c->kernels->wide->multiply[format->has_min](
                c->panels, panel_stride, k.groups, stop - b, rows, to.out, to.stride, b == 0, ahead);
            ahead.base += (stop - b) * ahead.lines * 64;
            if (ahead.base >= fetched) ahead.lines = 0;
        }
    }
}

// As many columns as there is room for, in passes of about the same size: of `steps` steps of which `at_once` fit.
static int64_t steps_of_pass(int64_t steps, int64_t at_once) {
    const int64_t passes = (steps + at_once - 1) / at_once;
    return (steps + passes - 1) / passes;
}

void multiply_wide(const call *c, int64_t row_begin, int64_t row_end) {
    const int64_t blocks = c->matrix->columns / BLOCK;
    const int64_t at_once = WIDE_PASS_BYTES / (WIDE_BLOCKS * WIDE_BYTES) / tile_count(row_begin, row_end);
    const int64_t room = steps_of_pass((blocks + WIDE_BLOCKS - 1) / WIDE_BLOCKS, at_once) * WIDE_BLOCKS;
    c->kernels->wide->begin(false);
    for (int64_t begin = 0; begin < blocks; begin += room) {
        const int64_t end = blocks - begin < room ? blocks : begin + room;
        arrange_rows(c, row_begin, row_end, begin, end);
        for (int64_t g = c->group_begin; g < c->group_end; g += WIDE_GROUPS) {
            const int64_t left = c->group_end - g;
            const chunk k = {g, row_begin, row_end, left < WIDE_GROUPS ? (int)left : WIDE_GROUPS, WIDE_ROWS};
            if (begin > 0) take_aside(c, k);
            multiply_chunk(c, k, begin, end);
            bring_home(c, k);
            if (end == blocks) finish(c, k);
        }
    }
    c->kernels->wide->end();
}

// MARK: Blocks of 256 columns

static uint8_t *rest_of_rows(const call *c, int64_t tiles, int64_t blocks) {
    return c->wide + (size_t)(tiles * blocks) * WIDE_SUPER_BYTES;
}

// Blocks of 256 columns of rows of x, tile by tile. Rows that are not there are zeros.
static void arrange_rows_super(const call *c, int64_t row_begin, int64_t row_end, int64_t begin, int64_t blocks) {
    const super_kind kind = c->matrix->format->kind;
    uint8_t *codes = c->wide, *rest = rest_of_rows(c, tile_count(row_begin, row_end), blocks);
    const size_t codes_bytes = (size_t)blocks * WIDE_SUPER_BYTES, rest_bytes = (size_t)blocks * wide_super_rest_bytes(kind);
    for (int64_t m = row_begin; m < row_end; m += WIDE_ROWS, codes += codes_bytes, rest += rest_bytes) {
        const uint8_t *tiles[WIDE_ROWS / CPU_TILE_ROWS];
        int widths[WIDE_ROWS / CPU_TILE_ROWS];
        if (row_end - m < WIDE_ROWS) memset(codes, 0, codes_bytes), memset(rest, 0, rest_bytes);
        tiles_of(c, m, row_end, begin * SUPER_BLOCKS, tiles, widths);
        c->kernels->wide->arrange_super(tiles, widths, kind, blocks * SUPER_BLOCKS, codes, rest);
    }
}

static void unpack_super(const call *c, chunk k, int64_t block, wide_panel panel) {
    const integer_kernels *kernels = &c->kernels->integers[c->matrix->format->index];
    for (int r = 0; r < k.groups; r++) {
        uint8_t *const codes = (uint8_t *)panel.codes + (size_t)r * panel.codes_stride;
        uint8_t *const rest = (uint8_t *)panel.rest + (size_t)r * panel.rest_stride;
        if (c->matrix->packed && kernels->pack)
            kernels->unpack_packed_wide(packed_group(c, k.group + r), block * SUPER_BLOCKS, codes, rest);
        else
            kernels->unpack_blocks_wide(
                block_row(c, k.group + r), c->row_bytes, rows_in_group(c, k.group + r), block * SUPER_BLOCKS, codes, rest);
    }
}

static void multiply_chunk_super(const call *c, chunk k, int64_t begin, int64_t end) {
    const super_kind kind = c->matrix->format->kind;
    const wide_kernels *kernels = c->kernels->wide;
    const int64_t all = c->matrix->columns / SUPER, blocks = end - begin, rows = k.row_end - k.row_begin;
    const int64_t tiles = tile_count(k.row_begin, k.row_end);
    const size_t packed_bytes = c->group_bytes / (size_t)all;
    const wide_panel panel = {
        c->panels, c->panels + WIDE_SUPER_PANEL, wide_super_panel_bytes(kind), wide_super_panel_rest(kind)};
    wide_x x = {
        c->wide, rest_of_rows(c, tiles, blocks), (size_t)blocks * WIDE_SUPER_BYTES,
        (size_t)blocks * wide_super_rest_bytes(kind)};
    // Whole pairs of tiles of whole row groups; the driver moves other results.
    const int columns = columns_in(c, k);
    const int64_t direct = columns < k.groups * CPU_GROUP_ROWS ? 0 : rows - rows % (2 * WIDE_ROWS);
    float *const home = c->out + k.row_begin * c->stride + k.group * CPU_GROUP_ROWS;
    if (begin > 0) kernels->take_sums(c->edge, home, c->stride, direct, rows, columns);
    for (int64_t b = begin; b < end; b++) {
        unpack_super(c, k, b, panel);
        const int64_t after = b + 1 < end ? b + 1 : begin;
        fetch ahead = fetch_weights(
            c, b + 1 < end ? k.group : k.group + k.groups, after * SUPER_BLOCKS, SUPER_BLOCKS, SUPER_BLOCKS, tiles);
        if (ahead.lines) ahead.lines = (int)(packed_bytes / 64);
        const places to = {
            .aside = c->edge,
            .home = home,
            .stride = c->stride,
            .direct = direct,
            .take = b == begin && begin > 0,
            .bring = b + 1 == end,
            .before = b,
            .all = all};
        kernels->multiply_super[kind](panel, k.groups, x, tiles, to, ahead);
        x.codes += WIDE_SUPER_BYTES;
        x.rest += wide_super_rest_bytes(kind);
    }
    kernels->bring_sums(c->edge, home, c->stride, direct, rows, columns);
}

void multiply_wide_super(const call *c, int64_t row_begin, int64_t row_end) {
    const super_kind kind = c->matrix->format->kind;
    const int64_t blocks = c->matrix->columns / SUPER;
    const int64_t bytes = (int64_t)(WIDE_SUPER_BYTES + wide_super_rest_bytes(kind));
    const int64_t room = steps_of_pass(blocks, WIDE_SUPER_PASS_BYTES / bytes / tile_count(row_begin, row_end));
    const int groups = (int)(WIDE_SUPER_PANEL / wide_super_panel_bytes(kind));
    c->kernels->wide->begin(true);
    for (int64_t begin = 0; begin < blocks; begin += room) {
        const int64_t end = blocks - begin < room ? blocks : begin + room;
        arrange_rows_super(c, row_begin, row_end, begin, end - begin);
        for (int64_t g = c->group_begin; g < c->group_end; g += groups) {
            const int64_t left = c->group_end - g;
            const chunk k = {g, row_begin, row_end, left < groups ? (int)left : groups, WIDE_ROWS};
            multiply_chunk_super(c, k, begin, end);
            if (end == blocks) finish(c, k);
        }
    }
    c->kernels->wide->end();
}

void multiply_few(const call *c, int64_t row_begin, int64_t row_end) {
    const cpu_matrix_format *format = c->matrix->format;
    const bool super = format->activations == CPU_ACTIVATIONS_Q8_SUPER;
    const int64_t blocks = c->matrix->columns / (super ? SUPER : FEW_UNIT * BLOCK);
    const size_t bytes = super ? WIDE_SUPER_BYTES + wide_super_rest_bytes(format->kind) : FEW_UNIT * WIDE_BYTES;
    const int64_t room = WIDE_SUPER_PASS_BYTES / (int64_t)bytes;
    const int rows = (int)(row_end - row_begin);
    // Row groups that are there as a whole, then the last one, whose results are kept aside.
    const int64_t whole = c->matrix->rows / CPU_GROUP_ROWS < c->group_end ? c->matrix->rows / CPU_GROUP_ROWS : c->group_end;
    const int64_t parts[] = {c->group_begin, whole, c->group_end};
    c->kernels->few->begin(super, rows);
    for (int64_t begin = 0; begin < blocks; begin += room) {
        const int64_t end = blocks - begin < room ? blocks : begin + room;
        if (super) arrange_rows_super(c, row_begin, row_end, begin, end - begin);
        else arrange_rows(c, row_begin, row_end, begin * FEW_UNIT, end * FEW_UNIT);
        const wide_x x = {.codes = c->wide, .rest = super ? rest_of_rows(c, 1, end - begin) : NULL};
        for (int i = 0; i < 2; i++) {
            const bool aside = i == 1;
            const chunk k = {parts[i], row_begin, row_end, (int)(parts[i + 1] - parts[i]), WIDE_ROWS};
            if (k.groups <= 0) continue;
            float *const out = c->out + row_begin * c->stride + k.group * CPU_GROUP_ROWS;
            if (begin > 0 && aside) take_aside(c, k);
            c->kernels->few->multiply[format->index](
                packed_group(c, k.group) + (size_t)begin * (c->group_bytes / (size_t)blocks), c->group_bytes, k.groups,
                end - begin, x, rows, aside ? c->edge : out, aside ? CHUNK : c->stride, begin == 0);
            if (aside) bring_home(c, k);
            if (end == blocks) finish(c, k);
        }
    }
    c->kernels->few->end();
}

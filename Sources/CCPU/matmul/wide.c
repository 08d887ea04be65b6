// Drives the kernels of a matrix unit: rows of x are arranged in records of 16 once for all row groups of a call, for as
// many columns as stay in the second-level cache, and each unpacked panel of weights meets all of them.
#include "driver.h"

static int64_t tile_count(int64_t row_begin, int64_t row_end) {
    return (row_end - row_begin + WIDE_ROWS - 1) / WIDE_ROWS;
}

// What the panels and records of a format are like.
typedef struct {
    bool super;            // blocks of 256 columns
    int64_t record_blocks;  // blocks of 32 columns per record of x
    size_t record_bytes;
    int groups;      // row groups and
    int64_t blocks;  // blocks of 32 columns that are unpacked at once
    size_t panel_bytes;
} wide_shape;

static wide_shape shape_of(const cpu_matrix_format *f) {
    if (f->activations == CPU_ACTIVATIONS_Q8_SUPER)
        return (wide_shape){
            .super = true,
            .record_blocks = SUPER_BLOCKS,
            .record_bytes = wide_super_record_bytes(f->kind),
            .groups = WIDE_SUPER_GROUPS,
            .blocks = WIDE_SUPER_BLOCKS,
            .panel_bytes = WIDE_SUPER_BLOCKS / SUPER_BLOCKS * wide_super_panel_bytes(f->kind)};
    return (wide_shape){
        .record_blocks = 1,
        .record_bytes = WIDE_BYTES,
        .groups = WIDE_GROUPS,
        .blocks = WIDE_BLOCKS,
        .panel_bytes = WIDE_BLOCKS * panel_bytes(f->group, f->has_min)};
}

static size_t rows_bytes(const wide_shape *s, int64_t blocks) {
    return (size_t)(blocks / s->record_blocks) * s->record_bytes;
}

// Blocks `begin ..< end` of rows of x as wide records, tile by tile. Rows that are not there are zeros.
static void arrange_rows(
    const call *c, const wide_shape *s, int64_t row_begin, int64_t row_end, int64_t begin, int64_t end
) {
    uint8_t *wide = c->wide;
    for (int64_t m = row_begin; m < row_end; m += WIDE_ROWS) {
        if (row_end - m < WIDE_ROWS) memset(wide, 0, rows_bytes(s, end - begin));
        const uint8_t *tiles[WIDE_ROWS / CPU_TILE_ROWS] = {0};
        int widths[WIDE_ROWS / CPU_TILE_ROWS] = {0};
        for (int t = 0; t < WIDE_ROWS / CPU_TILE_ROWS && m + t * CPU_TILE_ROWS < row_end; t++) {
            widths[t] = tile_width(c->x->rows, m + t * CPU_TILE_ROWS);
            tiles[t] = tile_at(c->x, m + t * CPU_TILE_ROWS) + begin * TILE_BYTES * widths[t];
        }
        if (s->super) c->kernels->wide->arrange_super(tiles, widths, c->matrix->format->kind, end - begin, wide);
        else c->kernels->wide->arrange(tiles, widths, end - begin, wide);
        wide += rows_bytes(s, end - begin);
    }
}

static void multiply_chunk(const call *c, const wide_shape *s, chunk k, int64_t begin, int64_t end) {
    const cpu_matrix_format *format = c->matrix->format;
    const wide_kernels *kernels = c->kernels->wide;
    const int64_t step = s->blocks, blocks = c->matrix->columns / BLOCK;
    const int64_t tiles = tile_count(k.row_begin, k.row_end);
    const size_t rows_stride = rows_bytes(s, end - begin);
    for (int64_t b = begin; b < end; b += step) {
        const int64_t stop = end - b < step ? end : b + step, after = stop < end ? stop : begin;
        unpack_panels(c, k, b, stop, true, s->panel_bytes);
        const int64_t next = end - after < step ? end - after : step;
        fetch ahead = fetch_weights(c, stop < end ? k.group : k.group + k.groups, after, next, stop - b, tiles);
        const int64_t lines = (int64_t)(c->group_bytes / (size_t)blocks) * next / 64;
        const uint8_t *fetched = ahead.base + (ahead.lines ? lines * 64 : 0);
        const uint8_t *rows = c->wide + rows_bytes(s, b - begin);
        if (s->super) {
            place to = place_of(c, k, k.row_begin);
            const home last = {stop == blocks ? c->out + k.row_begin * c->stride + k.group * CPU_GROUP_ROWS : NULL, c->stride};
            ahead.lines *= (int)(tiles * (stop - b));
            if (ahead.lines > lines) ahead.lines = (int)lines;
            kernels->multiply_super[format->kind](
                c->panels, s->panel_bytes, k.groups, stop - b, rows, rows_stride, tiles, to.out, to.stride, b == 0, ahead,
                last);
            continue;
        }
        for (int64_t m = k.row_begin; m < k.row_end; m += WIDE_ROWS, rows += rows_stride) {
            place to = place_of(c, k, m);
            kernels->multiply[format->has_min](
                c->panels, s->panel_bytes, k.groups, stop - b, rows, to.out, to.stride, b == 0, ahead);
            ahead.base += (stop - b) * ahead.lines * 64;
            if (ahead.base >= fetched) ahead.lines = 0;
        }
    }
}

void multiply_wide(const call *c, int64_t row_begin, int64_t row_end) {
    const wide_shape s = shape_of(c->matrix->format);
    const int64_t blocks = c->matrix->columns / BLOCK;
    // As many columns as there is room for, in passes of about the same size.
    const int64_t room_bytes = s.super ? WIDE_SUPER_PASS_BYTES : WIDE_PASS_BYTES;
    const int64_t at_once = room_bytes / (int64_t)rows_bytes(&s, s.blocks) / tile_count(row_begin, row_end);
    const int64_t steps = (blocks + s.blocks - 1) / s.blocks, passes = (steps + at_once - 1) / at_once;
    const int64_t room = (steps + passes - 1) / passes * s.blocks;
    c->kernels->wide->begin(s.super);
    for (int64_t begin = 0; begin < blocks; begin += room) {
        const int64_t end = blocks - begin < room ? blocks : begin + room;
        arrange_rows(c, &s, row_begin, row_end, begin, end);
        for (int64_t g = c->group_begin; g < c->group_end; g += s.groups) {
            const int64_t left = c->group_end - g;
            const chunk k = {g, row_begin, row_end, left < s.groups ? (int)left : s.groups, WIDE_ROWS, s.super};
            if (begin > 0) take_aside(c, k);
            multiply_chunk(c, &s, k, begin, end);
            bring_home(c, k);
            if (end == blocks) finish(c, k);
        }
    }
    c->kernels->wide->end();
}

void multiply_few(const call *c, int64_t row_begin, int64_t row_end) {
    const wide_shape s = shape_of(c->matrix->format);
    const int64_t blocks = c->matrix->columns / BLOCK;
    const int64_t room = WIDE_SUPER_PASS_BYTES / (int64_t)s.record_bytes * s.record_blocks;
    const int rows = (int)(row_end - row_begin);
    // Row groups that are there as a whole, then the last one.
    const int64_t whole = c->matrix->rows / CPU_GROUP_ROWS < c->group_end ? c->matrix->rows / CPU_GROUP_ROWS : c->group_end;
    const int64_t parts[] = {c->group_begin, whole, c->group_end};
    c->kernels->few->begin(rows);
    for (int64_t begin = 0; begin < blocks; begin += room) {
        const int64_t end = blocks - begin < room ? blocks : begin + room;
        arrange_rows(c, &s, row_begin, row_end, begin, end);
        for (int i = 0; i < 2; i++) {
            const chunk k = {parts[i], row_begin, row_end, (int)(parts[i + 1] - parts[i]), WIDE_ROWS, i == 1};
            if (k.groups <= 0) continue;
            float *const out = c->out + row_begin * c->stride + k.group * CPU_GROUP_ROWS;
            if (begin > 0 && k.aside) take_aside(c, k);
            c->kernels->few->multiply[c->matrix->format->index](
                packed_group(c, k.group) + (size_t)begin * (c->group_bytes / (size_t)blocks), c->group_bytes, k.groups,
                (end - begin) / s.record_blocks, c->wide, rows, k.aside ? c->edge : out,
                k.aside ? CHUNK : c->stride, begin == 0);
            if (k.aside) bring_home(c, k);
            if (end == blocks) finish(c, k);
        }
    }
    c->kernels->few->end();
}

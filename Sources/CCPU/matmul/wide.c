// Drives the kernels of a matrix unit: rows of x are arranged in records of 16 once for all row groups of a call, for as
// many columns as stay in the second-level cache, and each unpacked panel of weights meets all of them.
#include "driver.h"

static int64_t tile_count(int64_t row_begin, int64_t row_end) {
    return (row_end - row_begin + WIDE_ROWS - 1) / WIDE_ROWS;
}

// Blocks `begin ..< end` of rows of x as wide records, tile by tile. Rows that are not there are zeros.
static void arrange_rows(const call *c, int64_t row_begin, int64_t row_end, int64_t begin, int64_t end) {
    uint8_t *wide = c->wide;
    for (int64_t m = row_begin; m < row_end; m += WIDE_ROWS) {
        if (row_end - m < WIDE_ROWS) memset(wide, 0, (size_t)(end - begin) * WIDE_BYTES);
        const uint8_t *tiles[WIDE_ROWS / CPU_TILE_ROWS] = {0};
        int widths[WIDE_ROWS / CPU_TILE_ROWS] = {0};
        for (int t = 0; t < WIDE_ROWS / CPU_TILE_ROWS && m + t * CPU_TILE_ROWS < row_end; t++) {
            widths[t] = tile_width(c->x->rows, m + t * CPU_TILE_ROWS);
            tiles[t] = tile_at(c->x, m + t * CPU_TILE_ROWS) + begin * TILE_BYTES * widths[t];
        }
        c->kernels->wide->arrange(tiles, widths, end - begin, wide);
        wide += (end - begin) * WIDE_BYTES;
    }
}

static void multiply_chunk(const call *c, chunk k, int64_t begin, int64_t end) {
    const cpu_matrix_format *format = c->matrix->format;
    const int64_t step = WIDE_BLOCKS;
    const size_t panel_stride = panel_bytes(format->group, format->has_min) * (size_t)step;
    const int64_t tiles = tile_count(k.row_begin, k.row_end);
    for (int64_t b = begin; b < end; b += step) {
        const int64_t stop = end - b < step ? end : b + step, after = stop < end ? stop : begin;
        unpack_panels(c, k, b, stop, 0, panel_stride);
        const int64_t next = end - after < step ? end - after : step;
        fetch ahead = fetch_weights(c, stop < end ? k.group : k.group + k.groups, after, next, stop - b, tiles);
        const uint8_t *fetched = !ahead.lines ? ahead.base : ahead.base + c->group_bytes / (size_t)(c->matrix->columns / BLOCK) * (size_t)next;
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

void multiply_wide(const call *c, int64_t row_begin, int64_t row_end) {
    const int64_t blocks = c->matrix->columns / BLOCK;
    const int64_t room = WIDE_PASS_BYTES / WIDE_BYTES / tile_count(row_begin, row_end) / WIDE_BLOCKS * WIDE_BLOCKS;
    c->kernels->wide->begin();
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

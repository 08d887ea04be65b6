// Drives the kernels of a matrix unit for F16 and BF16: for as many columns as stay in the second-level cache, each panel
// of weights meets all rows of x.
#include "driver.h"

enum {
    SQUARE_GROUPS = 2,
    SQUARE_BLOCKS = 16,    // columns / 32 of a panel, at most
    FLAT_PANEL = 8 << 10,  // bytes of one row group's panel, at most
};

// Rows of x times weights, as far as `low` and the tile registers' shape go.
typedef struct {
    const call *c;
    const split_kernels *kernels;
    int64_t row_begin, row_end;
    bool low;
    bool stream;   // whether one record meets repacked F16: it is expanded on the way
    int prepared;  // rows that tile registers are prepared for
} pass;

// Blocks of some row groups' panels.
typedef struct {
    int64_t group, begin, end;
    int groups;
    const uint8_t *panel;
    size_t panel_stride;
} weights;

static int record_rows(const pass *p, int64_t first) {
    const int64_t left = p->c->x->rows - first;
    return left < SPLIT_ROWS ? (int)left : SPLIT_ROWS;
}

static size_t piece_bytes(const pass *p) { return (size_t)SPLIT_WEIGHT_BYTES * (1 + p->low); }

// `records` records of x from row m on, one or two. Where some of their rows or outputs are not wanted, results go aside.
static void multiply_records(pass *p, int64_t m, int records, const weights *w, fetch ahead) {
    const call *c = p->c;
    const int rows = records > 1 ? SPLIT_ROWS : record_rows(p, m);
    if (rows != p->prepared) p->kernels->begin(rows);
    p->prepared = rows;
    const int columns = columns_in(c, (chunk){.group = w->group, .groups = w->groups});
    const int64_t first = m < p->row_begin ? p->row_begin : m;
    const int64_t last = m + records * rows < p->row_end ? m + records * rows : p->row_end;
    const bool aside = first > m || last < m + records * rows || columns < w->groups * CPU_GROUP_ROWS;
    const bool start = w->begin == 0;
    float *out = c->out + m * c->stride + w->group * CPU_GROUP_ROWS, *to = aside ? c->edge : out;
    const int64_t stride = aside ? CHUNK : c->stride;
    for (int64_t r = first; r < last && aside && !start; r++)
        memcpy(to + (r - m) * CHUNK, out + (r - m) * c->stride, (size_t)columns * sizeof *out);

    const size_t record = (size_t)((c->matrix->columns + BLOCK - 1) / BLOCK) * SPLIT_ROWS * SPLIT_BYTES;
    const uint8_t *x = tile_at(c->x, m) + w->begin * rows * SPLIT_BYTES;
    if (records > 1)
        p->kernels->square[p->low](
            x, record, w->panel, w->panel_stride, w->end - w->begin, to, stride, start, ahead);
    else if (p->stream)
        p->kernels->stream(
            x, rows, w->panel, w->panel_stride, w->groups, w->end - w->begin, to, stride, start);
    else
        p->kernels->flat[p->low](
            x, rows, w->panel, w->panel_stride, w->groups, w->end - w->begin, to, stride, start, ahead);
    for (int64_t r = first; r < last && aside; r++)
        memcpy(out + (r - m) * c->stride, to + (r - m) * CHUNK, (size_t)columns * sizeof *out);
}

// Blocks as a panel: where they lie, expanded, or from rows as they lie in the file.
static void unpack(const pass *p, weights *w) {
    const call *c = p->c;
    const int64_t blocks = w->end - w->begin;
    if (c->matrix->packed && (!p->low || p->stream)) {
        w->panel = packed_group(c, w->group) + w->begin * SPLIT_WEIGHT_BYTES;
        w->panel_stride = c->group_bytes;
        return;
    }
    w->panel = c->panels;
    w->panel_stride = (size_t)blocks * piece_bytes(p);
    for (int r = 0; r < w->groups; r++) {
        uint8_t *panel = c->panels + (size_t)r * w->panel_stride;
        const int64_t group = w->group + r;
        if (c->matrix->packed) {
            p->kernels->expand(packed_group(c, group) + w->begin * SPLIT_WEIGHT_BYTES, blocks, panel);
            continue;
        }
        for (int64_t b = w->begin; b < w->end; b++, panel += piece_bytes(p)) {
            _Alignas(64) uint8_t block[SPLIT_WEIGHT_BYTES];
            const int64_t left = c->matrix->columns - b * BLOCK;
            p->kernels->pack[c->matrix->format->index](
                block_row(c, group) + b * BLOCK * 2, c->row_bytes, rows_in_group(c, group), left < BLOCK ? left : BLOCK,
                p->low ? block : panel);
            if (p->low) p->kernels->expand(block, 1, panel);
        }
    }
}

// What is multiplied after blocks ..< `end` of `groups` row groups is fetched from DRAM meanwhile.
static fetch fetch_next(const pass *p, const weights *w, int64_t end, int64_t first, int64_t step, int64_t calls) {
    const call *c = p->c;
    const int64_t group = w->end < end ? w->group : w->group + w->groups, from = w->end < end ? w->end : first;
    if (!c->matrix->packed || group + w->groups > c->group_end) return (fetch){0};
    const int64_t next = end - from < step ? end - from : step, steps = calls * (w->end - w->begin);
    const int64_t lines = next * (SPLIT_WEIGHT_BYTES / 64);
    return (fetch){
        packed_group(c, group) + from * SPLIT_WEIGHT_BYTES, c->group_bytes, (int)((lines + steps - 1) / steps)};
}

// Blocks begin ..< end of some row groups times all rows of the pass.
static void multiply_groups(pass *p, int64_t group, int groups, bool square, int64_t begin, int64_t end) {
    const int64_t first = p->row_begin / SPLIT_ROWS * SPLIT_ROWS;
    const int64_t records = (p->row_end - first + SPLIT_ROWS - 1) / SPLIT_ROWS;
    const int64_t step = p->stream ? end - begin : square ? SQUARE_BLOCKS : FLAT_PANEL / (int64_t)piece_bytes(p);
    for (int64_t b = begin; b < end; b += step) {
        weights w = {.group = group, .groups = groups, .begin = b, .end = end - b < step ? end : b + step};
        unpack(p, &w);
        fetch ahead = {0};
        if (!p->stream) ahead = fetch_next(p, &w, end, begin, step, square ? (records + 1) / 2 : records);
        const uint8_t *fetched = !ahead.lines ? ahead.base : ahead.base + step * SPLIT_WEIGHT_BYTES;
        for (int64_t m = first; m < p->row_end;) {
            const bool two = square && groups == SQUARE_GROUPS && p->row_end - m > SPLIT_ROWS &&
                             record_rows(p, m + SPLIT_ROWS) == SPLIT_ROWS;
            multiply_records(p, m, 1 + two, &w, ahead);
            m += SPLIT_ROWS * (1 + two);
            ahead.base += (w.end - w.begin) * ahead.lines * 64;
            if (ahead.base >= fetched) ahead.lines = 0;
        }
    }
}

void multiply_split(const call *c, int64_t row_begin, int64_t row_end) {
    pass p = {.c = c, .kernels = c->kernels->split, .low = c->matrix->format->index == INDEX_f16};
    const int64_t blocks = (c->matrix->columns + BLOCK - 1) / BLOCK;
    for (int64_t m = row_begin; m < row_end; m = p.row_end) {
        const int64_t first = m / SPLIT_ROWS * SPLIT_ROWS;
        p.row_begin = m;
        p.row_end = row_end - first < SPLIT_PASS_ROWS ? row_end : first + SPLIT_PASS_ROWS;
        const bool square = p.row_end - first >= 2 * SPLIT_ROWS;
        p.stream = p.low && c->matrix->packed && p.row_end - first <= SPLIT_ROWS;
        const int set = square ? SQUARE_GROUPS : STREAM_GROUPS;
        const int64_t fitting = SPLIT_PASS_BYTES / ((p.row_end - first) * SPLIT_BYTES);
        const int64_t step = fitting > SPLIT_ROWS ? fitting / SPLIT_ROWS * SPLIT_ROWS : SPLIT_ROWS;
        for (int64_t begin = 0; begin < blocks; begin += step) {
            const int64_t end = blocks - begin < step ? blocks : begin + step;
            for (int64_t g = c->group_begin; g < c->group_end; g += set) {
                const int groups = c->group_end - g < set ? (int)(c->group_end - g) : set;
                multiply_groups(&p, g, groups, square, begin, end);
                if (end == blocks) finish(c, (chunk){g, p.row_begin, p.row_end, groups});
            }
        }
    }
    p.kernels->end();
}

// What the drivers of products share: the arguments of a call, and where weights, tiles and results lie.
#pragma once
#include "internal.h"

#include <string.h>

static inline uint8_t *tile_at(const cpu_activations *x, int64_t row) {
    return (uint8_t *)x->data + cpu_activation_bytes(x->kind, row, x->columns);
}

// One call's arguments and what follows from them.
typedef struct {
    const kernel_set *kernels;
    const cpu_matrix *matrix;
    const cpu_activations *x;
    const cpu_epilogue *epilogue;
    size_t group_bytes, row_bytes;
    int64_t group_begin, group_end;
    float *out;
    int64_t stride;
    uint8_t *panels;  // room for CHUNK_GROUPS panels
    float *edge;      // room for WIDE_PASS_ROWS rows of CHUNK outputs
    uint8_t *wide;    // room for WIDE_PASS_BYTES of rows of x arranged anew
} call;

// Some row groups times some rows of x: what is computed before going on to other weights.
typedef struct {
    int64_t group, row_begin, row_end;
    int groups;
} chunk;

static inline const uint8_t *packed_group(const call *c, int64_t group) {
    return (const uint8_t *)c->matrix->data + (size_t)group * c->group_bytes;
}

static inline const uint8_t *block_row(const call *c, int64_t group) {
    return (const uint8_t *)c->matrix->data + (size_t)(group * CPU_GROUP_ROWS) * c->row_bytes;
}

static inline int rows_in_group(const call *c, int64_t group) {
    int64_t left = c->matrix->rows - group * CPU_GROUP_ROWS;
    return left < CPU_GROUP_ROWS ? (int)left : CPU_GROUP_ROWS;
}

static inline int columns_in(const call *c, chunk k) {
    int64_t left = c->matrix->rows - k.group * CPU_GROUP_ROWS;
    return left < k.groups * CPU_GROUP_ROWS ? (int)left : k.groups * CPU_GROUP_ROWS;
}

// Where a tile's results go: to the output, or aside where the tile or the row groups have more rows than the output
// has.
typedef struct {
    float *out;
    int64_t stride;
    int width;
    bool aside;
} place;

static inline place place_of(const call *c, chunk k, int64_t m) {
    int width = tile_width(c->x->rows, m);
    if (k.row_end - m < width || columns_in(c, k) < k.groups * CPU_GROUP_ROWS)
        return (place){c->edge + (m - k.row_begin) * CHUNK, CHUNK, width, true};
    return (place){c->out + m * c->stride + k.group * CPU_GROUP_ROWS, c->stride, width, false};
}

// The first row whose results are kept aside: all of them, or those of the last tile, or none.
static inline int64_t first_aside(const call *c, chunk k) {
    if (columns_in(c, k) < k.groups * CPU_GROUP_ROWS) return k.row_begin;
    const int64_t last = k.row_begin + (k.row_end - 1 - k.row_begin) / CPU_TILE_ROWS * CPU_TILE_ROWS;
    return place_of(c, k, last).aside ? last : k.row_end;
}

// Brings results home that were computed aside.
static inline void bring_home(const call *c, chunk k) {
    const size_t bytes = (size_t)columns_in(c, k) * sizeof *c->out;
    for (int64_t m = first_aside(c, k); m < k.row_end; m++)
        memcpy(c->out + m * c->stride + k.group * CPU_GROUP_ROWS, c->edge + (m - k.row_begin) * CHUNK, bytes);
}

// Sums that are not complete yet go aside again.
static inline void take_aside(const call *c, chunk k) {
    const size_t bytes = (size_t)columns_in(c, k) * sizeof *c->out;
    for (int64_t m = first_aside(c, k); m < k.row_end; m++)
        memcpy(c->edge + (m - k.row_begin) * CHUNK, c->out + m * c->stride + k.group * CPU_GROUP_ROWS, bytes);
}

// Adds bias and residual.
static inline void finish(const call *c, chunk k) {
    int64_t first = k.group * CPU_GROUP_ROWS;
    int count = columns_in(c, k);
    const float *bias = c->epilogue ? c->epilogue->bias : NULL;
    const float *residual = c->epilogue ? c->epilogue->residual : NULL;
    if (!bias && !residual) return;
    for (int64_t m = k.row_begin; m < k.row_end; m++) {
        float *out = c->out + m * c->stride + first;
        if (bias)
            for (int n = 0; n < count; n++) out[n] += bias[first + n];
        if (residual)
            for (int n = 0; n < count; n++) out[n] += residual[m * c->epilogue->residual_stride + first + n];
    }
}

// Blocks `begin ..< end` of a chunk's row groups as panels, of codes with the given zero.
static inline void unpack_panels(const call *c, chunk k, int64_t begin, int64_t end, uint8_t zero, size_t panel_stride) {
    const integer_kernels *kernels = &c->kernels->integers[c->matrix->format->index];
    for (int r = 0; r < k.groups; r++) {
        uint8_t *panel = c->panels + (size_t)r * panel_stride;
        if (c->matrix->packed && kernels->pack)
            kernels->unpack_packed(packed_group(c, k.group + r), begin, end, zero, panel);
        else
            kernels->unpack_blocks(
                block_row(c, k.group + r), c->row_bytes, rows_in_group(c, k.group + r), begin, end, zero, panel);
    }
}

// Rows as they lie in the file: those of a row group are sixteen short streams, but lie one after the other, so a row group is fetched from
// end to end while the one before it is multiplied.
static inline fetch fetch_blocks(const call *c, int64_t group, int64_t begin, int64_t blocks, int64_t steps) {
    const int64_t next = group + PANEL_GROUPS;
    if (next + PANEL_GROUPS > c->group_end) return (fetch){0};
    const size_t all = CPU_GROUP_ROWS * c->row_bytes, per_block = all / (size_t)(c->matrix->columns / BLOCK);
    const int64_t lines = (int64_t)per_block * blocks / 64 + 1;
    return (fetch){block_row(c, next) + (size_t)begin * per_block, all, (int)((lines + steps - 1) / steps)};
}

// Repacked weights that are unpacked after `blocks_now` blocks of a chunk: `blocks` from `begin` on of the row groups
// from `group` on. They are fetched from DRAM while those are multiplied with `tiles` tiles.
static inline fetch fetch_weights(
    const call *c, int64_t group, int64_t begin, int64_t blocks, int64_t blocks_now, int64_t tiles
) {
    const integer_kernels *kernels = &c->kernels->integers[c->matrix->format->index];
    if (!c->matrix->packed || !kernels->pack) return fetch_blocks(c, group, begin, blocks, tiles * blocks_now);
    if (group >= c->group_end) return (fetch){0};
    size_t bytes = c->group_bytes / (size_t)(c->matrix->columns / BLOCK);
    int64_t lines = (int64_t)bytes * blocks / 64, steps = tiles * blocks_now;
    // Evenly, to the end: asking for more at once than memory gives stalls. What is left of a line per step is read late.
    const bool super = c->matrix->format->activations == CPU_ACTIVATIONS_Q8_SUPER;
    const int64_t per_step = (lines + (super ? steps - 1 : steps / 2)) / steps;
    return (fetch){packed_group(c, group) + (size_t)begin * bytes, c->group_bytes, per_step > 0 ? (int)per_step : 1};
}

// Products of all row groups of a call with some rows of x, on the matrix unit.
void multiply_wide(const call *c, int64_t row_begin, int64_t row_end);
// The same for repacked weights and up to WIDE_ROWS rows.
void multiply_few(const call *c, int64_t row_begin, int64_t row_end);
// And in F16 and BF16.
void multiply_split(const call *c, int64_t row_begin, int64_t row_end);

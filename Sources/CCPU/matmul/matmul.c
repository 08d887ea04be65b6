// Drives the kernels over the ranges of one call.
#include "internal.h"

#include <string.h>

static int64_t stored_rows(int64_t rows) { return rows / 4 * 4 + tile_width(rows, rows / 4 * 4) * (rows % 4 != 0); }

size_t cpu_activation_bytes(cpu_activation_kind kind, int64_t rows, int64_t columns) {
    size_t blocks = (size_t)((columns + BLOCK - 1) / BLOCK);
    size_t per_row = kind == CPU_ACTIVATIONS_F32 ? (size_t)columns * sizeof(float) : blocks * TILE_BYTES;
    return (size_t)stored_rows(rows) * per_row;
}

static uint8_t *tile_at(const cpu_activations *x, int64_t row) {
    return (uint8_t *)x->data + cpu_activation_bytes(x->kind, row, x->columns);
}

void cpu_activations_fill(
    cpu_isa isa, const cpu_activations *activations, int64_t row_begin, int64_t row_end, const float *x, int64_t stride,
    const int32_t *indices
) {
    for (int64_t m = row_begin; m < row_end; m += CPU_TILE_ROWS) {
        int width = tile_width(activations->rows, m);
        int count = activations->rows - m < width ? (int)(activations->rows - m) : width;
        const float *rows[CPU_TILE_ROWS] = {0};
        for (int c = 0; c < count; c++) rows[c] = x + (indices ? indices[m + c] : m + c) * stride;
        uint8_t *tile = tile_at(activations, m);
        if (activations->kind == CPU_ACTIVATIONS_Q8) {
            kernel_sets[isa]->fill_q8(rows, count, width, activations->columns / BLOCK, tile);
            continue;
        }
        float *out = (float *)tile;
        for (int64_t k = 0; k < activations->columns; k++)
            for (int c = 0; c < width; c++) *out++ = c < count ? rows[c][k] : 0;
    }
}

// One call's arguments and what follows from them.
typedef struct {
    const kernel_set *kernels;
    const cpu_matrix *matrix;
    const cpu_activations *x;
    const cpu_epilogue *epilogue;
    size_t group_bytes, row_bytes;
    int64_t group_end;
    float *out;
    int64_t stride;
    uint8_t *panels;  // room for CHUNK_GROUPS panels
    float *edge;      // room for ROWS_AT_ONCE rows of CHUNK outputs
} call;

enum { CHUNK_GROUPS = 4, CHUNK = CHUNK_GROUPS * CPU_GROUP_ROWS };

// Some row groups times some rows of x: what is computed before going on to other weights.
typedef struct {
    int64_t group, row_begin, row_end;
    int groups;
} chunk;

static const uint8_t *packed_group(const call *c, int64_t group) {
    return (const uint8_t *)c->matrix->data + (size_t)group * c->group_bytes;
}

static const uint8_t *block_row(const call *c, int64_t group) {
    return (const uint8_t *)c->matrix->data + (size_t)(group * CPU_GROUP_ROWS) * c->row_bytes;
}

static int rows_in_group(const call *c, int64_t group) {
    int64_t left = c->matrix->rows - group * CPU_GROUP_ROWS;
    return left < CPU_GROUP_ROWS ? (int)left : CPU_GROUP_ROWS;
}

static int columns_in(const call *c, chunk k) {
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

static place place_of(const call *c, chunk k, int64_t m) {
    int width = tile_width(c->x->rows, m);
    if (k.row_end - m < width || columns_in(c, k) < k.groups * CPU_GROUP_ROWS)
        return (place){c->edge + (m - k.row_begin) * CHUNK, CHUNK, width, true};
    return (place){c->out + m * c->stride + k.group * CPU_GROUP_ROWS, c->stride, width, false};
}

// Brings results home and adds bias and residual.
static void finish(const call *c, chunk k) {
    int64_t first = k.group * CPU_GROUP_ROWS;
    int count = columns_in(c, k);
    const float *bias = c->epilogue ? c->epilogue->bias : NULL;
    const float *residual = c->epilogue ? c->epilogue->residual : NULL;
    for (int64_t m = k.row_begin; m < k.row_end; m++) {
        float *out = c->out + m * c->stride + first;
        if (place_of(c, k, m / CPU_TILE_ROWS * CPU_TILE_ROWS).aside)
            memcpy(out, c->edge + (m - k.row_begin) * CHUNK, (size_t)count * sizeof *out);
        if (bias)
            for (int n = 0; n < count; n++) out[n] += bias[first + n];
        if (residual)
            for (int n = 0; n < count; n++) out[n] += residual[m * c->epilogue->residual_stride + first + n];
    }
}

static void multiply_direct(const call *c, const integer_kernels *kernels, chunk k) {
    for (int64_t m = k.row_begin; m < k.row_end; m += CPU_TILE_ROWS) {
        place to = place_of(c, k, m);
        kernels->direct(
            packed_group(c, k.group), c->group_bytes, k.groups, c->matrix->columns / BLOCK, tile_at(c->x, m), to.width,
            to.out, to.stride);
    }
}

// Repacked weights that are unpacked after blocks `b ..< end` of a chunk: fetched from DRAM while those are multiplied.
static fetch next_weights(const call *c, chunk k, int64_t end, int64_t blocks, int64_t step) {
    int64_t group = end < blocks ? k.group : k.group + k.groups, begin = end < blocks ? end : 0;
    if (group >= c->group_end) return (fetch){0};
    size_t bytes = c->group_bytes / (size_t)blocks;
    int64_t count = blocks - begin < step ? blocks - begin : step;
    int64_t tiles = (k.row_end - k.row_begin + CPU_TILE_ROWS - 1) / CPU_TILE_ROWS;
    int64_t lines = (int64_t)bytes * count / 64, steps = tiles * (end < blocks ? step : count);
    return (fetch){packed_group(c, group) + (size_t)begin * bytes, c->group_bytes, (int)((lines + steps - 1) / steps)};
}

static void multiply_panels(const call *c, const integer_kernels *kernels, chunk k) {
    const cpu_matrix_format *format = c->matrix->format;
    const int64_t step = blocks_at_once(format->group, format->has_min);
    size_t panel_stride = panel_bytes(format->group, format->has_min) * (size_t)step;
    panel_kernel *multiply = c->kernels->panels[format->group == 16][format->has_min];
    int64_t blocks = c->matrix->columns / BLOCK;
    bool packed = c->matrix->packed && kernels->pack;
    for (int64_t b = 0; b < blocks; b += step) {
        int64_t end = blocks - b < step ? blocks : b + step;
        for (int r = 0; r < k.groups; r++) {
            uint8_t *panel = c->panels + (size_t)r * panel_stride;
            if (packed) kernels->unpack_packed(packed_group(c, k.group + r), b, end, panel);
            else kernels->unpack_blocks(
                block_row(c, k.group + r), c->row_bytes, rows_in_group(c, k.group + r), b, end, panel);
        }
        fetch ahead = packed ? next_weights(c, k, end, blocks, step) : (fetch){0};
        const uint8_t *fetched = ahead.base + c->group_bytes / (size_t)blocks * (size_t)step;
        for (int64_t m = k.row_begin; m < k.row_end; m += CPU_TILE_ROWS) {
            place to = place_of(c, k, m);
            multiply(
                c->panels, panel_stride, k.groups, end - b, tile_at(c->x, m) + b * TILE_BYTES * to.width, to.width,
                to.out, to.stride, b == 0, ahead);
            ahead.base += (end - b) * ahead.lines * 64;
            if (ahead.base >= fetched) ahead.lines = 0;
        }
    }
}

static void multiply_floats(const call *c, chunk k) {
    const cpu_matrix_format *format = c->matrix->format;
    const float_kernels *kernels = &c->kernels->floats[format->index];
    int64_t columns = c->matrix->columns;
    // One tile alone streams the weights from end to end.
    int64_t step = c->matrix->packed && k.row_end - k.row_begin <= CPU_TILE_ROWS ? columns : FLOAT_COLUMNS;
    size_t panel_stride = FLOAT_COLUMNS * CPU_GROUP_ROWS * sizeof(float);
    for (int64_t first = 0; first < columns; first += step) {
        int64_t count = columns - first < step ? columns - first : step;
        for (int r = 0; r < k.groups && !c->matrix->packed; r++)
            kernels->unpack_blocks(
                block_row(c, k.group + r), c->row_bytes, rows_in_group(c, k.group + r), first, first + count,
                c->panels + (size_t)r * panel_stride);
        for (int64_t m = k.row_begin; m < k.row_end; m += CPU_TILE_ROWS) {
            place to = place_of(c, k, m);
            const float *tile = (const float *)tile_at(c->x, m) + first * to.width;
            if (c->matrix->packed)
                kernels->multiply(
                    packed_group(c, k.group) + (size_t)(first * CPU_GROUP_ROWS * format->block_bytes), c->group_bytes,
                    k.groups, count, tile, to.width, to.out, to.stride, first == 0);
            else
                c->kernels->floats[INDEX_f32].multiply(
                    c->panels, panel_stride, k.groups, count, tile, to.width, to.out, to.stride, first == 0);
        }
    }
}

void cpu_matmul(
    cpu_isa isa, const cpu_matrix *matrix, const cpu_activations *activations, int64_t row_begin, int64_t row_end,
    int64_t group_begin, int64_t group_end, float *out, int64_t out_stride, const cpu_epilogue *epilogue, void *scratch
) {
    const cpu_matrix_format *format = matrix->format;
    const size_t panel_room = CHUNK_GROUPS * FLOAT_COLUMNS * CPU_GROUP_ROWS * sizeof(float);
    _Static_assert(
        CHUNK_GROUPS * FLOAT_COLUMNS * CPU_GROUP_ROWS * sizeof(float) + ROWS_AT_ONCE * CHUNK * sizeof(float) <=
            CPU_MATMUL_SCRATCH, "float panels and edge");
    _Static_assert(CHUNK_GROUPS * PANEL_BLOCKS * 768 <= CHUNK_GROUPS * FLOAT_COLUMNS * 64, "integer panels");
    call c = {
        .kernels = kernel_sets[isa],
        .matrix = matrix,
        .x = activations,
        .epilogue = epilogue,
        .group_bytes = cpu_matrix_group_bytes(format, matrix->columns),
        .row_bytes = cpu_matrix_row_bytes(format, matrix->columns),
        .group_end = group_end,
        .out = out,
        .stride = out_stride,
        .panels = scratch,
        .edge = (float *)((uint8_t *)scratch + panel_room),
    };
    const bool floats = format->activations == CPU_ACTIVATIONS_F32;
    const integer_kernels *kernels = floats ? NULL : &c.kernels->integers[format->index];
    int64_t tile_bytes = (int64_t)cpu_activation_bytes(activations->kind, CPU_TILE_ROWS, matrix->columns);
    int64_t rows = PASS_BYTES / tile_bytes * CPU_TILE_ROWS;
    if (rows > ROWS_AT_ONCE) rows = ROWS_AT_ONCE;
    if (rows < 32) rows = 32;
    for (int64_t m = row_begin; m < row_end; m += rows) {
        int64_t end = row_end - m < rows ? row_end : m + rows;
        bool direct = !floats && matrix->packed && kernels->direct && end - m <= DIRECT_ROWS;
        int step = (floats && end - m <= CPU_TILE_ROWS) || direct ? CHUNK_GROUPS : PANEL_GROUPS;
        for (int64_t g = group_begin; g < group_end; g += step) {
            chunk k = {g, m, end, group_end - g < step ? (int)(group_end - g) : step};
            if (floats) multiply_floats(&c, k);
            else if (direct) multiply_direct(&c, kernels, k);
            else multiply_panels(&c, kernels, k);
            finish(&c, k);
        }
    }
}

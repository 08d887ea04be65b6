// Drives the kernels over the ranges of one call.
#include "driver.h"

static int64_t stored_rows(int64_t rows) { return rows / 4 * 4 + tile_width(rows, rows / 4 * 4) * (rows % 4 != 0); }

size_t cpu_activation_bytes(cpu_activation_kind kind, int64_t rows, int64_t columns) {
    size_t blocks = (size_t)((columns + BLOCK - 1) / BLOCK);
    if (kind == CPU_ACTIVATIONS_SPLIT) return (size_t)rows * blocks * SPLIT_BYTES;
    size_t per_row = kind == CPU_ACTIVATIONS_F32 ? (size_t)columns * sizeof(float) : blocks * TILE_BYTES;
    return (size_t)stored_rows(rows) * per_row;
}

static void fill_split(cpu_isa isa, const cpu_activations *activations, int64_t row, const float *x) {
    const int64_t first = row / SPLIT_ROWS * SPLIT_ROWS, left = activations->rows - first;
    const size_t piece = (size_t)(left < SPLIT_ROWS ? left : SPLIT_ROWS) * BLOCK * 2;
    uint8_t *record = tile_at(activations, first);
    kernel_sets[isa]->split->fill(x, activations->columns, record + (row - first) * BLOCK * 2, piece);
}

void cpu_activations_fill(
    cpu_isa isa, const cpu_activations *activations, int64_t row_begin, int64_t row_end, const float *x, int64_t stride,
    const int32_t *indices
) {
    for (int64_t m = row_begin; m < row_end && activations->kind == CPU_ACTIVATIONS_SPLIT; m++)
        fill_split(isa, activations, m, x + (indices ? indices[m] : m) * stride);
    if (activations->kind == CPU_ACTIVATIONS_SPLIT) return;
    for (int64_t m = row_begin; m < row_end; m += CPU_TILE_ROWS) {
        int width = tile_width(activations->rows, m);
        int count = activations->rows - m < width ? (int)(activations->rows - m) : width;
        const float *rows[CPU_TILE_ROWS] = {0};
        for (int c = 0; c < count; c++) rows[c] = x + (indices ? indices[m + c] : m + c) * stride;
        uint8_t *tile = tile_at(activations, m);
        if (activations->kind != CPU_ACTIVATIONS_F32) {
            const bool super = activations->kind == CPU_ACTIVATIONS_Q8_SUPER;
            (super ? kernel_sets[isa]->fill_q8_super : kernel_sets[isa]->fill_q8)(
                rows, count, width, activations->columns / BLOCK, tile);
            continue;
        }
        float *out = (float *)tile;
        for (int64_t k = 0; k < activations->columns; k++)
            for (int c = 0; c < width; c++) *out++ = c < count ? rows[c][k] : 0;
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

// Rows as they lie in the file.
static void multiply_rows(const call *c, const integer_kernels *kernels, chunk k) {
    for (int64_t m = k.row_begin; m < k.row_end; m += CPU_TILE_ROWS) {
        place to = place_of(c, k, m);
        kernels->direct_rows(
            block_row(c, k.group), c->row_bytes, k.groups, c->matrix->columns / BLOCK, tile_at(c->x, m), to.width, to.out,
            to.stride);
    }
}

// How the panels of a format are multiplied, for how many blocks at once, and how many bytes one has then.
typedef struct {
    panel_kernel *multiply;
    int64_t blocks;
    size_t bytes;
} panel_shape;

static panel_shape panel_shape_of(const call *c, int64_t rows) {
    const cpu_matrix_format *f = c->matrix->format;
    if (f->activations == CPU_ACTIVATIONS_Q8_SUPER)
        return (panel_shape){
            f->products ? c->kernels->super_products[f->has_min]
            : f->run    ? c->kernels->super_panels[f->group == 16][f->has_min]
                        : c->kernels->super_integers,
            PANEL_BLOCKS, PANEL_BLOCKS / SUPER_BLOCKS * super_panel_bytes(f->group, f->has_min, f->products)};
    const int64_t blocks = rows <= FEW_ROWS ? FEW_BLOCKS : blocks_at_once(f->group, f->has_min);
    return (panel_shape){
        c->kernels->panels[f->group == 16][f->has_min], blocks, (size_t)blocks * panel_bytes(f->group, f->has_min)};
}

static void multiply_panels(const call *c, chunk k) {
    const panel_shape panels = panel_shape_of(c, k.row_end - k.row_begin);
    const int64_t step = panels.blocks;
    const size_t panel_stride = panels.bytes;
    panel_kernel *multiply = panels.multiply;
    const int64_t blocks = c->matrix->columns / BLOCK;
    const int64_t tiles = (k.row_end - k.row_begin + CPU_TILE_ROWS - 1) / CPU_TILE_ROWS;
    for (int64_t b = 0; b < blocks; b += step) {
        const int64_t end = blocks - b < step ? blocks : b + step, after = end < blocks ? end : 0;
        unpack_panels(c, k, b, end, 128, panel_stride);
        const int64_t next = blocks - after < step ? blocks - after : step;
        fetch ahead = fetch_weights(c, end < blocks ? k.group : k.group + k.groups, after, next, end - b, tiles);
        const uint8_t *fetched = !ahead.lines ? ahead.base : ahead.base + c->group_bytes / (size_t)blocks * (size_t)next;
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
    const int64_t columns = c->matrix->columns;
    // A tile alone streams repacked weights from end to end; more of them share weights unpacked to F32.
    const bool packed = c->matrix->packed, alone = k.row_end - k.row_begin <= CPU_TILE_ROWS;
    const bool unpack = !packed || (!alone && format->index != INDEX_f32);
    const int64_t step = packed && alone ? columns : FLOAT_COLUMNS;
    const size_t panel_stride = FLOAT_COLUMNS * CPU_GROUP_ROWS * sizeof(float);
    for (int64_t first = 0; first < columns; first += step) {
        const int64_t count = columns - first < step ? columns - first : step;
        for (int r = 0; r < k.groups && unpack; r++) {
            uint8_t *panel = c->panels + (size_t)r * panel_stride;
            if (packed) kernels->unpack_packed(packed_group(c, k.group + r), first, first + count, panel);
            else kernels->unpack_blocks(
                block_row(c, k.group + r), c->row_bytes, rows_in_group(c, k.group + r), first, first + count, panel);
        }
        for (int64_t m = k.row_begin; m < k.row_end; m += CPU_TILE_ROWS) {
            place to = place_of(c, k, m);
            const float *tile = (const float *)tile_at(c->x, m) + first * to.width;
            if (unpack)
                c->kernels->floats[INDEX_f32].multiply(
                    c->panels, panel_stride, k.groups, count, tile, to.width, to.out, to.stride, first == 0);
            else
                kernels->multiply(
                    packed_group(c, k.group) + (size_t)(first * CPU_GROUP_ROWS * format->block_bytes), c->group_bytes,
                    k.groups, count, tile, to.width, to.out, to.stride, first == 0);
        }
    }
}

// Up to WIDE_ROWS rows for which weights are unpacked while a matrix unit multiplies them.
static bool takes_few(const kernel_set *kernels, const cpu_matrix *matrix, int64_t rows) {
    const cpu_matrix_format *format = matrix->format;
    return kernels->few && format->activations != CPU_ACTIVATIONS_F32 && matrix->packed &&
           kernels->few->multiply[format->index] && matrix->columns % (UNIT_BLOCKS * BLOCK) == 0 && rows <= WIDE_ROWS &&
           rows >= (wide_is_small(format->kind) ? FEW_SMALL_FROM_ROWS : FEW_FROM_ROWS);
}

// More rows, for which a matrix unit multiplies panels.
static bool takes_wide(const kernel_set *kernels, const cpu_matrix *matrix, int64_t rows) {
    const cpu_matrix_format *format = matrix->format;
    const bool small = wide_is_small(format->kind);
    return kernels->wide && format->activations != CPU_ACTIVATIONS_F32 && (!small || format->group == BLOCK) &&
           rows >= (small ? WIDE_SMALL_FROM_ROWS : WIDE_FROM_ROWS);
}

bool cpu_matmul_on_tiles(cpu_isa isa, const cpu_matrix *matrix, int64_t rows) {
    return takes_few(kernel_sets[isa], matrix, rows) || takes_wide(kernel_sets[isa], matrix, rows);
}

void cpu_matmul(
    cpu_isa isa, const cpu_matrix *matrix, const cpu_activations *activations, int64_t row_begin, int64_t row_end,
    int64_t group_begin, int64_t group_end, float *out, int64_t out_stride, const cpu_epilogue *epilogue, void *scratch
) {
    const cpu_matrix_format *format = matrix->format;
    enum {
        PANEL_ROOM = 64 << 10,
        EDGE_ROOM = WIDE_PASS_ROWS * CHUNK * sizeof(float),
    };
    _Static_assert(PANEL_ROOM + EDGE_ROOM + WIDE_PASS_BYTES <= CPU_MATMUL_SCRATCH, "scratch memory");
    _Static_assert(PANEL_GROUPS * PANEL_BLOCKS * 768 <= PANEL_ROOM, "integer panels");
    _Static_assert(PANEL_GROUPS * PANEL_BLOCKS / SUPER_BLOCKS * 5248 <= PANEL_ROOM, "panels of blocks of 256 columns");
    _Static_assert(CHUNK_GROUPS * 1152 <= WIDE_PANEL_REST, "wide panels");
    _Static_assert(WIDE_PANEL + WIDE_PANEL_REST + WIDE_DOTS <= PANEL_ROOM, "wide panels and what leaves tile registers");
    _Static_assert(WIDE_PANEL / 4096 <= CHUNK_GROUPS, "sums of wide panels");
    _Static_assert(WIDE_SMALL_PASS_ROWS <= WIDE_PASS_ROWS, "sums of smaller blocks");
    _Static_assert(WIDE_PASS_BYTES / (WIDE_BYTES + 1088) >= WIDE_PASS_ROWS / WIDE_ROWS, "256 columns of all rows");
    _Static_assert(STREAM_GROUPS <= CHUNK_GROUPS, "row groups whose sums are kept aside");
    _Static_assert(STREAM_GROUPS * FLOAT_COLUMNS * CPU_GROUP_ROWS * sizeof(float) <= PANEL_ROOM, "float panels");
    call c = {
        .kernels = kernel_sets[isa],
        .matrix = matrix,
        .x = activations,
        .epilogue = epilogue,
        .group_bytes = cpu_matrix_group_bytes(format, matrix->columns),
        .row_bytes = cpu_matrix_row_bytes(format, matrix->columns),
        .group_begin = group_begin,
        .group_end = group_end,
        .out = out,
        .stride = out_stride,
        .panels = scratch,
        .edge = (float *)((uint8_t *)scratch + PANEL_ROOM),
        .wide = (uint8_t *)scratch + PANEL_ROOM + EDGE_ROOM,
    };
    if (activations->kind == CPU_ACTIVATIONS_SPLIT) {
        multiply_split(&c, row_begin, row_end);
        return;
    }
    const bool floats = format->activations == CPU_ACTIVATIONS_F32;
    const integer_kernels *kernels = floats ? NULL : &c.kernels->integers[format->index];
    int64_t tile_bytes = (int64_t)cpu_activation_bytes(activations->kind, CPU_TILE_ROWS, matrix->columns);
    if (takes_few(c.kernels, matrix, row_end - row_begin)) {
        multiply_few(&c, row_begin, row_end);
        return;
    }
    const bool wide = takes_wide(c.kernels, matrix, row_end - row_begin);
    const int64_t wide_rows = wide_is_small(format->kind) ? WIDE_SMALL_PASS_ROWS : WIDE_PASS_ROWS;
    int64_t rows = wide ? wide_rows : PASS_BYTES / tile_bytes * CPU_TILE_ROWS;
    if (!wide && (floats || rows > ROWS_AT_ONCE)) rows = ROWS_AT_ONCE;
    if (rows < 32) rows = 32;
    for (int64_t m = row_begin; m < row_end; m += rows) {
        int64_t end = row_end - m < rows ? row_end : m + rows;
        if (wide) {
            multiply_wide(&c, m, end);
            continue;
        }
        const bool few = !floats && end - m <= DIRECT_ROWS;
        const bool direct = few && matrix->packed && kernels->direct;
        const bool direct_rows = few && !matrix->packed && kernels->direct_rows;
        int step = floats || direct ? STREAM_GROUPS : PANEL_GROUPS;
        for (int64_t g = group_begin; g < group_end; g += step) {
            chunk k = {g, m, end, group_end - g < step ? (int)(group_end - g) : step};
            if (floats) multiply_floats(&c, k);
            else if (direct) multiply_direct(&c, kernels, k);
            else if (direct_rows && columns_in(&c, k) == k.groups * CPU_GROUP_ROWS) multiply_rows(&c, kernels, k);
            else multiply_panels(&c, k);
            bring_home(&c, k);
            finish(&c, k);
        }
    }
}

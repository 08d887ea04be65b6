// Everything of one instruction set, as a table named KERNEL_SET.
#include "fill.h"
#include "float.h"
#include "integer.h"
#include "rows.h"
#include "super.h"

#define PACKED_KERNELS(name, ...)                                                  \
    [INDEX_##name].pack = name##_pack_rows, [INDEX_##name].direct = name##_direct, \
    [INDEX_##name].unpack_packed = name##_unpack_packed,
#define ROW_KERNELS(name, ...) [INDEX_##name].direct_rows = name##_direct_rows,
#if KERNEL_ISA >= ISA_AVX512_VBMI
#define PACKED_WIDE(name, ...) [INDEX_##name].unpack_packed_wide = name##_unpack_packed_wide,
#define BLOCKS_WIDE(name, ...) [INDEX_##name].unpack_blocks_wide = name##_unpack_blocks_wide,
#define WHOLE_WIDE(name, ...) [INDEX_##name].unpack_blocks_wide = name##_unpack_whole_wide,
#else
#define PACKED_WIDE(name, ...)
#define BLOCKS_WIDE(name, ...)
#define WHOLE_WIDE(name, ...)
#endif
#define BLOCK_KERNELS(name, ...) [INDEX_##name].unpack_blocks = name##_unpack_blocks,
#define WHOLE_KERNELS(name, ...) [INDEX_##name].unpack_blocks = name##_unpack_whole,
// Formats with small blocks and no repacked layout.
#define SINGLE_LIST(X) X(q1_0) X(q2_0)
#define FLOAT_TABLE(name, ...) [INDEX_##name] = {name##_pack, name##_multiply, name##_unpack_packed, name##_unpack_blocks},

#define KERNELS                                                           \
    .integers = {PACKED_LIST(PACKED_KERNELS) PACKED_LIST(PACKED_WIDE)     \
                 SMALL_LIST(WHOLE_KERNELS) SMALL_LIST(WHOLE_WIDE)         \
                 SINGLE_LIST(BLOCK_KERNELS) SINGLE_LIST(BLOCKS_WIDE)      \
                 SUPER_FORMAT_LIST(BLOCK_KERNELS)                         \
                 SUPER_FORMAT_LIST(BLOCKS_WIDE)                           \
                 SMALL_LIST(ROW_KERNELS) SUPER_ROWS_LIST(ROW_KERNELS)},   \
    .floats = {FLOAT_FORMAT_LIST(FLOAT_TABLE)},                           \
    .panels = {{panel_32, panel_32_min}, {panel_16, panel_16_min}},       \
    .super_products = {super_products, super_products_min},               \
    .super_panels = {{super_32, super_32_min}, {super_16, NULL}},         \
    .super_integers = super_integers,                                     \
    .fill_q8 = fill_q8, .fill_q8_super = fill_q8_super

const kernel_set KERNEL_SET = {KERNELS};

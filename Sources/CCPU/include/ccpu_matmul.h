#pragma once

// Dequantizing matrix multiplication: out[m][n] = sum over k of x[m][k] * W[n][k].
//
// W is in any GGUF format, either repacked for the kernels or as it lies in the file; x is quantized to 8 bits
// (integer formats) or keeps the precision of f32 (F32, F16, BF16). Every function is pure and single-threaded over the
// range it is given; callers split row groups (16 outputs each) over threads. A result depends on the row of x, the row
// of W and nothing else: not on the number of rows, the split into ranges, or whether W was repacked; nor on the
// instruction set, but for F16 and BF16 on AMX, whose order of sums is that of its instruction. The arithmetic is
// written down once, in matmul/reference.c.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Rows of W whose weights lie interleaved: the unit in which work is split.
#define CPU_GROUP_ROWS 16
/// Rows of x per tile: ranges of rows start at multiples of it.
#define CPU_TILE_ROWS 4
/// Bytes of scratch memory that one call of `cpu_matmul` may use; 64-byte aligned, contents undefined, one per thread.
#define CPU_MATMUL_SCRATCH ((size_t)1536 << 10)

typedef enum {
    CPU_ISA_PORTABLE,
    CPU_ISA_AVX2,         // AVX2, FMA, F16C
    CPU_ISA_AVX_VNNI,     // and 256-bit vpdpbusd
    CPU_ISA_AVX512,       // AVX-512 F, BW, DQ, VL
    CPU_ISA_AVX512_VNNI,  // and 512-bit vpdpbusd
    CPU_ISA_AVX512_VBMI,  // and permutations of bytes
    CPU_ISA_AMX,          // and AMX tiles of 8-bit integers and bf16
    CPU_ISA_COUNT,
} cpu_isa;

/// Whether this binary has kernels for `isa` and this machine and its operating system run them.
bool cpu_isa_supported(cpu_isa isa);
/// The fastest supported one.
cpu_isa cpu_isa_best(void);

/// How the rows of x must be prepared for a format.
typedef enum {
    CPU_ACTIVATIONS_Q8,        // int8 codes with a scale per 32
    CPU_ACTIVATIONS_Q8_SUPER,  // int8 codes with a scale per 256: formats with blocks of 256 weights
    CPU_ACTIVATIONS_F32,       // as they are
    CPU_ACTIVATIONS_SPLIT,     // three bf16 numbers whose sum they are
} cpu_activation_kind;

/// An element format that can be multiplied; opaque.
typedef struct cpu_matrix_format cpu_matrix_format;

/// The format with a GGUF type id, or NULL where there are no kernels for it.
const cpu_matrix_format *_Nullable cpu_matrix_format_for(uint32_t ggml_type);
cpu_activation_kind cpu_matrix_activation_kind(cpu_isa isa, const cpu_matrix_format *format);
/// Whether repacking makes products faster. Without it, GGUF blocks are the layout to use.
bool cpu_matrix_repacks(const cpu_matrix_format *format);
/// Whether `isa` has kernels that read GGUF blocks at about the speed of memory: repacking can wait until there is time.
bool cpu_matrix_reads_blocks(cpu_isa isa, const cpu_matrix_format *format);
/// Bytes of a repacked matrix: row groups of equal size (a multiple of 64), one after the other, the last one padded
/// with rows of zeros (memory is zeros before packing). The layout is that of one instruction set. `columns` is a multiple of the block length. The product must not overflow (check with the
/// file's size).
size_t cpu_matrix_packed_bytes(const cpu_matrix_format *format, int64_t rows, int64_t columns);
/// Repacks row groups `group_begin ..< group_end`. `blocks` is the GGUF data of row 0, `packed` the place of row
/// group 0.
void cpu_matrix_pack(
    cpu_isa isa, const cpu_matrix_format *format, int64_t rows, int64_t columns, int64_t group_begin, int64_t group_end,
    const void *blocks, void *packed);
/// One row of GGUF blocks as f32.
void cpu_decode_row(const cpu_matrix_format *format, const void *row, int64_t columns, float *out);

/// A matrix as kernels see it. Repacked data must be 64-byte aligned, GGUF blocks may lie anywhere.
typedef struct {
    const cpu_matrix_format *format;
    const void *data;
    int64_t rows;
    int64_t columns;
    bool packed;
} cpu_matrix;

/// Prepared rows of x. Data is 64-byte aligned.
typedef struct {
    void *data;
    int64_t rows;
    int64_t columns;
    cpu_activation_kind kind;
} cpu_activations;

/// Bytes of the data of `rows` prepared rows.
size_t cpu_activation_bytes(cpu_activation_kind kind, int64_t rows, int64_t columns);
/// Prepares rows `row_begin ..< row_end` (begin a multiple of CPU_TILE_ROWS; end too, or the last row). Row i of the
/// result is row `indices[i]` of x, or row i without indices; rows of x are `stride` floats apart.
void cpu_activations_fill(
    cpu_isa isa, const cpu_activations *activations, int64_t row_begin, int64_t row_end, const float *x, int64_t stride,
    const int32_t *_Nullable indices);

/// What happens to a product before it is stored, in this order.
typedef struct {
    const float *_Nullable bias;      // [rows of W], added
    const float *_Nullable residual;  // [rows of x][residual_stride], added; may not overlap the output
    int64_t residual_stride;
} cpu_epilogue;

/// out[m][n] for rows m in `row_begin ..< row_end` (begin a multiple of CPU_TILE_ROWS) and n of the row groups
/// `group_begin ..< group_end`. `out` is [m = 0][n = 0]; its rows are `out_stride` floats apart.
void cpu_matmul(
    cpu_isa isa, const cpu_matrix *matrix, const cpu_activations *activations, int64_t row_begin, int64_t row_end,
    int64_t group_begin, int64_t group_end, float *out, int64_t out_stride, const cpu_epilogue *_Nullable epilogue,
    void *scratch);

/// Whether that many rows meet an integer format's weights on a matrix unit.
bool cpu_matmul_on_tiles(cpu_isa isa, const cpu_matrix *matrix, int64_t rows);

/// The contract: the same result by scalar code straight from x and the GGUF blocks of `rows` rows.
void cpu_matmul_reference(
    cpu_isa isa, const cpu_matrix_format *format, const void *blocks, int64_t rows, int64_t columns, const float *x,
    int64_t x_rows, int64_t x_stride, float *out, int64_t out_stride);

#pragma clang assume_nonnull end

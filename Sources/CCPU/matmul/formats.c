// The list of formats, their sizes, and what does not depend on an instruction set.
#define KERNEL_ISA ISA_PORTABLE
#include "layouts/all.h"

#include <string.h>

#define RECORD_BLOCKS(name, blocks, offset) [INDEX_##name] = blocks,
#define RECORD_BYTES(name, blocks, offset) [INDEX_##name] = sizeof(packed_##name),
static const int record_blocks[INTEGER_COUNT] = {PACKED_LIST(RECORD_BLOCKS)};
static const int record_bytes[INTEGER_COUNT] = {PACKED_LIST(RECORD_BYTES)};

// Formats with smaller blocks have no such facts.
#define NO_SUPER_FACTS(name) \
    PRODUCTS_##name = 0, RUN_##name = 0, KIND_##name = HAS_MIN_##name ? WIDE_SMALL_MIN : WIDE_SMALL,
enum { SMALL_FORMAT_LIST(NO_SUPER_FACTS) };
#define INTEGER(name, label, type, length, bytes, columns, mins)                                   \
    {.id = type, .activations = length == SUPER ? CPU_ACTIVATIONS_Q8_SUPER : CPU_ACTIVATIONS_Q8,    \
     .index = INDEX_##name, .block_length = length, .block_bytes = bytes, .group = columns,         \
     .has_min = mins, .products = PRODUCTS_##name, .run = RUN_##name, .kind = (wide_kind)KIND_##name},
#define FLOATING(name, label, type, bytes) \
    {.id = type, .activations = CPU_ACTIVATIONS_F32, .index = INDEX_##name, .block_length = 1, .block_bytes = bytes},
static const cpu_matrix_format formats[] = {FORMAT_LIST(INTEGER) FLOAT_FORMAT_LIST(FLOATING)};

const cpu_matrix_format *cpu_matrix_format_for(uint32_t ggml_type) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].id == ggml_type) return &formats[i];
    return NULL;
}

cpu_activation_kind cpu_matrix_activation_kind(cpu_isa isa, const cpu_matrix_format *format) {
    const bool half = format->activations == CPU_ACTIVATIONS_F32 && format->block_bytes == 2;
    return half && isa == CPU_ISA_AMX ? CPU_ACTIVATIONS_SPLIT : format->activations;
}

bool cpu_matrix_repacks(const cpu_matrix_format *format) {
    return format->activations == CPU_ACTIVATIONS_F32 || record_blocks[format->index] != 0;
}

bool cpu_matrix_reads_blocks(cpu_isa isa, const cpu_matrix_format *format) {
    return format->activations != CPU_ACTIVATIONS_F32 && kernel_sets[isa]->integers[format->index].direct_rows != NULL;
}

size_t cpu_matrix_row_bytes(const cpu_matrix_format *format, int64_t columns) {
    return (size_t)(columns / format->block_length) * (size_t)format->block_bytes;
}

size_t cpu_matrix_group_bytes(const cpu_matrix_format *format, int64_t columns) {
    if (format->activations == CPU_ACTIVATIONS_F32) {
        // Whole blocks: a matrix unit takes no fewer columns.
        return (size_t)((columns + BLOCK - 1) / BLOCK) * BLOCK * CPU_GROUP_ROWS * (size_t)format->block_bytes;
    }
    int per_record = record_blocks[format->index];
    if (!per_record) return CPU_GROUP_ROWS * cpu_matrix_row_bytes(format, columns);
    int64_t records = (columns / BLOCK + per_record - 1) / per_record;
    return (size_t)records * (size_t)record_bytes[format->index];
}

size_t cpu_matrix_packed_bytes(const cpu_matrix_format *format, int64_t rows, int64_t columns) {
    int64_t groups = (rows + CPU_GROUP_ROWS - 1) / CPU_GROUP_ROWS;
    return (size_t)groups * cpu_matrix_group_bytes(format, columns);
}

void cpu_matrix_pack(
    cpu_isa isa, const cpu_matrix_format *format, int64_t rows, int64_t columns, int64_t group_begin, int64_t group_end,
    const void *blocks, void *packed
) {
    size_t row_bytes = cpu_matrix_row_bytes(format, columns), group_bytes = cpu_matrix_group_bytes(format, columns);
    for (int64_t g = group_begin; g < group_end; g++) {
        int64_t left = rows - g * CPU_GROUP_ROWS;
        int valid = left < CPU_GROUP_ROWS ? (int)left : CPU_GROUP_ROWS;
        const uint8_t *source = (const uint8_t *)blocks + (size_t)(g * CPU_GROUP_ROWS) * row_bytes;
        uint8_t *target = (uint8_t *)packed + (size_t)g * group_bytes;
        if (!cpu_matrix_repacks(format)) memcpy(target, source, (size_t)valid * row_bytes);
        else if (cpu_matrix_activation_kind(isa, format) == CPU_ACTIVATIONS_SPLIT)
            kernel_sets[isa]->split->pack[format->index](source, row_bytes, valid, columns, target);
        else if (format->activations == CPU_ACTIVATIONS_F32)
            kernel_sets[isa]->floats[format->index].pack(source, row_bytes, valid, columns, target);
        else kernel_sets[isa]->integers[format->index].pack(source, row_bytes, valid, columns / BLOCK, target);
    }
}

#define UNPACK(name, ...)                                                                     \
    static void unpack_##name(const void *block, int8_t *codes, float *scales, float *mins) { \
        name##_unpack(block, codes, scales, mins);                                            \
    }
FORMAT_LIST(UNPACK)
#define UNPACK_ENTRY(name, ...) unpack_##name,
void (*const cpu_unpack[INTEGER_COUNT])(const void *, int8_t *, float *, float *) = {FORMAT_LIST(UNPACK_ENTRY)};

#define READ_SUPER(name, ...)                                                 \
    static void read_super_##name(const void *block, super_block *out) {      \
        const block_##name *b = block;                                        \
        float scales[16], mins[16];                                           \
        name##_unpack(b, out->codes, scales, mins);                           \
        for (int g = 0; g < SUPER / GROUP_##name; g++) {                      \
            out->s[g] = name##_group_scale(b, g);                             \
            out->m[g] = name##_group_min(b, g);                               \
        }                                                                     \
        out->d = name##_super_scale(b);                                       \
        out->dmin = name##_super_min(b);                                      \
    }
SUPER_FORMAT_LIST(READ_SUPER)
#define READ_SUPER_ENTRY(name, ...) [INDEX_##name] = read_super_##name,
void (*const cpu_read_super[INTEGER_COUNT])(const void *, super_block *) = {SUPER_FORMAT_LIST(READ_SUPER_ENTRY)};

static float f32_element(const uint8_t *p) {
    float v;
    memcpy(&v, p, sizeof v);
    return v;
}
static uint16_t u16_element(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static float f16_element(const uint8_t *p) { return format_f16(u16_element(p)); }
static float bf16_element(const uint8_t *p) { return format_bf16(u16_element(p)); }
// A loop of each format's own: the compiler turns it into vectors.
#define DECODE_ROW(name, label, type, bytes)                                                                    \
    static void decode_##name(const uint8_t *row, int64_t columns, float *out) {                                \
        for (int64_t k = 0; k < columns; k++) out[k] = name##_element(row + k * bytes);                         \
    }
FLOAT_FORMAT_LIST(DECODE_ROW)
#define DECODE_ROW_ENTRY(name, ...) decode_##name,
static void (*const decoders[FLOAT_COUNT])(const uint8_t *, int64_t, float *) = {FLOAT_FORMAT_LIST(DECODE_ROW_ENTRY)};

void cpu_decode_row(const cpu_matrix_format *format, const void *row, int64_t columns, float *out) {
    if (format->activations == CPU_ACTIVATIONS_F32) {
        decoders[format->index](row, columns, out);
        return;
    }
    const uint8_t *block = row;
    for (int64_t k = 0; k < columns; k += format->block_length, block += format->block_bytes) {
        int8_t codes[256];
        float scales[16], mins[16] = {0};
        cpu_unpack[format->index](block, codes, scales, mins);
        for (int i = 0; i < format->block_length; i++) {
            float scaled = scales[i / format->group] * (float)codes[i];
            out[k + i] = scaled - mins[i / format->group];
        }
    }
}

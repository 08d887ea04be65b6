// Run-time view of the formats of formats/all.h, and what the loader asks of them.
#pragma once
#include "formats/all.h"
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *name;
    uint32_t id;
    uint32_t block_length, block_bytes, group, has_min;
    void (*unpack)(const void *block, int8_t *codes, float *scales, float *mins);
} format_info;

// The quantized format with a GGUF type id, or null.
const format_info *format_with_id(uint32_t id);

// Decodes `count` blocks.
void format_decode(const format_info *format, const void *blocks, size_t count, float *values);

// Decodes plain numbers of 16 bits, F16 and BF16; false for other formats.
bool format_decode_plain(uint32_t id, const void *numbers, size_t count, float *values);

// Grid of IQ1_S and IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS or IQ3_S by type id, or null.
const uint16_t *format_grid(uint32_t id, size_t *count);

// Index of the first of `count` records, `stride` bytes apart, whose 16 bits at `offset` under `mask` all are ones;
// `count` where there is none. With the exponent's bits as the mask: the first Inf or NaN.
size_t format_find_ones_16(const uint8_t *records, size_t count, size_t stride, size_t offset, uint16_t mask);
size_t format_find_ones_32(const uint8_t *records, size_t count, size_t stride, size_t offset, uint32_t mask);
size_t format_find_ones_8(const uint8_t *records, size_t count, size_t stride, size_t offset, uint8_t mask);

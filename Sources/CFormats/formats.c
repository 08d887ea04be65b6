#include "formats.h"

#pragma STDC FP_CONTRACT OFF

#define UNPACK(name, label, id, length, bytes, group, has_min)                                   \
    _Static_assert(sizeof(block_##name) == bytes, label);                                        \
    static void unpack_##name(const void *block, int8_t *codes, float *scales, float *mins) {    \
        name##_unpack(block, codes, scales, mins);                                               \
    }
FORMAT_LIST(UNPACK)

#define INFO(name, label, id, length, bytes, group, has_min) \
    {label, id, length, bytes, group, has_min, unpack_##name},
static const format_info formats[] = {FORMAT_LIST(INFO)};

const format_info *format_with_id(uint32_t id) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].id == id) return &formats[i];
    return NULL;
}

void format_decode(const format_info *format, const void *blocks, size_t count, float *values) {
    int8_t codes[256];
    float scales[16], mins[16] = {0};
    for (size_t block = 0; block < count; block++) {
        format->unpack((const uint8_t *)blocks + block * format->block_bytes, codes, scales, mins);
        for (uint32_t start = 0, g = 0; start < format->block_length; start += format->group, g++)
            for (uint32_t i = start; i < start + format->group; i++) *values++ = scales[g] * (float)codes[i] - mins[g];
    }
}

// Without a conversion in the processor or a call per number: the exponent is put right in place.
static void decode_f16(const uint8_t *numbers, size_t count, float *values) {
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        __builtin_memcpy(&half, numbers + 2 * i, sizeof half);
        uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13, exponent = half & 0x7c00;
        // Of a subnormal number the fraction counts units of 2^-24: 2^-14 with that fraction, less 2^-14.
        uint32_t shifted = magnitude + (113u << 23);
        float subnormal;
        __builtin_memcpy(&subnormal, &shifted, sizeof subnormal);
        subnormal -= 0x1p-14f;
        uint32_t bits, special = magnitude | 0x7f800000 | ((half & 0x3ff) ? 1u << 22 : 0);
        __builtin_memcpy(&bits, &subnormal, sizeof bits);
        bits = exponent ? magnitude + (112u << 23) : bits;
        bits = exponent == 0x7c00 ? special : bits;
        bits |= (uint32_t)(half & 0x8000) << 16;
        __builtin_memcpy(values + i, &bits, sizeof bits);
    }
}

static void decode_bf16(const uint8_t *numbers, size_t count, float *values) {
    for (size_t i = 0; i < count; i++) {
        uint16_t upper;
        __builtin_memcpy(&upper, numbers + 2 * i, sizeof upper);
        uint32_t bits = (uint32_t)upper << 16;
        __builtin_memcpy(values + i, &bits, sizeof bits);
    }
}

bool format_decode_plain(uint32_t id, const void *numbers, size_t count, float *values) {
    switch (id) {
        case 1: decode_f16(numbers, count, values); return true;
        case 30: decode_bf16(numbers, count, values); return true;
        default: return false;
    }
}

#define GRID(name) (*count = sizeof name / sizeof *name, name)
const uint16_t *format_grid(uint32_t id, size_t *count) {
    switch (id) {
        case 16: return GRID(iq2_xxs_grid);
        case 17: return GRID(iq2_xs_grid);
        case 18: return GRID(iq3_xxs_grid);
        case 19: case 29: return GRID(iq1_grid);
        case 21: return GRID(iq3_s_grid);
        case 22: return GRID(iq2_s_grid);
        default: return NULL;
    }
}

// Records are tested in runs without a branch each; only a run with a hit is looked at singly.
#define FIND_ONES(bits, type)                                                                                       \
    size_t format_find_ones_##bits(const uint8_t *records, size_t count, size_t stride, size_t offset, type mask) { \
        const size_t run = 64;                                                                                      \
        for (size_t start = 0; start < count; start += run) {                                                       \
            size_t end = count - start < run ? count : start + run, hits = 0;                                       \
            /* A read every few lines is too little for the hardware to run ahead on: half the speed of memory. */  \
            for (size_t i = start * stride; i < end * stride; i += 64) __builtin_prefetch(records + 4096 + i, 0, 2); \
            for (size_t i = start; i < end; i++) {                                                                  \
                type value;                                                                                         \
                __builtin_memcpy(&value, records + i * stride + offset, sizeof value);                              \
                hits += (value & mask) == mask;                                                                     \
            }                                                                                                       \
            if (!hits) continue;                                                                                    \
            for (size_t i = start; i < end; i++) {                                                                  \
                type value;                                                                                         \
                __builtin_memcpy(&value, records + i * stride + offset, sizeof value);                              \
                if ((value & mask) == mask) return i;                                                               \
            }                                                                                                       \
        }                                                                                                           \
        return count;                                                                                               \
    }
FIND_ONES(8, uint8_t)
FIND_ONES(16, uint16_t)
FIND_ONES(32, uint32_t)

// Kernels of F32, F16 and BF16, one instruction set's copy: acc = fma(w, x, acc) in ascending order of columns.
#pragma once
#include "vector.h"

INLINE float f32_element(const uint8_t *p) {
    float v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
INLINE uint16_t u16_element(const uint8_t *p) {
    uint16_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
INLINE float f16_element(const uint8_t *p) { return format_f16(u16_element(p)); }
INLINE float bf16_element(const uint8_t *p) { return format_bf16(u16_element(p)); }

INLINE f32x16 f32_vector(const uint8_t *p) { return load_f32(p); }
INLINE f32x16 f16_vector(const uint8_t *p) { return f32_of_f16((const uint16_t *)p); }
INLINE f32x16 bf16_vector(const uint8_t *p) {
    return (f32x16)(__builtin_convertvector(*(const u16x16 *)p, u32x16) << 16);
}

#define FLOAT_KERNELS(name, label, id, bytes)                                                                         \
    static void name##_pack(const uint8_t *rows, size_t row_bytes, int valid, int64_t columns, uint8_t *group) {      \
        for (int64_t k = 0; k < columns; k++)                                                                         \
            for (int r = 0; r < valid; r++)                                                                           \
                __builtin_memcpy(group + (k * 16 + r) * bytes, rows + (size_t)r * row_bytes + k * bytes, bytes);      \
    }                                                                                                                 \
    static void name##_unpack_packed(const uint8_t *group, int64_t k_begin, int64_t k_end, uint8_t *panel) {          \
        for (int64_t k = k_begin; k < k_end; k++, panel += 64) store_f32(panel, name##_vector(group + k * 16 * bytes)); \
    }                                                                                                                 \
    static void name##_unpack_blocks(                                                                                 \
        const uint8_t *rows, size_t row_bytes, int valid, int64_t k_begin, int64_t k_end, uint8_t *panel              \
    ) {                                                                                                               \
        float *out = (float *)panel;                                                                                  \
        for (int64_t k = k_begin; k < k_end; k++, out += 16)                                                          \
            for (int r = 0; r < 16; r++)                                                                              \
                out[r] = r < valid ? name##_element(rows + (size_t)r * row_bytes + k * bytes) : 0;                    \
    }                                                                                                                 \
    INLINE void name##_tile(                                                                                          \
        const int R, const int C, const uint8_t *group, size_t group_bytes, int64_t count, const float *tile,         \
        float *out, int64_t stride, bool start                                                                        \
    ) {                                                                                                               \
        f32x16 acc[4][4];                                                                                             \
        UNROLL for (int r = 0; r < R; r++) UNROLL for (int c = 0; c < C; c++)                                         \
            acc[r][c] = start ? (f32x16)0 : load_f32(out + c * stride + r * CPU_GROUP_ROWS);                          \
        for (int64_t k = 0; k < count; k++) {                                                                         \
            f32x16 w[4];                                                                                              \
            UNROLL for (int r = 0; r < R; r++) w[r] = name##_vector(group + (size_t)r * group_bytes + k * 16 * bytes); \
            UNROLL for (int c = 0; c < C; c++) {                                                                      \
                const f32x16 x = (f32x16)tile[k * C + c];                                                             \
                UNROLL for (int r = 0; r < R; r++) acc[r][c] = fma16(w[r], x, acc[r][c]);                             \
            }                                                                                                         \
        }                                                                                                             \
        UNROLL for (int r = 0; r < R; r++) UNROLL for (int c = 0; c < C; c++)                                         \
            store_f32(out + c * stride + r * CPU_GROUP_ROWS, acc[r][c]);                                              \
    }                                                                                                                 \
    INLINE void name##_width(                                                                                         \
        const int R, const int C, const uint8_t *group, size_t group_bytes, int64_t groups, int64_t count,            \
        const float *tile, float *out, int64_t stride, bool start                                                     \
    ) {                                                                                                               \
        int64_t g = 0;                                                                                                \
        for (; g + R <= groups; g += R)                                                                               \
            name##_tile(R, C, group + (size_t)g * group_bytes, group_bytes, count, tile, out + 16 * g, stride, start); \
        for (; R > 1 && g < groups; g++)                                                                              \
            name##_tile(1, C, group + (size_t)g * group_bytes, group_bytes, count, tile, out + 16 * g, stride, start); \
    }                                                                                                                 \
    static void name##_multiply(                                                                                      \
        const uint8_t *group, size_t group_bytes, int64_t groups, int64_t count, const float *tile, int width,        \
        float *out, int64_t stride, bool start                                                                        \
    ) {                                                                                                               \
        const bool wide = KERNEL_ISA >= ISA_AVX512;                                                                   \
        if (width == 1) name##_width(4, 1, group, group_bytes, groups, count, tile, out, stride, start);              \
        else if (width == 2) name##_width(wide ? 4 : 2, 2, group, group_bytes, groups, count, tile, out, stride, start); \
        else name##_width(wide ? 4 : 1, 4, group, group_bytes, groups, count, tile, out, stride, start);              \
    }
FLOAT_FORMAT_LIST(FLOAT_KERNELS)

// The arithmetic contract of cpu_matmul, in its plainest form. Every kernel gives these bits.
#include "internal.h"

#include <math.h>

#pragma STDC FP_CONTRACT OFF

// F32, F16, BF16: acc = fma(w, x, acc) in ascending order of columns, from 0.
static float float_product(const float *w, const float *x, int64_t columns) {
    float acc = 0;
    for (int64_t k = 0; k < columns; k++) acc = fmaf(w[k], x[k], acc);
    return acc;
}

// 32 or 256 values of x as codes times a scale: d = max |x| / 127, codes x / d rounded to nearest, ties to even.
static float quantize(const float *x, int count, int8_t *codes) {
    float largest = 0;
    for (int i = 0; i < count; i++) largest = !(fabsf(x[i]) <= largest) ? fabsf(x[i]) : largest;
    for (int i = 0; i < count; i++) codes[i] = 0;
    if (largest < 1e-30f) return 0;
    float d = largest / 127.0f;
    float inverse = 1.0f / d;
    if (isfinite(largest))
        for (int i = 0; i < count; i++) codes[i] = (int8_t)rintf(x[i] * inverse);
    return d;
}

// Integer formats with blocks of fewer than 256 columns: per group of 16 or 32 columns, ascending, from 0,
//     acc = fma(float(dot of codes), weight scale * x scale, acc)
//     acc = fma(-weight min, x scale * float(sum of x codes), acc)        where the format has mins
// The product of scales and that of scale and sum are rounded; dot and sum are exact.
static float integer_product(const cpu_matrix_format *format, const uint8_t *row, const float *x, int64_t columns) {
    float acc = 0;
    for (int64_t k = 0; k < columns; k += format->block_length, row += format->block_bytes) {
        int8_t w[256];
        float scales[16], mins[16];
        cpu_unpack[format->index](row, w, scales, mins);
        for (int i = 0; i < format->block_length; i += BLOCK) {
            int8_t a[BLOCK];
            float d = quantize(x + k + i, BLOCK, a);
            for (int j = 0; j < BLOCK; j += format->group) {
                int g = (i + j) / format->group;
                int32_t dot = 0, sum = 0;
                for (int n = j; n < j + format->group; n++) dot += w[i + n] * a[n], sum += a[n];
                float scale = scales[g] * d;
                acc = fmaf((float)dot, scale, acc);
                float scaled_sum = d * (float)sum;
                if (format->has_min) acc = fmaf(-mins[g], scaled_sum, acc);
            }
        }
    }
    return acc;
}

// Formats with blocks of 256 columns, whose groups have integer scales s and mins m: per block, ascending, from 0,
//     acc = fma(float(sum over groups of s * dot of codes), weight d * x scale, acc)
//     acc = fma(-float(sum over groups of m * sum of x codes), weight dmin * x scale, acc)        where there are mins
// Both sums are exact: at most 256 * 4096 * 127. They are rounded to float, the product of scales is rounded.
static float super_product(const cpu_matrix_format *format, const uint8_t *row, const float *x, int64_t columns) {
    float acc = 0;
    for (int64_t k = 0; k < columns; k += SUPER, row += format->block_bytes) {
        super_block w;
        cpu_read_super[format->index](row, &w);
        int8_t a[SUPER];
        float d = quantize(x + k, SUPER, a);
        int32_t products = 0, mins = 0;
        for (int g = 0; g < SUPER / format->group; g++) {
            int32_t dot = 0, sum = 0;
            for (int n = g * format->group; n < (g + 1) * format->group; n++) dot += w.codes[n] * a[n], sum += a[n];
            products += w.s[g] * dot;
            mins += w.m[g] * sum;
        }
        float scale = w.d * d, min = w.dmin * d;
        acc = fmaf((float)products, scale, acc);
        if (format->has_min) acc = fmaf(-(float)mins, min, acc);
    }
    return acc;
}

void cpu_matmul_reference(
    const cpu_matrix_format *format, const void *blocks, int64_t rows, int64_t columns, const float *x, int64_t x_rows,
    int64_t x_stride, float *out, int64_t out_stride
) {
    size_t row_bytes = cpu_matrix_row_bytes(format, columns);
    const bool super = format->activations == CPU_ACTIVATIONS_Q8_SUPER;
    float decoded[format->activations == CPU_ACTIVATIONS_F32 ? columns : 1];
    for (int64_t n = 0; n < rows; n++) {
        const uint8_t *row = (const uint8_t *)blocks + (size_t)n * row_bytes;
        if (format->activations == CPU_ACTIVATIONS_F32) cpu_decode_row(format, row, columns, decoded);
        for (int64_t m = 0; m < x_rows; m++)
            out[m * out_stride + n] = format->activations == CPU_ACTIVATIONS_F32
                                          ? float_product(decoded, x + m * x_stride, columns)
                                      : super
                                          ? super_product(format, row, x + m * x_stride, columns)
                                          : integer_product(format, row, x + m * x_stride, columns);
    }
}

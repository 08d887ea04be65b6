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

// 32 values of x as codes times a scale: d = max |x| / 127, codes x / d rounded to nearest, ties to even.
static float quantize(const float *x, int8_t *codes) {
    float largest = 0;
    for (int i = 0; i < BLOCK; i++) largest = !(fabsf(x[i]) <= largest) ? fabsf(x[i]) : largest;
    for (int i = 0; i < BLOCK; i++) codes[i] = 0;
    if (largest < 1e-30f) return 0;
    float d = largest / 127.0f;
    float inverse = 1.0f / d;
    if (isfinite(largest))
        for (int i = 0; i < BLOCK; i++) codes[i] = (int8_t)rintf(x[i] * inverse);
    return d;
}

// Integer formats: per group of 16 or 32 columns, ascending, from 0,
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
            float d = quantize(x + k + i, a);
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

void cpu_matmul_reference(
    const cpu_matrix_format *format, const void *blocks, int64_t rows, int64_t columns, const float *x, int64_t x_rows,
    int64_t x_stride, float *out, int64_t out_stride
) {
    size_t row_bytes = cpu_matrix_row_bytes(format, columns);
    float decoded[format->activations == CPU_ACTIVATIONS_F32 ? columns : 1];
    for (int64_t n = 0; n < rows; n++) {
        const uint8_t *row = (const uint8_t *)blocks + (size_t)n * row_bytes;
        if (format->activations == CPU_ACTIVATIONS_F32) cpu_decode_row(format, row, columns, decoded);
        for (int64_t m = 0; m < x_rows; m++)
            out[m * out_stride + n] = format->activations == CPU_ACTIVATIONS_F32
                                          ? float_product(decoded, x + m * x_stride, columns)
                                          : integer_product(format, row, x + m * x_stride, columns);
    }
}

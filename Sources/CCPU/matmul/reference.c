// The arithmetic contract of cpu_matmul, in its plainest form. Every kernel gives these bits.
#include "internal.h"

#include <math.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

// F32, F16, BF16: acc = fma(w, x, acc) in ascending order of columns, from 0.
static float float_product(const float *w, const float *x, int64_t columns) {
    float acc = 0;
    for (int64_t k = 0; k < columns; k++) acc = fmaf(w[k], x[k], acc);
    return acc;
}

// tdpbf16ps takes and gives no subnormal numbers.
static float flushed(float v) { return fabsf(v) < 0x1p-126f ? copysignf(0, v) : v; }

static float upper_half(float v, uint32_t round) {
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    bits = (bits + round) & 0xffff0000u;
    memcpy(&v, &bits, sizeof v);
    return v;
}

// The bf16 number nearest to v, ties to even; the next towards zero where that would be infinite.
static float nearest_bf16(float v) {
    if (isnan(v)) return NAN;
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    float rounded = upper_half(v, 0x7fffu + (bits >> 16 & 1));
    return isinf(rounded) ? upper_half(v, 0) : rounded;
}

// acc + w x of 32 columns: even and odd columns by themselves in ascending order from 0, then both sums.
static float bf16_product(const float *w, const float *x, float acc) {
    float sums[2] = {0};
    for (int k = 0; k < BLOCK; k++) sums[k % 2] = flushed(fmaf(flushed(w[k]), flushed(x[k]), sums[k % 2]));
    return flushed(acc + flushed(sums[0] + sums[1]));
}

// F16 and BF16 on AMX: x is the sum of three bf16 numbers, each the nearest to what is left; w of two (F16), the first
// the largest below it in magnitude, or of one (BF16). Per block of 32 columns, ascending, from 0,
//     acc += w1 x3, acc += w1 x2, acc += w1 x1, and for F16: acc += w2 x1, acc += w2 x2
// What is left out, w2 x3, is at most 2^-25 |w x|.
static float split_product(bool two, const float *w, const float *x, int64_t columns) {
    float acc = 0;
    for (int64_t k = 0; k < columns; k += BLOCK) {
        float w1[BLOCK] = {0}, w2[BLOCK] = {0}, x1[BLOCK] = {0}, x2[BLOCK] = {0}, x3[BLOCK] = {0};
        for (int i = 0; i < BLOCK && k + i < columns; i++) {
            float v = x[k + i];
            x1[i] = nearest_bf16(v);
            x2[i] = isfinite(v) ? nearest_bf16(v - x1[i]) : 0;
            x3[i] = isfinite(v) ? nearest_bf16(v - x1[i] - x2[i]) : 0;
            w1[i] = two ? upper_half(w[k + i] * (1 - 0x1p-12f), 0) : w[k + i];
            w2[i] = w[k + i] - w1[i];
        }
        acc = bf16_product(w1, x3, acc);
        acc = bf16_product(w1, x2, acc);
        acc = bf16_product(w1, x1, acc);
        if (two) acc = bf16_product(w2, x1, acc);
        if (two) acc = bf16_product(w2, x2, acc);
    }
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
    cpu_isa isa, const cpu_matrix_format *format, const void *blocks, int64_t rows, int64_t columns, const float *x,
    int64_t x_rows, int64_t x_stride, float *out, int64_t out_stride
) {
    const cpu_activation_kind kind = cpu_matrix_activation_kind(isa, format);
    size_t row_bytes = cpu_matrix_row_bytes(format, columns);
    const bool integers = kind == CPU_ACTIVATIONS_Q8 || kind == CPU_ACTIVATIONS_Q8_SUPER;
    float decoded[integers ? 1 : columns];
    for (int64_t n = 0; n < rows; n++) {
        const uint8_t *row = (const uint8_t *)blocks + (size_t)n * row_bytes;
        if (!integers) cpu_decode_row(format, row, columns, decoded);
        for (int64_t m = 0; m < x_rows; m++) {
            const float *values = x + m * x_stride;
            float *result = out + m * out_stride + n;
            switch (kind) {
                case CPU_ACTIVATIONS_Q8: *result = integer_product(format, row, values, columns); break;
                case CPU_ACTIVATIONS_Q8_SUPER: *result = super_product(format, row, values, columns); break;
                case CPU_ACTIVATIONS_F32: *result = float_product(decoded, values, columns); break;
                case CPU_ACTIVATIONS_SPLIT:
                    *result = split_product(format->index == INDEX_f16, decoded, values, columns);
            }
        }
    }
}

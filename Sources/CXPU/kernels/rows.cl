// Operations on rows that are no matrix products. Values are rows of floats, `stride` apart; a row m exists where
// m < *count (times `used`, where a row stands for one of its chosen experts).
#include "base.h"

// Sum over a work-group in a fixed order: a tree over the work-items, whose number depends on the row's length only.
static inline float group_sum(float x, __local float *memory) {
    int item = get_local_id(0), items = get_local_size(0);
    memory[item] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int half_size = items / 2; half_size > 0; half_size /= 2) {
        if (item < half_size) memory[item] += memory[item + half_size];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    float sum = memory[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    return sum;
}

#define NORM_ARGUMENTS                                                                                            \
    __global const float *x, int x_stride, __global const float *weight, __global const float *bias, float epsilon, \
        int length, __global float *output, int stride, __global const int *count, __local float *memory

// x / sqrt(mean(x²) + epsilon) * weight. x = one work-group per part of the row, y = row.
__kernel void norm_rms(NORM_ARGUMENTS) {
    int part = get_group_id(0), row = get_group_id(1);
    if (row >= *count) return;
    __global const float *from = x + (long)row * x_stride + part * length;
    __global float *to = output + (long)row * stride + part * length;
    float sum = 0;
    for (int i = get_local_id(0); i < length; i += get_local_size(0)) sum = fma(from[i], from[i], sum);
    float factor = 1.0f / sqrt(group_sum(sum, memory) / length + epsilon);
    for (int i = get_local_id(0); i < length; i += get_local_size(0)) {
        float y = from[i] * factor;
        if (weight) y *= weight[i];
        if (bias) y += bias[i];
        to[i] = y;
    }
}

// (x - mean) / sqrt(variance + epsilon) * weight + bias
__kernel void norm_layer(NORM_ARGUMENTS) {
    int part = get_group_id(0), row = get_group_id(1);
    if (row >= *count) return;
    __global const float *from = x + (long)row * x_stride + part * length;
    __global float *to = output + (long)row * stride + part * length;
    float sum = 0, squares = 0;
    for (int i = get_local_id(0); i < length; i += get_local_size(0)) sum += from[i];
    float mean = group_sum(sum, memory) / length;
    for (int i = get_local_id(0); i < length; i += get_local_size(0))
        squares = fma(from[i] - mean, from[i] - mean, squares);
    float factor = 1.0f / sqrt(group_sum(squares, memory) / length + epsilon);
    for (int i = get_local_id(0); i < length; i += get_local_size(0)) {
        float y = (from[i] - mean) * factor;
        if (weight) y *= weight[i];
        if (bias) y += bias[i];
        to[i] = y;
    }
}

// Rotates the first 2 * pairs dimensions of each head by the row's angles, whose cosines and sines [row][pairs] are
// given, and copies the others. x = dimension of the row (a pair is written by its first), y = row.
__kernel void rope(
    __global const float *x, int x_stride, __global const float *cosines, __global const float *sines, int pairs,
    int halves, int length, int width, __global float *output, int stride, __global const int *count
) {
    int at = get_global_id(0), row = get_global_id(1);
    if (at >= width || row >= *count) return;
    int d = at % length;
    __global const float *from = x + (long)row * x_stride + at;
    __global float *to = output + (long)row * stride + at;
    if (d >= 2 * pairs) {
        to[0] = from[0];
        return;
    }
    if (halves ? d >= pairs : d % 2 != 0) return;
    int pair = halves ? d : d / 2, other = halves ? pairs : 1;
    float c = cosines[(long)row * pairs + pair], s = sines[(long)row * pairs + pair];
    float a = from[0], b = from[other];
    to[0] = fma(a, c, -(b * s));
    to[other] = fma(a, s, b * c);
}

// Numbers of Op.Activation.
enum { SILU, GELU_TANH, GELU, RELU, RELU_SQUARED };

static inline float activation(int kind, float x) {
    switch (kind) {
    case SILU: return x / (1.0f + exp(-x));
    case GELU_TANH: return 0.5f * x * (1.0f + tanh(0.7978845608028654f * fma(0.044715f * x * x, x, x)));
    case GELU: return 0.5f * x * (1.0f + erf(x * 0.7071067811865476f));
    case RELU: return fmax(x, 0.0f);
    default: return fmax(x, 0.0f) * fmax(x, 0.0f);
    }
}

// x = column, y = row.
#define ELEMENT                                          \
    int at = get_global_id(0), row = get_global_id(1);   \
    if (at >= width || row >= *count * used) return;     \
    long from = (long)row * x_stride + at, to = (long)row * stride + at;

__kernel void gate(
    int kind, __global const float *x, int x_stride, __global const float *up, int up_stride, int width,
    __global float *output, int stride, __global const int *count, int used
) {
    ELEMENT
    output[to] = activation(kind, x[from]) * up[(long)row * up_stride + at];
}

__kernel void activate(
    int kind, __global const float *x, int x_stride, int width, __global float *output, int stride,
    __global const int *count, int used
) {
    ELEMENT
    output[to] = activation(kind, x[from]);
}

__kernel void add(
    __global const float *x, int x_stride, __global const float *y, int y_stride, int width, __global float *output,
    int stride, __global const int *count, int used
) {
    ELEMENT
    output[to] = x[from] + y[(long)row * y_stride + at];
}

__kernel void scale(
    __global const float *x, int x_stride, float factor, int width, __global float *output, int stride,
    __global const int *count, int used
) {
    ELEMENT
    output[to] = x[from] * factor;
}

__kernel void softcap(
    __global const float *x, int x_stride, float cap, int width, __global float *output, int stride,
    __global const int *count, int used
) {
    ELEMENT
    output[to] = cap * tanh(x[from] / cap);
}

// Row indices[m] of x.
__kernel void gather_rows(
    __global const float *x, int x_stride, __global const int *indices, int width, __global float *output, int stride,
    __global const int *count
) {
    int at = get_global_id(0), row = get_global_id(1);
    if (at >= width || row >= *count) return;
    output[(long)row * stride + at] = x[(long)indices[row] * x_stride + at];
}

// The `used` best experts of a row (ties: the lower index) in ascending order of index, and their shares. x = row.
__kernel void route(
    __global const float *router, int router_stride, int experts, int used, int over_all, __global int *chosen,
    __global float *shares, __global const int *count
) {
    int row = get_global_id(0);
    if (row >= *count) return;
    __global const float *logits = router + (long)row * router_stride;
    __global int *best = chosen + (long)row * used;
    __global float *share = shares + (long)row * used;
    int found = 0;
    for (int expert = 0; expert < experts; expert++) {
        int place = found;
        while (place > 0 && logits[expert] > logits[best[place - 1]]) place--;
        if (place >= used) continue;
        for (int i = min(found, used - 1); i > place; i--) best[i] = best[i - 1];
        best[place] = expert;
        found = min(found + 1, used);
    }
    float top = logits[best[0]], total = 0;
    for (int i = 1; i < used; i++) {
        int expert = best[i], place = i;
        for (; place > 0 && best[place - 1] > expert; place--) best[place] = best[place - 1];
        best[place] = expert;
    }
    for (int i = 0; i < (over_all ? experts : used); i++) total += exp(logits[over_all ? i : best[i]] - top);
    for (int i = 0; i < used; i++) share[i] = exp(logits[best[i]] - top) / total;
}

// The weighted sum of a row's experts, in ascending order of expert. x = column, y = row.
__kernel void combine_experts(
    __global const float *x, __global const float *shares, int used, int width, __global float *output, int stride,
    __global const int *count
) {
    int at = get_global_id(0), row = get_global_id(1);
    if (at >= width || row >= *count) return;
    float sum = 0;
    for (int i = 0; i < used; i++) {
        long m = (long)row * used + i;
        sum = fma(shares[m], x[m * width + at], sum);
    }
    output[(long)row * stride + at] = sum;
}

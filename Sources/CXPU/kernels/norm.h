// Norms of rows, by a work-group: as floats, or as codes for the product that reads them.
#pragma once
#include "codes.h"

// Sums of a row are those of so many chains, in the order of a tree: a function of its length, not of who computes it.
#define NORM_CHAINS(length) ((length) <= 256 ? 32 : 256)
#define NORM_FLOATS(length) max(NORM_CHAINS(length), (length) / BLOCK)
#define EACH_CHAIN(c, chains) for (int c = get_local_id(0); c < (chains); c += get_local_size(0))

// The sum of what each chain has in `memory`.
static inline float chain_sum(__local float *memory, int chains) {
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int half_size = chains / 2; half_size > 0; half_size /= 2) {
        EACH_CHAIN(c, half_size) memory[c] += memory[c + half_size];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    float sum = memory[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    return sum;
}

typedef struct {
    __global const float *x, *weight, *bias;
    float epsilon;
    int length;
} norm;

static inline float normed(const norm *n, float mean, float factor, int i) {
    float y = (n->x[i] - mean) * factor;
    if (n->weight) y *= n->weight[i];
    return n->bias ? y + n->bias[i] : y;
}

// x / sqrt(mean(x²) + epsilon) * weight (+ bias), or (x - mean) / sqrt(variance + epsilon) * weight + bias: to `output` where there is
// one, and to the blocks of `to` from first_block on where it has memory for codes, of which `sharing` share a scale. `memory` is for
// NORM_FLOATS(length). `output` may be x.
static inline void norm_row(
    bool is_rms, norm n, __global float *output, prepared to, long first_block, int sharing, __local float *memory
) {
    int chains = NORM_CHAINS(n.length);
    float mean = 0;
    if (!is_rms) {
        EACH_CHAIN(c, chains) {
            float sum = 0;
            for (int i = c; i < n.length; i += chains) sum += n.x[i];
            memory[c] = sum;
        }
        mean = chain_sum(memory, chains) / n.length;
    }
    EACH_CHAIN(c, chains) {
        float sum = 0;
        for (int i = c; i < n.length; i += chains) sum = fma(n.x[i] - mean, n.x[i] - mean, sum);
        memory[c] = sum;
    }
    // Where the squares overflow, NaN: zero would turn a row that is no use into a plausible one.
    float squares = chain_sum(memory, chains);
    float factor = isfinite(squares) ? 1.0f / sqrt(squares / n.length + n.epsilon) : NAN;

    if (!to.codes) {
        for (int i = get_local_id(0); i < n.length; i += get_local_size(0)) output[i] = normed(&n, mean, factor, i);
        return;
    }
    // What is prepared is computed twice: code that runs once should be short, for it comes from memory.
    int lane = get_sub_group_local_id(), blocks = n.length / BLOCK;
    __local float *tops = memory;
    _Pragma("nounroll") for (int block = get_sub_group_id(); block < blocks; block += get_num_sub_groups()) {
        int i = block * BLOCK + lane;
        float v0 = normed(&n, mean, factor, i), v1 = normed(&n, mean, factor, i + LANES);
        float top = sub_group_reduce_max(fmax(magnitude(v0), magnitude(v1)));
        if (lane == 0) tops[block] = top;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    _Pragma("nounroll") for (int block = get_sub_group_id(); block < blocks; block += get_num_sub_groups()) {
        int i = block * BLOCK + lane;
        float v0 = normed(&n, mean, factor, i), v1 = normed(&n, mean, factor, i + LANES);
        float largest = 0;
        for (int b = 0; b < sharing; b++) largest = fmax(largest, tops[block / sharing * sharing + b]);
        write_codes(to, first_block + block, v0, v1, largest);
        if (output) {
            output[i] = v0;
            output[i + LANES] = v1;
        }
    }
}

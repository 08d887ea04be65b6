// Heads of rows of logits: what of a row most requests need, so that the row itself stays on the device. Compute/RowHead.swift says
// what a head is and ReferenceHead.swift computes one in plain words.
#include "base.h"

// Tokens that share a maximum, and tokens that share a sum.
#define GROUP 32
#define SUM_BLOCK 256
// Work-items that choose the head of a row.
#define ITEMS 256
// Tokens that a head lists at most.
#define CAPACITY 512

// Where the parts of a head are.
enum { COUNT, THRESHOLD, MAXIMUM, IDS = 4, VALUES = IDS + CAPACITY, SUMS = VALUES + CAPACITY };

// How a row is processed: the control block has one for each.
typedef struct {
    int first, seen, biased;
    float temperature, inverse_temperature, repetition, inverse_repetition;
    int unused;
} request;

typedef struct {
    int id;
    float amount;
} change;

// x / y to the nearest, given 1 / y to the nearest: OpenCL promises 2.5 units in the last place only. (P. W. Markstein, Computation of
// elementary functions on the IBM RISC System/6000 processor, 1990.)
static inline float divided(float x, float y, float inverse) {
    float q = x * inverse;
    if (!isfinite(q)) return q;
    q = fma(fma(-y, q, x), inverse, q);
    return fma(fma(-y, q, x), inverse, q);
}

static inline float changed(float x) { return fmin(x, FLT_MAX); }

// Applies the penalties and then the biases of each row, in place. x = one work-group per row.
__kernel void process_logits(
    __global float *logits, int stride, __global const request *requests, __global const change *changes,
    __global const int *count
) {
    int row = get_group_id(0);
    if (row >= *count) return;
    request r = requests[row];
    __global float *x = logits + (long)row * stride;
    changes += r.first;
    // An infinite logit stays one: it is an error.
    for (int i = get_local_id(0); i < r.seen; i += get_local_size(0)) {
        int id = changes[i].id;
        float old = isnan(x[id]) ? -INFINITY : x[id];
        float y = old < 0 ? old * r.repetition : divided(old, r.repetition, r.inverse_repetition);
        if (old < INFINITY) x[id] = changed(y - changes[i].amount);
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (int i = r.seen + get_local_id(0); i < r.seen + r.biased; i += get_local_size(0)) {
        int id = changes[i].id;
        float old = isnan(x[id]) ? -INFINITY : x[id];
        if (old < INFINITY) x[id] = changed(old + changes[i].amount);
    }
}

// The greatest logit of each group; no number counts as minus infinity. x = sub-group per 8 groups, y = row.
SUBGROUP __kernel void group_maxima(
    __global const float *logits, int stride, int vocabulary, int groups, __global float *maxima,
    __global const int *count
) {
    int first = get_group_id(0) * 8, row = get_group_id(1), lane = get_sub_group_local_id();
    if (row >= *count) return;
    __global const float *x = logits + (long)row * stride;
    for (int g = first; g < min(first + 8, groups); g++) {
        int at = g * GROUP + lane;
        float a = at < vocabulary ? x[at] : -INFINITY, b = at + LANES < vocabulary ? x[at + LANES] : -INFINITY;
        float most = sub_group_reduce_max(fmax(fmax(a, b), -INFINITY));
        if (lane == 0) maxima[(long)row * groups + g] = most;
    }
}

// Greater for greater floats, equal for the two zeros.
static inline uint key_of(float x) {
    uint bits = as_uint(x + 0.0f);
    return bits >> 31 ? ~bits : bits | 0x80000000u;
}

static inline float value_of(uint key) { return as_float(key >> 31 ? key & 0x7fffffffu : ~key); }

// The sum of x over this and all earlier work-items.
static inline int running_sum(int x, __local int *memory) {
    int item = get_local_id(0);
    memory[item] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int step = 1; step < ITEMS; step *= 2) {
        int y = item >= step ? memory[item - step] : 0;
        barrier(CLK_LOCAL_MEM_FENCE);
        memory[item] += y;
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    int sum = memory[item];
    barrier(CLK_LOCAL_MEM_FENCE);
    return sum;
}

// The logits from the `rank`-th greatest of all group maxima on, in ascending order of ids. x = one work-group per row.
__attribute__((reqd_work_group_size(ITEMS, 1, 1))) __kernel void select_head(
    __global const float *logits, int stride, int vocabulary, int groups, __global const float *maxima, int rank,
    __global int *heads, int head_words, __global const int *count
) {
    __local int sums[ITEMS], chosen[CAPACITY], shared[2];
    __local int histogram[ITEMS];
    __local uint greatest;
    int row = get_group_id(0), item = get_local_id(0);
    if (row >= *count) return;
    __global const float *x = logits + (long)row * stride;
    __global int *head = heads + (long)row * head_words;
    maxima += (long)row * groups;

    // The digits of the threshold's key, from the top.
    if (item == 0) greatest = 0;
    uint prefix = 0, mask = 0;
    int rest = rank;
    for (int shift = 24; shift >= 0; shift -= 8) {
        histogram[item] = 0;
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int g = item; g < groups; g += ITEMS) {
            uint key = key_of(maxima[g]);
            if (shift == 24) atomic_max(&greatest, key);
            if ((key & mask) == prefix) atomic_inc(&histogram[key >> shift & 255]);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        int digit = ITEMS - 1 - item, here = histogram[digit], until = running_sum(here, sums);
        if (until >= rest && until - here < rest) {
            shared[0] = digit;
            shared[1] = rest - (until - here);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        prefix |= (uint)shared[0] << shift;
        mask |= 255u << shift;
        rest = shared[1];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    float threshold = value_of(prefix);
    if (item == 0) {
        head[THRESHOLD] = as_int(threshold);
        head[MAXIMUM] = as_int(value_of(greatest));
    }

    // The groups that reach it; each has a token to list.
    int share = (groups + ITEMS - 1) / ITEMS, first = min(item * share, groups), end = min(first + share, groups);
    int found = 0;
    for (int g = first; g < end; g++) found += maxima[g] >= threshold;
    int until = running_sum(found, sums), place = until - found;
    if (item == ITEMS - 1) shared[0] = until;
    for (int g = first; g < end; g++)
        if (maxima[g] >= threshold) {
            if (place < CAPACITY) chosen[place] = g;
            place++;
        }
    barrier(CLK_LOCAL_MEM_FENCE);
    int total = shared[0];
    if (total > CAPACITY) {
        if (item == 0) head[COUNT] = total;
        return;
    }

    // Their tokens.
    share = (total + ITEMS - 1) / ITEMS, first = min(item * share, total), end = min(first + share, total);
    found = 0;
    for (int i = first; i < end; i++)
        for (int at = chosen[i] * GROUP; at < min(chosen[i] * GROUP + GROUP, vocabulary); at++)
            found += x[at] >= threshold;
    until = running_sum(found, sums), place = until - found;
    if (item == ITEMS - 1) head[COUNT] = until;
    for (int i = first; i < end; i++)
        for (int at = chosen[i] * GROUP; at < min(chosen[i] * GROUP + GROUP, vocabulary); at++)
            if (x[at] >= threshold) {
                if (place < CAPACITY) {
                    head[IDS + place] = at;
                    head[VALUES + place] = as_int(x[at]);
                }
                place++;
            }
}

// e^x for x ≤ 0, 0 below -87 and for what is no number: to the bit what the host computes (Engine/Sampling/Vector.swift).
static inline float exponential(float x) {
    const float shifter = 12582912.0f;
    float shifted = x * 1.44269504f + shifter;
    float power = shifted - shifter;
    float r = x - power * 0.693359375f + power * 2.1219444e-4f;
    float p = r * 1.98756915e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    float scale = as_float((as_uint(shifted) + 127u) << 23);
    return x >= -87.0f ? p * scale : 0.0f;
}

// Sums of exp((x - maximum) / temperature) of each block, in the host's order: eight lanes, each of its own, then lane by lane.
// x = sub-group per two blocks, y = row.
SUBGROUP __kernel void block_sums(
    __global const float *logits, int stride, int vocabulary, int blocks, __global const request *requests,
    __global int *heads, int head_words, __global const int *count
) {
    int row = get_group_id(1), lane = get_sub_group_local_id();
    if (row >= *count) return;
    int block = get_group_id(0) * 2 + lane / 8;
    __global const float *x = logits + (long)row * stride;
    __global int *head = heads + (long)row * head_words;
    float maximum = as_float(head[MAXIMUM]), t = requests[row].temperature, inverse = requests[row].inverse_temperature;
    float sum = 0;
    int end = min((block + 1) * SUM_BLOCK, vocabulary);
    for (int at = block * SUM_BLOCK + lane % 8; at < end; at += 8) sum += exponential(divided(x[at] - maximum, t, inverse));
    float total = intel_sub_group_shuffle(sum, lane & 8);
    for (int i = 1; i < 8; i++) total += intel_sub_group_shuffle(sum, (lane & 8) + i);
    if (lane % 8 == 0 && block < blocks) head[SUMS + block] = as_int(total);
}

// The logits of one block of a row: `wanted` has the row and the block. x = token of the block.
__kernel void take_block(
    __global const float *logits, int stride, int vocabulary, __global const int *wanted, __global float *block
) {
    int item = get_global_id(0), at = wanted[1] * SUM_BLOCK + item;
    if (item < SUM_BLOCK && at < vocabulary) block[item] = logits[(long)wanted[0] * stride + at];
}

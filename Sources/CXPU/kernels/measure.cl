// What a device can do at most, for the self-test's shares.
#include "base.h"

// Reads `count` words, 128 per sub-group and step. The sum is written where it has one improbable value, so that nothing
// is left out.
SUBGROUP __kernel void read_words(__global const uint *words, long count, __global uint *output) {
    long step = (long)get_num_groups(0) * get_num_sub_groups() * 8 * LANES;
    long start = ((long)get_group_id(0) * get_num_sub_groups() + get_sub_group_id()) * 8 * LANES;
    uint8 sum = 0;
    for (long i = start; i + 8 * LANES <= count; i += step) sum ^= intel_sub_group_block_read8(words + i);
    uint all = sum.s0 ^ sum.s1 ^ sum.s2 ^ sum.s3 ^ sum.s4 ^ sum.s5 ^ sum.s6 ^ sum.s7;
    if (all == 0x5bd1e995) output[0] = all;
}

// Words that do not compress: x = word.
__kernel void fill_words(__global uint *words, long count) {
    for (long i = get_global_id(0); i < count; i += get_global_size(0)) {
        uint x = (uint)i * 0x9e3779b9u;
        x = (x ^ x >> 16) * 0x85ebca6bu;
        words[i] = (x ^ x >> 13) * 0xc2b2ae35u;
    }
}

// Independent multiplications and additions: `steps` times 16 per work-item. As above, what comes out is written where it is improbable.
#define CHAINS 16

SUBGROUP __kernel void rate_fma(int steps, float a, float b, __global float *output) {
    float x[CHAINS], sum = 0;
    _Pragma("unroll") for (int i = 0; i < CHAINS; i++) x[i] = b + i + get_sub_group_local_id();
    for (int s = 0; s < steps; s++)
        _Pragma("unroll") for (int i = 0; i < CHAINS; i++) x[i] = fma(x[i], a, b);
    _Pragma("unroll") for (int i = 0; i < CHAINS; i++) sum += x[i];
    if (sum == 12345.678f) output[0] = sum;
}

// The same of packed dot products, of eight operations.
SUBGROUP __kernel void rate_dot4(int steps, int a, __global int *output) {
    int x[CHAINS], sum = 0;
    _Pragma("unroll") for (int i = 0; i < CHAINS; i++) x[i] = a + i + get_sub_group_local_id();
    for (int s = 0; s < steps; s++)
        _Pragma("unroll") for (int i = 0; i < CHAINS; i++) x[i] += dot4(x[i], a);
    _Pragma("unroll") for (int i = 0; i < CHAINS; i++) sum ^= x[i];
    if (sum == 0x5bd1e995) output[0] = sum;
}

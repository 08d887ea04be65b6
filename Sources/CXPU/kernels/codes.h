// Values as 8-bit codes times a scale that 32 or 256 neighbouring columns share, as the format of the weights asks:
// d = max |x| / 127, codes x / d rounded to nearest, ties to even.
#pragma once
#include "base.h"

// Rows of activations for the products of integer formats: codes [columns], scales [columns / 32] (repeated where more columns
// share one), sums of codes [columns / 16].
typedef struct {
    __global char *codes;
    __global float *scales, *sums;
} prepared;

// Blocks that share a scale at most.
#define SHARING_BLOCKS 8

// What a scale is made from: the largest magnitude, infinite where a value is no finite number.
static inline float magnitude(float x) { return isfinite(x) ? fabs(x) : INFINITY; }

// By a sub-group of 16, of which a lane has values `lane` and `lane + 16` of a block. `largest` is the same in all lanes.
static inline void write_codes(prepared to, long block, float v0, float v1, float largest) {
    int lane = get_sub_group_local_id();
    bool finite = largest != INFINITY, tiny = largest < 1e-30f;
    float d = divided_by_127(largest);
    float inverse = finite && !tiny ? exact_reciprocal(d) : 0.0f;
    int c0 = finite ? (int)rint(v0 * inverse) : 0, c1 = finite ? (int)rint(v1 * inverse) : 0;
    int sum0 = sub_group_reduce_add(c0), sum1 = sub_group_reduce_add(c1);
    to.codes[block * BLOCK + lane] = (char)c0;
    to.codes[block * BLOCK + LANES + lane] = (char)c1;
    if (lane == 0) {
        to.scales[block] = finite ? (tiny ? 0.0f : d) : NAN;
        to.sums[block * 2] = (float)sum0;
        to.sums[block * 2 + 1] = (float)sum1;
    }
}

// By a work-group whose sub-groups have a block each: all that share a scale.
static inline void prepare_block(prepared to, long block, float v0, float v1, __local float *tops) {
    float largest = sub_group_reduce_max(fmax(magnitude(v0), magnitude(v1)));
    if (get_num_sub_groups() > 1) {
        tops[get_sub_group_id()] = largest;
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int i = 0; i < (int)get_num_sub_groups(); i++) largest = fmax(largest, tops[i]);
    }
    write_codes(to, block, v0, v1, largest);
}

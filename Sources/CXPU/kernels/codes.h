// 32 values as 8-bit codes times a scale: d = max |x| / 127, codes x / d rounded to nearest, ties to even.
#pragma once
#include "base.h"

// Rows of activations for the products of integer formats: codes [columns], scales [columns / 32], sums of codes [columns / 16].
typedef struct {
    __global char *codes;
    __global float *scales, *sums;
} prepared;

// By a sub-group of 16, of which a lane has values `lane` and `lane + 16` of a block.
static inline void prepare_block(prepared to, long block, float v0, float v1) {
    int lane = get_sub_group_local_id();
    bool finite = !sub_group_any(!isfinite(v0) || !isfinite(v1));
    float largest = sub_group_reduce_max(fmax(fabs(v0), fabs(v1)));
    bool tiny = largest < 1e-30f;
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

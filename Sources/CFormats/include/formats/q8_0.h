// Q8_0: 32 weights, one scale, w = d * q.
#pragma once
#include "base.h"

typedef FORMAT_BLOCK {
    uint16_t d;
    int8_t qs[32];
} block_q8_0;

FORMAT_FUNCTION void q8_0_unpack(const FORMAT_SOURCE block_q8_0 *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    scales[0] = format_f16(b->d);
    for (int i = 0; i < 32; i++) codes[i] = b->qs[i];
}

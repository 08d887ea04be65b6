// Q1_0: 128 weights, one scale, w = d where the bit is set and -d where not.
#pragma once
#include "base.h"

typedef FORMAT_BLOCK {
    uint16_t d;
    uint8_t qs[16];  // bit i % 8 of byte i / 8: weight i
} block_q1_0;

FORMAT_FUNCTION void q1_0_unpack(const FORMAT_SOURCE block_q1_0 *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    float d = format_f16(b->d);
    for (int g = 0; g < 4; g++) scales[g] = d;
    for (int i = 0; i < 128; i++) codes[i] = (int8_t)(((b->qs[i / 8] >> (i % 8)) & 1) * 2 - 1);
}

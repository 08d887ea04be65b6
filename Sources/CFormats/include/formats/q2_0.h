// Q2_0: 64 weights, one scale, w = d * (q - 1).
#pragma once
#include "base.h"

typedef FORMAT_BLOCK {
    uint16_t d;
    uint8_t qs[16];  // bits 2 (i % 4) of byte i / 4: weight i
} block_q2_0;

FORMAT_FUNCTION void q2_0_unpack(const FORMAT_SOURCE block_q2_0 *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    float d = format_f16(b->d);
    for (int g = 0; g < 2; g++) scales[g] = d;
    for (int i = 0; i < 64; i++) codes[i] = (int8_t)(((b->qs[i / 4] >> (2 * (i % 4))) & 3) - 1);
}

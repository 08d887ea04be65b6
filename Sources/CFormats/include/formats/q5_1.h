// Q5_1: 32 weights, one scale and one offset, w = d * q + m.
#pragma once
#include "base.h"

typedef FORMAT_BLOCK {
    uint16_t d, m;
    uint32_t qh;     // bit i: fifth bit of weight i
    uint8_t qs[16];  // low nibbles: weights 0..15, high nibbles: 16..31
} block_q5_1;

FORMAT_FUNCTION void q5_1_unpack(const FORMAT_SOURCE block_q5_1 *b, int8_t *codes, float *scales, float *mins) {
    scales[0] = format_f16(b->d);
    mins[0] = -format_f16(b->m);
    uint32_t qh = b->qh;
    for (int i = 0; i < 16; i++) {
        codes[i] = (int8_t)((b->qs[i] & 15) | ((qh >> i) & 1) << 4);
        codes[i + 16] = (int8_t)((b->qs[i] >> 4) | ((qh >> (i + 16)) & 1) << 4);
    }
}

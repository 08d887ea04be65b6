// Q4_0: 32 weights, one scale, w = d * (q - 8).
#pragma once
#include "base.h"

typedef FORMAT_BLOCK {
    uint16_t d;
    uint8_t qs[16];  // low nibbles: weights 0..15, high nibbles: 16..31
} block_q4_0;

FORMAT_FUNCTION void q4_0_unpack(const FORMAT_SOURCE block_q4_0 *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    scales[0] = format_f16(b->d);
    for (int i = 0; i < 16; i++) {
        codes[i] = (int8_t)((b->qs[i] & 15) - 8);
        codes[i + 16] = (int8_t)((b->qs[i] >> 4) - 8);
    }
}

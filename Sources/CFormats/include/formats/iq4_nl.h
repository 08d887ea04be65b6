// IQ4_NL: 32 weights, one scale, w = d * iq4_values[q].
#pragma once
#include "base.h"

FORMAT_TABLE int8_t iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

typedef FORMAT_BLOCK {
    uint16_t d;
    uint8_t qs[16];  // low nibbles: weights 0..15, high nibbles: 16..31
} block_iq4_nl;

FORMAT_FUNCTION void iq4_nl_unpack(const FORMAT_SOURCE block_iq4_nl *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    scales[0] = format_f16(b->d);
    for (int i = 0; i < 16; i++) {
        codes[i] = iq4_values[b->qs[i] & 15];
        codes[i + 16] = iq4_values[b->qs[i] >> 4];
    }
}

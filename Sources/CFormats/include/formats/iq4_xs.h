// IQ4_XS: 256 weights in 8 groups of 32, w = (d * (s - 32)) * iq4_values[q] with six-bit s.
#pragma once
#include "iq4_nl.h"

typedef FORMAT_BLOCK {
    uint16_t d;
    uint16_t scales_h;    // bits 2 g: high two bits of the scale of group g
    uint8_t scales_l[4];  // byte g / 2: low four bits, in the low nibble where g is even
    uint8_t qs[128];      // byte 16 g + i: low nibble weight 32 g + i, high nibble weight 32 g + 16 + i
} block_iq4_xs;

FORMAT_FUNCTION void iq4_xs_unpack(const FORMAT_SOURCE block_iq4_xs *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    float d = format_f16(b->d);
    for (int g = 0; g < 8; g++) {
        int32_t low = b->scales_l[g / 2] >> (4 * (g % 2)) & 15;
        int32_t high = b->scales_h >> (2 * g) & 3;
        scales[g] = d * (float)((low | high << 4) - 32);
        for (int i = 0; i < 16; i++) {
            codes[32 * g + i] = iq4_values[b->qs[16 * g + i] & 15];
            codes[32 * g + 16 + i] = iq4_values[b->qs[16 * g + i] >> 4];
        }
    }
}

// IQ2_XS: 256 weights in 16 groups of 16, w = d * (s + 1/2) / 4 * ±grid.
#pragma once
#include "grids.h"

typedef FORMAT_BLOCK {
    uint16_t d;
    uint16_t qs[32];    // per run of 8 weights: nine bits grid index, seven sign bits
    uint8_t scales[8];  // byte g / 2: s of group g in the low nibble where g is even
} block_iq2_xs;

FORMAT_FUNCTION void iq2_xs_unpack(const FORMAT_SOURCE block_iq2_xs *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    float d = format_f16(b->d);
    for (int g = 0; g < 16; g++) scales[g] = d * (0.5f + (float)(b->scales[g / 2] >> (4 * (g % 2)) & 15)) * 0.25f;
    for (int r = 0; r < 32; r++) {
        uint32_t run = iq2_xs_grid[b->qs[r] & 511];
        uint32_t sign = format_even_signs(b->qs[r] >> 9);
        for (int i = 0; i < 8; i++) codes[8 * r + i] = format_signed(iq2_value(run, i), sign >> i & 1);
    }
}

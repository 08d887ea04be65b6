// IQ3_S: 256 weights in 8 groups of 32, w = d * (2 s + 1) * ±grid.
#pragma once
#include "grids.h"

typedef FORMAT_BLOCK {
    uint16_t d;
    uint8_t qs[64];     // low eight bits of the grid index of each run of 4 weights
    uint8_t qh[8];      // high index bit of eight runs each
    uint8_t signs[32];  // bit i % 8 of byte i / 8: sign of weight i
    uint8_t scales[4];  // byte g / 2: s of group g in the low nibble where g is even
} block_iq3_s;

FORMAT_FUNCTION void iq3_s_unpack(const FORMAT_SOURCE block_iq3_s *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    float d = format_f16(b->d);
    for (int g = 0; g < 8; g++) scales[g] = d * (float)(2 * (b->scales[g / 2] >> (4 * (g % 2)) & 15) + 1);
    for (int r = 0; r < 64; r++) {
        uint32_t run = iq3_s_grid[b->qs[r] | (b->qh[r / 8] >> (r % 8) & 1) << 8];
        uint32_t sign = (uint32_t)b->signs[r / 2] >> (4 * (r % 2));
        for (int i = 0; i < 4; i++) codes[4 * r + i] = format_signed(iq3_s_value(run, i), sign >> i & 1);
    }
}

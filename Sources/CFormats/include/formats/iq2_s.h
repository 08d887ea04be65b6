// IQ2_S: 256 weights in 16 groups of 16, w = d * (s + 1/2) / 4 * ±grid.
#pragma once
#include "grids.h"

typedef FORMAT_BLOCK {
    uint16_t d;
    uint8_t qs[32];     // low eight bits of the grid index of each run of 8 weights
    uint8_t signs[32];  // per run
    uint8_t qh[8];      // two high index bits of four runs each
    uint8_t scales[8];  // byte g / 2: s of group g in the low nibble where g is even
} block_iq2_s;

FORMAT_FUNCTION void iq2_s_unpack(const FORMAT_SOURCE block_iq2_s *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    float d = format_f16(b->d);
    for (int g = 0; g < 16; g++) scales[g] = d * (0.5f + (float)(b->scales[g / 2] >> (4 * (g % 2)) & 15)) * 0.25f;
    for (int r = 0; r < 32; r++) {
        uint32_t run = iq2_s_grid[b->qs[r] | (b->qh[r / 4] >> (2 * (r % 4)) & 3) << 8];
        uint32_t sign = b->signs[r];
        for (int i = 0; i < 8; i++) codes[8 * r + i] = format_signed(iq2_value(run, i), sign >> i & 1);
    }
}

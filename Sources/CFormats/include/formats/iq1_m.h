// IQ1_M: 256 weights in 16 groups of 16, w = d * (2 s + 1) * (grid ± 1/8), grid in -1..1. Codes are eight times that.
#pragma once
#include "grids.h"

typedef FORMAT_BLOCK {
    uint8_t qs[32];      // low eight bits of the grid index of each run of 8 weights
    uint8_t qh[16];      // a nibble per run: three high index bits, sign of the shift
    uint16_t scales[4];  // four times three bits s, then four bits of d, lowest first
} block_iq1_m;

FORMAT_FUNCTION uint16_t iq1_m_scale_bits(const FORMAT_SOURCE block_iq1_m *b) {
    return (uint16_t)(b->scales[0] >> 12 | (b->scales[1] >> 8 & 0x00f0) | (b->scales[2] >> 4 & 0x0f00) |
                      (b->scales[3] & 0xf000));
}

FORMAT_FUNCTION void iq1_m_unpack(const FORMAT_SOURCE block_iq1_m *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    float d = format_f16(iq1_m_scale_bits(b));
    for (int g = 0; g < 16; g++)
        scales[g] = d * (float)(2 * (b->scales[g / 4] >> (3 * (g % 4)) & 7) + 1) * 0.125f;
    for (int r = 0; r < 32; r++) {
        uint32_t high = (uint32_t)b->qh[r / 2] >> (4 * (r % 2));
        uint32_t run = iq1_grid[b->qs[r] | (high & 7) << 8];
        int32_t shift = 1 - (int32_t)(high >> 3 & 1) * 2;
        for (int i = 0; i < 8; i++) codes[8 * r + i] = (int8_t)(iq1_value(run, i) * 8 + shift);
    }
}

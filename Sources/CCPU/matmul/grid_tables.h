// Codebooks of the IQ1, IQ2 and IQ3 formats for lookups by permutations of bytes: low bytes of all entries, then high
// ones. Those of IQ1 are too many.
#pragma once
#include <stdint.h>

extern const uint16_t iq1_table[2049];
extern const uint8_t iq2_xxs_table[2][256];
extern const uint8_t iq2_xs_table[2][512];
extern const uint8_t iq2_s_table[2][1024];
extern const uint8_t iq3_xxs_table[2][256];
extern const uint8_t iq3_s_table[2][512];

// Blocks of 256 weights by their integers: w = d * (s * code) - dmin * m, with the codes of NAME_unpack.
//
// NAME_super_scale(block) is d and NAME_super_min(block) dmin; NAME_group_scale(block, g) and NAME_group_min(block, g)
// are s and m of group g. Products of |s| and |code| are at most 4096.
#pragma once
#include "all.h"

#define SUPER_SCALE(name, factor) \
    FORMAT_FUNCTION float name##_super_scale(const FORMAT_SOURCE block_##name *b) { return format_f16(b->d) * (factor); }
#define SUPER_MIN(name) \
    FORMAT_FUNCTION float name##_super_min(const FORMAT_SOURCE block_##name *b) { return format_f16(b->dmin); }
#define GROUP_SCALE(name, value) \
    FORMAT_FUNCTION int32_t name##_group_scale(const FORMAT_SOURCE block_##name *b, int g) { return (value); }
#define GROUP_MIN(name, value) \
    FORMAT_FUNCTION int32_t name##_group_min(const FORMAT_SOURCE block_##name *b, int g) { return (value); }
#define NO_SUPER_MIN(name)                                                                                          \
    FORMAT_FUNCTION float name##_super_min(const FORMAT_SOURCE block_##name *b) { return (void)b, 0.0f; }             \
    FORMAT_FUNCTION int32_t name##_group_min(const FORMAT_SOURCE block_##name *b, int g) { return (void)b, (void)g, 0; }
// Two scales of four bits in a byte, as odd numbers: 2 s + 1.
#define ODD_NIBBLE(bytes) (2 * ((bytes)[g / 2] >> (4 * (g % 2)) & 15) + 1)

SUPER_SCALE(q2_k, 1.0f)
SUPER_MIN(q2_k)
GROUP_SCALE(q2_k, b->scales[g] & 15)
GROUP_MIN(q2_k, b->scales[g] >> 4)

SUPER_SCALE(q3_k, 1.0f)
GROUP_SCALE(q3_k, ((b->scales[g % 8] >> (4 * (g / 8)) & 15) | (b->scales[8 + g % 4] >> (2 * (g / 4)) & 3) << 4) - 32)
NO_SUPER_MIN(q3_k)

SUPER_SCALE(q4_k, 1.0f)
SUPER_MIN(q4_k)
GROUP_SCALE(q4_k, k_group_scale(b->scales, g))
GROUP_MIN(q4_k, k_group_min(b->scales, g))

SUPER_SCALE(q5_k, 1.0f)
SUPER_MIN(q5_k)
GROUP_SCALE(q5_k, k_group_scale(b->scales, g))
GROUP_MIN(q5_k, k_group_min(b->scales, g))

SUPER_SCALE(q6_k, 1.0f)
GROUP_SCALE(q6_k, b->scales[g])
NO_SUPER_MIN(q6_k)

SUPER_SCALE(iq4_xs, 1.0f)
GROUP_SCALE(iq4_xs, ((b->scales_l[g / 2] >> (4 * (g % 2)) & 15) | (b->scales_h >> (2 * g) & 3) << 4) - 32)
NO_SUPER_MIN(iq4_xs)

SUPER_SCALE(iq2_xxs, 0.125f)
GROUP_SCALE(iq2_xxs, 2 * (int32_t)(b->groups[g].signs >> 28) + 1)
NO_SUPER_MIN(iq2_xxs)

SUPER_SCALE(iq2_xs, 0.125f)
GROUP_SCALE(iq2_xs, ODD_NIBBLE(b->scales))
NO_SUPER_MIN(iq2_xs)

SUPER_SCALE(iq2_s, 0.125f)
GROUP_SCALE(iq2_s, ODD_NIBBLE(b->scales))
NO_SUPER_MIN(iq2_s)

SUPER_SCALE(iq3_xxs, 0.25f)
GROUP_SCALE(iq3_xxs, 2 * (int32_t)(b->signs[g] >> 28) + 1)
NO_SUPER_MIN(iq3_xxs)

SUPER_SCALE(iq3_s, 1.0f)
GROUP_SCALE(iq3_s, ODD_NIBBLE(b->scales))
NO_SUPER_MIN(iq3_s)

SUPER_SCALE(iq1_s, 0.125f)
GROUP_SCALE(iq1_s, 2 * (b->qh[g] >> 12 & 7) + 1)
NO_SUPER_MIN(iq1_s)

FORMAT_FUNCTION float iq1_m_super_scale(const FORMAT_SOURCE block_iq1_m *b) {
    return format_f16(iq1_m_scale_bits(b)) * 0.125f;
}
GROUP_SCALE(iq1_m, 2 * (b->scales[g / 4] >> (3 * (g % 4)) & 7) + 1)
NO_SUPER_MIN(iq1_m)

SUPER_SCALE(tq1_0, 1.0f)
GROUP_SCALE(tq1_0, ((void)b, (void)g, 1))
NO_SUPER_MIN(tq1_0)

SUPER_SCALE(tq2_0, 1.0f)
GROUP_SCALE(tq2_0, ((void)b, (void)g, 1))
NO_SUPER_MIN(tq2_0)

#undef SUPER_SCALE
#undef SUPER_MIN
#undef GROUP_SCALE
#undef GROUP_MIN
#undef NO_SUPER_MIN
#undef ODD_NIBBLE

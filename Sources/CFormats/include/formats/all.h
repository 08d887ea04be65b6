// Every quantized format: one block struct and one exact unpack each.
//
// NAME_unpack(block, codes, scales, mins) writes one block as
//     w[i] = scales[i / group] * codes[i] - mins[i / group]        (mins read as 0 where the format has none)
// with eight-bit codes, block_length / group scales and, where has_min is 1, as many mins (not written otherwise).
// Evaluated in binary32 without contraction, that is bit for bit the value that the format defines.
#pragma once
#include "iq1_m.h"
#include "iq1_s.h"
#include "iq2_s.h"
#include "iq2_xs.h"
#include "iq2_xxs.h"
#include "iq3_s.h"
#include "iq3_xxs.h"
#include "iq4_nl.h"
#include "iq4_xs.h"
#include "mxfp4.h"
#include "nvfp4.h"
#include "q1_0.h"
#include "q2_0.h"
#include "q2_k.h"
#include "q3_k.h"
#include "q4_0.h"
#include "q4_1.h"
#include "q4_k.h"
#include "q5_0.h"
#include "q5_1.h"
#include "q5_k.h"
#include "q6_k.h"
#include "q8_0.h"
#include "tq1_0.h"
#include "tq2_0.h"

// X(name, GGUF name, GGUF type id, block_length, block_bytes, group, has_min)
#define FORMAT_LIST(X)                      \
    X(q4_0, "Q4_0", 2, 32, 18, 32, 0)       \
    X(q4_1, "Q4_1", 3, 32, 20, 32, 1)       \
    X(q5_0, "Q5_0", 6, 32, 22, 32, 0)       \
    X(q5_1, "Q5_1", 7, 32, 24, 32, 1)       \
    X(q8_0, "Q8_0", 8, 32, 34, 32, 0)       \
    X(q2_k, "Q2_K", 10, 256, 84, 16, 1)     \
    X(q3_k, "Q3_K", 11, 256, 110, 16, 0)    \
    X(q4_k, "Q4_K", 12, 256, 144, 32, 1)    \
    X(q5_k, "Q5_K", 13, 256, 176, 32, 1)    \
    X(q6_k, "Q6_K", 14, 256, 210, 16, 0)    \
    X(iq2_xxs, "IQ2_XXS", 16, 256, 66, 32, 0) \
    X(iq2_xs, "IQ2_XS", 17, 256, 74, 16, 0) \
    X(iq3_xxs, "IQ3_XXS", 18, 256, 98, 32, 0) \
    X(iq1_s, "IQ1_S", 19, 256, 50, 32, 0)   \
    X(iq4_nl, "IQ4_NL", 20, 32, 18, 32, 0)  \
    X(iq3_s, "IQ3_S", 21, 256, 110, 32, 0)  \
    X(iq2_s, "IQ2_S", 22, 256, 82, 16, 0)   \
    X(iq4_xs, "IQ4_XS", 23, 256, 136, 32, 0) \
    X(iq1_m, "IQ1_M", 29, 256, 56, 16, 0)   \
    X(tq1_0, "TQ1_0", 34, 256, 54, 32, 0)   \
    X(tq2_0, "TQ2_0", 35, 256, 66, 32, 0)   \
    X(mxfp4, "MXFP4", 39, 32, 17, 32, 0)    \
    X(nvfp4, "NVFP4", 40, 64, 36, 16, 0)    \
    X(q1_0, "Q1_0", 41, 128, 18, 32, 0)     \
    X(q2_0, "Q2_0", 42, 64, 18, 32, 0)

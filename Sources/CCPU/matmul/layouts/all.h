// The formats with a repacked layout.
#pragma once
#include "grid.h"

// X(name, blocks of 32 columns per record, offset of unsigned codes): blocks of 32 or 64 columns,
#define SMALL_LIST(X)  \
    X(q4_0, 2, 8)      \
    X(q4_1, 1, 0)      \
    X(q5_0, 2, 16)     \
    X(q5_1, 1, 0)      \
    X(q8_0, 2, 128)    \
    X(iq4_nl, 2, 128)  \
    X(mxfp4, 4, 16)    \
    X(nvfp4, 2, 16)
// of 256,
#define SUPER_LIST(X)  \
    X(q2_k, 8, 0)      \
    X(q3_k, 8, 4)      \
    X(q4_k, 8, 0)      \
    X(q5_k, 8, 0)      \
    X(q6_k, 8, 32)     \
    X(iq4_xs, 8, 128)  \
    X(tq1_0, 8, 1)     \
    X(tq2_0, 8, 1)
// of 256 with indices into a grid.
#define GRID_LIST(X)   \
    X(iq1_s, 8, 16)    \
    X(iq1_m, 8, 16)    \
    X(iq2_xxs, 8, 64)  \
    X(iq2_xs, 8, 64)   \
    X(iq2_s, 8, 64)    \
    X(iq3_xxs, 8, 64)  \
    X(iq3_s, 8, 64)
#define PACKED_LIST(X) SMALL_LIST(X) SUPER_LIST(X) GRID_LIST(X)

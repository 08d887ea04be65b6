// One systolic step per type and repeat count, compiled once per sub-group size (-DSIZE=8 or 16).
#pragma OPENCL EXTENSION cl_khr_fp16 : enable

#if SIZE == 8
#define A int
#else
#define A short
#endif
#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)

// Rows of a and c lie one after another, and so do the eight dwords of b, each with one element per lane.
#define STEP(NAME, FUNCTION, C, ROWS, SUFFIX)                                                                         \
    CAT(C, SUFFIX) __attribute__((overloadable)) FUNCTION(CAT(A, SUFFIX) a, int8 b, CAT(C, SUFFIX) c);                \
    kernel __attribute__((intel_reqd_sub_group_size(SIZE))) void NAME##_##ROWS(                                       \
        global const A *a, global const int *b, global C *c) {                                                        \
        uint lane = get_sub_group_local_id();                                                                         \
        union { CAT(A, SUFFIX) vector; A row[ROWS]; } x;                                                              \
        union { CAT(C, SUFFIX) vector; C row[ROWS]; } y;                                                              \
        union { int8 vector; int dword[8]; } w;                                                                       \
        for (int r = 0; r < ROWS; r++) {                                                                              \
            x.row[r] = a[r * SIZE + lane];                                                                            \
            y.row[r] = c[r * SIZE + lane];                                                                            \
        }                                                                                                             \
        for (int d = 0; d < 8; d++) w.dword[d] = b[d * SIZE + lane];                                                  \
        y.vector = FUNCTION(x.vector, w.vector, y.vector);                                                            \
        for (int r = 0; r < ROWS; r++) c[r * SIZE + lane] = y.row[r];                                                 \
    }

#define STEPS(NAME, FUNCTION, C)  \
    STEP(NAME, FUNCTION, C, 1, )  \
    STEP(NAME, FUNCTION, C, 2, 2) \
    STEP(NAME, FUNCTION, C, 4, 4) \
    STEP(NAME, FUNCTION, C, 8, 8)

STEPS(i8, intel_sub_group_i8_i8_matrix_mad_k32, int)
STEPS(f16, intel_sub_group_f16_f16_matrix_mad_k16, float)
STEPS(bf16, intel_sub_group_bf16_bf16_matrix_mad_k16, float)

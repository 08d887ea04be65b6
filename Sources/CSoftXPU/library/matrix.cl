// The matrix multiply-accumulate functions of cl_intel_subgroup_matrix_multiply_accumulate for devices without a matrix engine: a
// systolic step of M rows (1, 2, 4, 8), one column per lane and 32 bytes of depth. The driver links this module to programs that import them.
//
// Fragments, as the extension defines them: b holds column `lane`, its component d the depths 4d…4d+3 (eight bits) or 2d, 2d+1 (sixteen
// bits); the accumulator's component r is row r of column `lane`. a holds row r in component r: as int (sub-group of 8) lane d has the
// same depths as component d of b, as short (sub-group of 16) lanes 2d and 2d+1 have its lower and upper half.
#pragma OPENCL EXTENSION cl_khr_fp16 : enable

#define STEP __attribute__((overloadable, noinline))

// What a kernel of another sub-group size gets: values that no test overlooks. The driver refuses such kernels before.
#define POISON_int (-2147483647)
#define POISON_float NAN

static inline int dword_8(int row, uint d) { return sub_group_broadcast(row, d); }
static inline int dword_16(short row, uint d) {
    return (int)(ushort)sub_group_broadcast(row, 2 * d) | (int)(ushort)sub_group_broadcast(row, 2 * d + 1) << 16;
}

static inline int dot_i8(int x, int y, int sum) {
    char4 a = as_char4(x), b = as_char4(y);
    return sum + a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
}
static inline float dot_f16(int x, int y, float sum) {
    half2 a = as_half2(x), b = as_half2(y);
    sum = fma((float)a.x, (float)b.x, sum);
    return fma((float)a.y, (float)b.y, sum);
}
static inline float dot_bf16(int x, int y, float sum) {
    sum = fma(as_float(x << 16), as_float(y << 16), sum);
    return fma(as_float(x & (int)0xFFFF0000), as_float(y & (int)0xFFFF0000), sum);
}

#define ROW(SIZE, A, DOT, ACC)                                   \
    static inline ACC row_##DOT##_##SIZE(A a, int8 b, ACC sum) { \
        if (get_max_sub_group_size() != SIZE) return POISON_##ACC; \
        sum = DOT(dword_##SIZE(a, 0), b.s0, sum);                \
        sum = DOT(dword_##SIZE(a, 1), b.s1, sum);                \
        sum = DOT(dword_##SIZE(a, 2), b.s2, sum);                \
        sum = DOT(dword_##SIZE(a, 3), b.s3, sum);                \
        sum = DOT(dword_##SIZE(a, 4), b.s4, sum);                \
        sum = DOT(dword_##SIZE(a, 5), b.s5, sum);                \
        sum = DOT(dword_##SIZE(a, 6), b.s6, sum);                \
        return DOT(dword_##SIZE(a, 7), b.s7, sum);               \
    }

#define STEPS(NAME, SIZE, A, DOT, ACC)                                                                     \
    ROW(SIZE, A, DOT, ACC)                                                                                 \
    STEP ACC NAME(A a, int8 b, ACC acc) { return row_##DOT##_##SIZE(a, b, acc); }                          \
    STEP ACC##2 NAME(A##2 a, int8 b, ACC##2 acc) {                                                         \
        return (ACC##2)(row_##DOT##_##SIZE(a.x, b, acc.x), row_##DOT##_##SIZE(a.y, b, acc.y));             \
    }                                                                                                      \
    STEP ACC##4 NAME(A##4 a, int8 b, ACC##4 acc) {                                                         \
        return (ACC##4)(row_##DOT##_##SIZE(a.x, b, acc.x), row_##DOT##_##SIZE(a.y, b, acc.y),              \
                        row_##DOT##_##SIZE(a.z, b, acc.z), row_##DOT##_##SIZE(a.w, b, acc.w));             \
    }                                                                                                      \
    STEP ACC##8 NAME(A##8 a, int8 b, ACC##8 acc) {                                                         \
        return (ACC##8)(row_##DOT##_##SIZE(a.s0, b, acc.s0), row_##DOT##_##SIZE(a.s1, b, acc.s1),          \
                        row_##DOT##_##SIZE(a.s2, b, acc.s2), row_##DOT##_##SIZE(a.s3, b, acc.s3),          \
                        row_##DOT##_##SIZE(a.s4, b, acc.s4), row_##DOT##_##SIZE(a.s5, b, acc.s5),          \
                        row_##DOT##_##SIZE(a.s6, b, acc.s6), row_##DOT##_##SIZE(a.s7, b, acc.s7));         \
    }

STEPS(intel_sub_group_i8_i8_matrix_mad_k32, 8, int, dot_i8, int)
STEPS(intel_sub_group_i8_i8_matrix_mad_k32, 16, short, dot_i8, int)
STEPS(intel_sub_group_f16_f16_matrix_mad_k16, 8, int, dot_f16, float)
STEPS(intel_sub_group_f16_f16_matrix_mad_k16, 16, short, dot_f16, float)
STEPS(intel_sub_group_bf16_bf16_matrix_mad_k16, 8, int, dot_bf16, float)
STEPS(intel_sub_group_bf16_bf16_matrix_mad_k16, 16, short, dot_bf16, float)

#include "internal.h"

#if defined(__x86_64__)
#define KERNEL_ISA ISA_AVX2
#define KERNEL_SET kernels_avx2
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "kernels.h"
#pragma clang attribute pop
#endif

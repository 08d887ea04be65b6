#include "internal.h"

#if defined(__x86_64__)
#define KERNEL_ISA ISA_AVX512_VNNI
#define KERNEL_SET kernels_avx512_vnni
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c"))), apply_to = function)
#include "kernels.h"
#pragma clang attribute pop
#endif

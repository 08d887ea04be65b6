#include "internal.h"

#if defined(__x86_64__)
#define KERNEL_ISA ISA_AVX512_VBMI
#define KERNEL_SET kernels_avx512_vbmi
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,avx2,fma,f16c"))), apply_to = function)
#include "kernels.h"
#pragma clang attribute pop

// A matrix unit adds products of many rows, and its own of F16 and BF16.
extern const wide_kernels wide_kernels_amx;
extern const split_kernels split_kernels_amx;
extern const few_kernels few_kernels_amx;
const kernel_set kernels_amx = {
    KERNELS, .wide = &wide_kernels_amx, .split = &split_kernels_amx, .few = &few_kernels_amx};
#endif

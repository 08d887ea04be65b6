// Which instruction sets there are, and which one this machine runs.
#include "internal.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

extern const kernel_set kernels_portable;
#if defined(__x86_64__)
extern const kernel_set kernels_avx2, kernels_avx_vnni, kernels_avx512, kernels_avx512_vnni, kernels_avx512_vbmi,
    kernels_amx;
#endif

const kernel_set *const kernel_sets[CPU_ISA_COUNT] = {
    [CPU_ISA_PORTABLE] = &kernels_portable,
#if defined(__x86_64__)
    [CPU_ISA_AVX2] = &kernels_avx2,
    [CPU_ISA_AVX_VNNI] = &kernels_avx_vnni,
    [CPU_ISA_AVX512] = &kernels_avx512,
    [CPU_ISA_AVX512_VNNI] = &kernels_avx512_vnni,
    [CPU_ISA_AVX512_VBMI] = &kernels_avx512_vbmi,
    [CPU_ISA_AMX] = &kernels_amx,
#endif
};

#if defined(__x86_64__)
// `__builtin_cpu_supports` knows what processor and operating system allow, but not AVX-VNNI in every compiler's
// runtime.
static bool has_avx_vnni(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1 << 4);
}

// Linux keeps the tile registers of a process only after it asked for them; the permission holds for all its threads.
static bool has_amx(void) {
#if defined(__linux__)
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18, OS_KEEPS_STATE = 1 << 27 };
    enum { BF16_TILE_AND_INT8 = 1 << 22 | 1 << 24 | 1 << 25 };
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & OS_KEEPS_STATE)) return false;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & BF16_TILE_AND_INT8) != BF16_TILE_AND_INT8) return false;
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
#else
    return false;
#endif
}

bool cpu_isa_supported(cpu_isa isa) {
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    bool avx512_vnni = avx512 && __builtin_cpu_supports("avx512vnni");
    bool avx512_vbmi = avx512_vnni && __builtin_cpu_supports("avx512vbmi");
    switch (isa) {
        case CPU_ISA_PORTABLE: return true;
        case CPU_ISA_AVX2: return avx2;
        case CPU_ISA_AVX_VNNI: return avx2 && has_avx_vnni();
        case CPU_ISA_AVX512: return avx512;
        case CPU_ISA_AVX512_VNNI: return avx512_vnni;
        case CPU_ISA_AVX512_VBMI: return avx512_vbmi;
        case CPU_ISA_AMX: return avx512_vbmi && has_amx();
        default: return false;
    }
}
#else
bool cpu_isa_supported(cpu_isa isa) { return isa == CPU_ISA_PORTABLE; }
#endif

cpu_isa cpu_isa_best(void) {
    int isa = CPU_ISA_COUNT - 1;
    while (!cpu_isa_supported((cpu_isa)isa)) isa--;
    return (cpu_isa)isa;
}

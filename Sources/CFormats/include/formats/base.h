// What every format header needs, in the part of C that C23 and OpenCL C share.
#pragma once

#ifdef __OPENCL_C_VERSION__
typedef char int8_t;
typedef uchar uint8_t;
typedef short int16_t;
typedef ushort uint16_t;
typedef int int32_t;
typedef uint uint32_t;
#define FORMAT_TABLE __constant
#else
#include <stdint.h>
#define FORMAT_TABLE static const
#endif

// Inlined into its caller, so that it is compiled for the caller's instruction set.
#define FORMAT_FUNCTION static inline __attribute__((always_inline))

// Address space of packed blocks: an OpenCL kernel may define it as __global before the first include.
#ifndef FORMAT_SOURCE
#define FORMAT_SOURCE
#endif

// A block as it lies in the file: no padding, any alignment.
#define FORMAT_BLOCK struct __attribute__((packed))

FORMAT_FUNCTION float format_float_of_bits(uint32_t bits) {
    union {
        uint32_t bits;
        float value;
    } u = {bits};
    return u.value;
}

// IEEE 754 binary16 to binary32, exact. Integer code and selects: it vectorises, and it does not depend on whether
// the caller lets the processor flush subnormal numbers.
FORMAT_FUNCTION float format_f16(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16;
    uint32_t exponent = h & 0x7c00;
    uint32_t magnitude = h & 0x7fff;
    uint32_t rebias = exponent == 0x7c00 ? 224u << 23 : 112u << 23;
    uint32_t normal = (magnitude << 13) + rebias;
    union {
        float value;
        uint32_t bits;
    } subnormal = {(float)(int32_t)magnitude * 0x1p-24f};
    return format_float_of_bits((exponent == 0 ? subnormal.bits : normal) | sign);
}

FORMAT_FUNCTION float format_bf16(uint16_t h) { return format_float_of_bits((uint32_t)h << 16); }

// OCP E8M0 scale halved: 2^(e - 128).
FORMAT_FUNCTION float format_e8m0_half(uint8_t e) {
    uint32_t bits = e < 2 ? 0x00200000u << e : (uint32_t)(e - 1) << 23;
    return format_float_of_bits(bits);
}

// Unsigned OCP E4M3 scale halved; the sign bit is ignored, 0x7f stands for zero.
FORMAT_FUNCTION float format_ue4m3_half(uint8_t x) {
    int32_t exponent = (x >> 3) & 15;
    int32_t mantissa = x & 7;
    float subnormal = (float)mantissa * 0x1p-10f;
    float normal = format_float_of_bits(((uint32_t)(exponent + 119) << 23) | ((uint32_t)mantissa << 20));
    return x == 0x7f ? 0.0f : exponent == 0 ? subnormal : normal;
}

// The value with its sign flipped where `bit` is 1.
FORMAT_FUNCTION int8_t format_signed(int32_t value, uint32_t bit) {
    int32_t mask = -(int32_t)bit;
    return (int8_t)((value ^ mask) - mask);
}

// Seven stored sign bits and the eighth that makes their number even.
FORMAT_FUNCTION uint32_t format_even_signs(uint32_t seven) {
    uint32_t parity = seven ^ (seven >> 4);
    parity ^= parity >> 2;
    parity ^= parity >> 1;
    return (seven & 127) | (parity & 1) << 7;
}

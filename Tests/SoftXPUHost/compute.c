// Programs that break no rule: what their kernels compute must be right.
#include <math.h>

#include "host.h"

static void vadd(void) {
    enum { N = 1000 };
    host h = host_open();
    ze_module_handle_t module = host_module(&h, "basic.spv", NULL);
    ze_kernel_handle_t kernel = host_kernel(module, "vadd", 64);
    float *staging = host_alloc(&h, HOST, 2 * N * sizeof(float)), *result = malloc(N * sizeof(float));
    float *a = host_alloc(&h, DEVICE, N * sizeof(float)), *b = host_alloc(&h, DEVICE, N * sizeof(float));
    float *sum = host_alloc(&h, DEVICE, N * sizeof(float));
    for (int i = 0; i < N; i++) staging[i] = (float)i, staging[N + i] = 0.5f * (float)i;
    uint32_t n = N;
    ARGUMENT(kernel, 0, a);
    ARGUMENT(kernel, 1, b);
    ARGUMENT(kernel, 2, sum);
    ARGUMENT(kernel, 3, n);
    ze_command_queue_handle_t queue = host_queue(&h, 0);
    ze_command_list_handle_t list = host_list(&h, 0);
    host_copy(list, a, staging, N * sizeof(float));
    host_copy(list, b, staging + N, N * sizeof(float));
    host_barrier(list);
    host_launch(list, kernel, (N + 63) / 64);
    host_barrier(list);
    host_copy(list, result, sum, N * sizeof(float));
    host_execute(queue, list);
    for (int i = 0; i < N; i++) CHECK(result[i] == 1.5f * (float)i, "%d: %g", i, (double)result[i]);
    // A second time, recorded once.
    memset(result, 0, N * sizeof(float));
    OK(zeCommandQueueExecuteCommandLists, queue, 1, &list, NULL);
    OK(zeCommandQueueSynchronize, queue, UINT64_MAX);
    for (int i = 0; i < N; i++) CHECK(result[i] == 1.5f * (float)i, "%d: %g", i, (double)result[i]);
    OK(zeCommandListDestroy, list);
    OK(zeCommandQueueDestroy, queue);
    OK(zeKernelDestroy, kernel);
    OK(zeModuleDestroy, module);
    host_free(&h, staging), host_free(&h, a), host_free(&h, b), host_free(&h, sum);
    free(result);
    host_close(&h);
}

static void local_memory(void) {
    enum { GROUPS = 5, SIZE = 64 };
    host h = host_open();
    ze_module_handle_t module = host_module(&h, "basic.spv", NULL);
    float *x = host_alloc(&h, SHARED, GROUPS * SIZE * sizeof(float)), *sums = host_alloc(&h, SHARED, GROUPS * sizeof(float));
    int *ints = host_alloc(&h, SHARED, 64 * sizeof(int));
    for (int i = 0; i < GROUPS * SIZE; i++) x[i] = (float)(i % 7);
    for (int i = 0; i < 64; i++) ints[i] = i;
    ze_kernel_handle_t sum = host_kernel(module, "group_sum", SIZE), reverse = host_kernel(module, "reverse", 0);
    ARGUMENT(sum, 0, x);
    ARGUMENT(sum, 1, sums);
    OK(zeKernelSetArgumentValue, sum, 2, SIZE * sizeof(float), NULL);
    host_run(&h, sum, GROUPS);
    for (int g = 0; g < GROUPS; g++) {
        float expected = 0;
        for (int i = 0; i < SIZE; i++) expected += (float)((g * SIZE + i) % 7);
        CHECK(sums[g] == expected, "%d: %g", g, (double)sums[g]);
    }
    ARGUMENT(reverse, 0, ints);
    host_run(&h, reverse, 2);
    for (int i = 0; i < 64; i++) CHECK(ints[i] == i / 32 * 32 + 31 - i % 32, "%d: %d", i, ints[i]);
    ze_kernel_properties_t properties = {.stype = ZE_STRUCTURE_TYPE_KERNEL_PROPERTIES};
    OK(zeKernelGetProperties, reverse, &properties);
    CHECK(properties.numKernelArgs == 1 && properties.requiredGroupSizeX == 32, "%u", properties.requiredGroupSizeX);
    CHECK(properties.localMemSize == 128, "%u", properties.localMemSize);
    OK(zeKernelDestroy, sum);
    OK(zeKernelDestroy, reverse);
    OK(zeModuleDestroy, module);
    host_free(&h, x), host_free(&h, sums), host_free(&h, ints);
    host_close(&h);
}

static void sub_groups(void) {
    enum { N = 64 };
    host h = host_open();
    ze_module_handle_t module = host_module(&h, "basic.spv", NULL);
    ze_kernel_handle_t kernel = host_kernel(module, "sub_groups", 32);
    uint32_t *x = host_alloc(&h, SHARED, N * 4), *out = host_alloc(&h, SHARED, N * 5 * 4);
    for (uint32_t i = 0; i < N; i++) x[i] = i * i + 1;
    ARGUMENT(kernel, 0, x);
    ARGUMENT(kernel, 1, out);
    host_run(&h, kernel, N / 32);
    for (uint32_t first = 0; first < N; first += 16) {
        uint32_t sum = 0, prefix = 0, *o = out + first * 5;
        for (uint32_t i = 0; i < 16; i++) sum += x[first + i];
        for (uint32_t i = 0; i < 16; i++) {
            prefix += x[first + i];
            CHECK(o[i] == sum, "sum %u", o[i]);
            CHECK(o[16 + i] == x[first + 3], "broadcast %u", o[16 + i]);
            CHECK(o[32 + i] == x[first + (i ^ 1)], "shuffle %u", o[32 + i]);
            CHECK(o[48 + i] == prefix, "scan %u", o[48 + i]);
            CHECK(o[64 + i] == x[first + i], "block read %u", o[64 + i]);
        }
    }
    ze_kernel_properties_t properties = {.stype = ZE_STRUCTURE_TYPE_KERNEL_PROPERTIES};
    OK(zeKernelGetProperties, kernel, &properties);
    CHECK(properties.requiredSubgroupSize == 16, "%u", properties.requiredSubgroupSize);
    OK(zeKernelDestroy, kernel);
    OK(zeModuleDestroy, module);
    host_free(&h, x), host_free(&h, out);
    host_close(&h);
}

static float from_half(uint16_t bits) {
    _Float16 value;
    memcpy(&value, &bits, 2);
    return (float)value;
}
static uint16_t to_half(float value) {
    _Float16 half = (_Float16)value;
    uint16_t bits;
    memcpy(&bits, &half, 2);
    return bits;
}

static void arithmetic(void) {
    enum { N = 64 };
    host h = host_open();
    ze_module_handle_t module = host_module(&h, "basic.spv", NULL);
    ze_kernel_handle_t dot = host_kernel(module, "dot_products", 16), halves = host_kernel(module, "halves", 16);
    ze_kernel_handle_t by_value = host_kernel(module, "by_value", 16);
    int8_t *a = host_alloc(&h, SHARED, N * 4), *b = host_alloc(&h, SHARED, N * 4);
    int32_t *out = host_alloc(&h, SHARED, N * 4);
    uint16_t *x = host_alloc(&h, SHARED, N * 2), *y = host_alloc(&h, SHARED, N * 2);
    float *products = host_alloc(&h, SHARED, N * 4);
    for (int i = 0; i < 4 * N; i++) a[i] = (int8_t)(i * 37), b[i] = (int8_t)(i * 91 + 5);
    for (int i = 0; i < N; i++) x[i] = to_half(0.37f * (float)i), y[i] = to_half(1.0f / (float)(i + 1));
    ARGUMENT(dot, 0, a);
    ARGUMENT(dot, 1, b);
    ARGUMENT(dot, 2, out);
    host_run(&h, dot, N / 16);
    for (int i = 0; i < N; i++) {
        int expected = 0;
        for (int j = 0; j < 4; j++) expected += a[4 * i + j] * b[4 * i + j];
        CHECK(out[i] == expected, "%d: %d", i, out[i]);
    }
    ARGUMENT(halves, 0, x);
    ARGUMENT(halves, 1, y);
    ARGUMENT(halves, 2, products);
    host_run(&h, halves, N / 16);
    for (int i = 0; i < N; i++) {
        float expected = from_half(to_half(from_half(x[i]) * from_half(y[i])));
        CHECK(products[i] == expected, "%d: %g, not %g", i, (double)products[i], (double)expected);
    }
    struct {
        int32_t offset;
        float factor;
        int64_t stride;
    } parameters = {3, 0.5f, 2};
    float bias[4] = {9, 100, 9, 9};
    ARGUMENT(by_value, 0, products);
    ARGUMENT(by_value, 1, parameters);
    ARGUMENT(by_value, 2, bias);
    host_run(&h, by_value, N / 16);
    for (int i = 0; i < N; i++) CHECK(products[i] == 0.5f * (float)(3 + 2 * i) + 100, "%d: %g", i, (double)products[i]);
    OK(zeKernelDestroy, dot);
    OK(zeKernelDestroy, halves);
    OK(zeKernelDestroy, by_value);
    OK(zeModuleDestroy, module);
    host_free(&h, a), host_free(&h, b), host_free(&h, out), host_free(&h, x), host_free(&h, y), host_free(&h, products);
    host_close(&h);
}

/// One systolic step of every type and repeat count against sums in double. The sub-group size is the profile's.
static void matrix(void) {
    host h = host_open();
    ze_device_compute_properties_t compute = {.stype = ZE_STRUCTURE_TYPE_DEVICE_COMPUTE_PROPERTIES};
    OK(zeDeviceGetComputeProperties, h.device, &compute);
    const uint32_t size = compute.subGroupSizes[0];
    ze_module_handle_t module = host_module(&h, size == 8 ? "matrix8.spv" : "matrix16.spv", NULL);
    uint8_t *a = host_alloc(&h, SHARED, 8 * 32), *b = host_alloc(&h, SHARED, 8 * 4 * size);
    uint32_t *c = host_alloc(&h, SHARED, 8 * 4 * size), random = 1;
    static const char *const types[] = {"i8", "f16", "bf16"};
    for (int type = 0; type < 3; type++) {
        for (uint32_t rows = 1; rows <= 8; rows *= 2) {
            const uint32_t depth = type == 0 ? 32 : 16;
            double x[8][32], y[32][16], z[8][16];
            // a: rows of 32 bytes in order of depth. b: eight dwords per lane, each with consecutive depths.
            for (uint32_t r = 0; r < rows; r++) {
                for (uint32_t k = 0; k < depth; k++) {
                    random = random * 1664525u + 1013904223u;
                    float value = (float)((int)(random >> 24) - 128) / 32;
                    uint32_t bits;
                    memcpy(&bits, &value, 4);
                    if (type == 0) a[r * 32 + k] = (uint8_t)(random >> 24), x[r][k] = (int8_t)(random >> 24);
                    if (type == 1) ((uint16_t *)a)[r * 16 + k] = to_half(value), x[r][k] = (double)value;
                    if (type == 2) ((uint16_t *)a)[r * 16 + k] = (uint16_t)(bits >> 16), x[r][k] = (double)value;
                }
            }
            for (uint32_t k = 0; k < depth; k++) {
                for (uint32_t n = 0; n < size; n++) {
                    random = random * 1664525u + 1013904223u;
                    float value = (float)((int)(random >> 24) - 128) / 64;
                    uint32_t bits;
                    memcpy(&bits, &value, 4);
                    if (type == 0) b[(k / 4 * size + n) * 4 + k % 4] = (uint8_t)(random >> 24), y[k][n] = (int8_t)(random >> 24);
                    uint16_t *place = (uint16_t *)b + (k / 2 * size + n) * 2 + k % 2;
                    if (type == 1) *place = to_half(value), y[k][n] = (double)value;
                    if (type == 2) *place = (uint16_t)(bits >> 16), y[k][n] = (double)value;
                }
            }
            for (uint32_t r = 0; r < rows; r++) {
                for (uint32_t n = 0; n < size; n++) {
                    float start = (float)(int)(r * 16 + n) - 60;
                    int32_t whole = (int32_t)start;
                    memcpy(&c[r * size + n], type == 0 ? (void *)&whole : (void *)&start, 4);
                    z[r][n] = (double)start;
                    for (uint32_t k = 0; k < depth; k++) z[r][n] += x[r][k] * y[k][n];
                }
            }
            char name[16];
            snprintf(name, sizeof name, "%s_%u", types[type], rows);
            ze_kernel_handle_t kernel = host_kernel(module, name, size);
            ARGUMENT(kernel, 0, a);
            ARGUMENT(kernel, 1, b);
            ARGUMENT(kernel, 2, c);
            host_run(&h, kernel, 1);
            for (uint32_t r = 0; r < rows; r++) {
                for (uint32_t n = 0; n < size; n++) {
                    float real;
                    memcpy(&real, &c[r * size + n], 4);
                    double found = type == 0 ? (double)(int32_t)c[r * size + n] : (double)real;
                    CHECK(fabs(found - z[r][n]) <= (type == 0 ? 0 : 1e-4), "%s row %u column %u: %g, not %g", name, r, n, found,
                          z[r][n]);
                }
            }
            OK(zeKernelDestroy, kernel);
        }
    }
    OK(zeModuleDestroy, module);
    host_free(&h, a), host_free(&h, b), host_free(&h, c);
    host_close(&h);
}

static void indirection(void) {
    host h = host_open();
    ze_module_handle_t module = host_module(&h, "basic.spv", NULL);
    ze_kernel_handle_t follow = host_kernel(module, "follow", 1), scale = host_kernel(module, "scale", 4);
    int *target = host_alloc(&h, DEVICE, 64), *out = host_alloc(&h, SHARED, 64), value = 41;
    uint64_t *addresses = host_alloc(&h, DEVICE, 64), address = (uint64_t)(uintptr_t)target;
    host_upload(&h, target, &value, sizeof value);
    host_upload(&h, addresses, &address, sizeof address);
    ARGUMENT(follow, 0, addresses);
    ARGUMENT(follow, 1, out);
    OK(zeKernelSetIndirectAccess, follow, ZE_KERNEL_INDIRECT_ACCESS_FLAG_DEVICE);
    host_run(&h, follow, 1);
    CHECK(out[0] == 42, "%d", out[0]);

    // The same through residency.
    OK(zeKernelSetIndirectAccess, follow, 0);
    OK(zeContextMakeMemoryResident, h.context, h.device, target, 64);
    out[0] = 0;
    host_run(&h, follow, 1);
    CHECK(out[0] == 42, "%d", out[0]);
    OK(zeContextEvictMemory, h.context, h.device, target, 64);

    // A launch whose size the device reads.
    ze_group_count_t *count = host_alloc(&h, SHARED, sizeof *count);
    float *x = host_alloc(&h, SHARED, 16 * sizeof(float)), factor = 3;
    for (int i = 0; i < 16; i++) x[i] = 1;
    *count = (ze_group_count_t){2, 1, 1};
    ARGUMENT(scale, 0, x);
    ARGUMENT(scale, 1, factor);
    ze_command_list_handle_t list = host_immediate(&h, ZE_COMMAND_QUEUE_MODE_SYNCHRONOUS);
    OK(zeCommandListAppendLaunchKernelIndirect, list, scale, count, NULL, 0, NULL);
    for (int i = 0; i < 16; i++) CHECK(x[i] == (i < 8 ? 3 : 1), "%d: %g", i, (double)x[i]);
    OK(zeCommandListDestroy, list);
    OK(zeKernelDestroy, follow);
    OK(zeKernelDestroy, scale);
    OK(zeModuleDestroy, module);
    host_free(&h, target), host_free(&h, out), host_free(&h, addresses), host_free(&h, count), host_free(&h, x);
    host_close(&h);
}

const scenario compute_scenarios[] = {
    {"vadd", vadd},
    {"local_memory", local_memory},
    {"sub_groups", sub_groups},
    {"arithmetic", arithmetic},
    {"matrix", matrix},
    {"indirection", indirection},
    {0},
};

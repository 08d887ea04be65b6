// Programs that break no rule: copies, order by events and fences, binaries, what the device says of itself.
#include "host.h"

static void copies(void) {
    host h = host_open();
    uint32_t *device = host_alloc(&h, DEVICE, 256 * 4), result[256], pattern = 0x01020304;
    uint8_t *region = host_alloc(&h, DEVICE, 64), flat[64], bytes[64];
    ze_command_queue_handle_t queue = host_queue(&h, 0);
    ze_command_list_handle_t list = host_list(&h, 0);
    OK(zeCommandListAppendMemoryFill, list, device, &pattern, sizeof pattern, 256 * 4, NULL, 0, NULL);
    host_barrier(list);
    host_copy(list, result, device, 256 * 4);
    // A rectangle of 3 x 2 bytes, from rows of 8 to rows of 16.
    for (int i = 0; i < 64; i++) flat[i] = (uint8_t)i;
    uint8_t zero = 0;
    OK(zeCommandListAppendMemoryFill, list, region, &zero, 1, 64, NULL, 0, NULL);
    host_barrier(list);
    ze_copy_region_t to = {4, 1, 0, 3, 2, 1}, from = {2, 3, 0, 3, 2, 1};
    OK(zeCommandListAppendMemoryCopyRegion, list, region, &to, 16, 0, flat, &from, 8, 0, NULL, 0, NULL);
    host_barrier(list);
    host_copy(list, bytes, region, 64);
    host_execute(queue, list);
    for (int i = 0; i < 256; i++) CHECK(result[i] == pattern, "%d: %x", i, result[i]);
    for (int i = 0; i < 64; i++) {
        int row = i / 16 - 1, column = i % 16 - 4;
        int expected = row >= 0 && row < 2 && column >= 0 && column < 3 ? (row + 3) * 8 + column + 2 : 0;
        CHECK(bytes[i] == expected, "%d: %d", i, bytes[i]);
    }
    OK(zeCommandListDestroy, list);
    OK(zeCommandQueueDestroy, queue);
    host_free(&h, device), host_free(&h, region);
    host_close(&h);
}

static void events(void) {
    host h = host_open();
    ze_module_handle_t module = host_module(&h, "basic.spv", NULL);
    ze_kernel_handle_t count = host_kernel(module, "count", 1);
    uint32_t *x = host_alloc(&h, SHARED, 64), *copy = host_alloc(&h, DEVICE, 64), rounds = 1000, back = 0;
    x[0] = 1;
    ARGUMENT(count, 0, x);
    ARGUMENT(count, 1, rounds);
    ze_event_pool_handle_t pool = host_pool(&h, ZE_EVENT_POOL_FLAG_HOST_VISIBLE | ZE_EVENT_POOL_FLAG_KERNEL_TIMESTAMP, 4);
    ze_event_handle_t start = host_event(pool, 0), counted = host_event(pool, 1), copied = host_event(pool, 2);
    // Three lists that only events order: the host begins, a kernel counts, a copy engine takes the result away.
    ze_command_list_handle_t compute = host_immediate(&h, ZE_COMMAND_QUEUE_MODE_ASYNCHRONOUS);
    ze_command_list_handle_t download = host_immediate(&h, ZE_COMMAND_QUEUE_MODE_ASYNCHRONOUS);
    ze_group_count_t one = {1, 1, 1};
    OK(zeCommandListAppendMemoryCopy, download, copy, x, 4, copied, 1, &counted);
    OK(zeCommandListAppendLaunchKernel, compute, count, &one, counted, 1, &start);
    EXPECT(ZE_RESULT_NOT_READY, zeEventQueryStatus, counted);
    EXPECT(ZE_RESULT_NOT_READY, zeEventHostSynchronize, copied, 20000000);
    OK(zeEventHostSignal, start);
    OK(zeEventHostSynchronize, copied, UINT64_MAX);
    OK(zeEventQueryStatus, counted);
    host_download(&h, &back, copy, 4);
    uint32_t expected = 1;
    for (uint32_t i = 0; i < rounds; i++) expected = expected * 1664525u + 1013904223u;
    CHECK(back == expected, "%u", back);

    ze_device_properties_t device = {.stype = ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES_1_2};
    OK(zeDeviceGetProperties, h.device, &device);
    uint64_t mask = (1ull << device.kernelTimestampValidBits) - 1;
    ze_kernel_timestamp_result_t first, second, *written = host_alloc(&h, SHARED, 2 * sizeof *written);
    OK(zeEventQueryKernelTimestamp, counted, &first);
    OK(zeEventQueryKernelTimestamp, copied, &second);
    uint64_t took = (first.context.kernelEnd - first.context.kernelStart) & mask;
    CHECK(took > 0 && took < device.timerResolution, "%llu ticks", (unsigned long long)took);
    CHECK(((second.context.kernelStart - first.context.kernelEnd) & mask) < device.timerResolution, "order");
    ze_event_handle_t both[2] = {counted, copied};
    OK(zeCommandListAppendQueryKernelTimestamps, compute, 2, both, written, NULL, NULL, 0, NULL);
    OK(zeCommandListAppendBarrier, compute, start, 0, NULL);
    OK(zeEventHostReset, start);
    OK(zeEventHostSynchronize, start, UINT64_MAX);
    CHECK(memcmp(&written[1], &second, sizeof second) == 0, "time stamps");
    OK(zeEventHostReset, counted);
    EXPECT(ZE_RESULT_NOT_READY, zeEventQueryStatus, counted);
    EXPECT(ZE_RESULT_NOT_READY, zeEventQueryKernelTimestamp, counted, &first);

    OK(zeEventDestroy, start);
    OK(zeEventDestroy, counted);
    OK(zeEventDestroy, copied);
    OK(zeEventPoolDestroy, pool);
    OK(zeCommandListDestroy, compute);
    OK(zeCommandListDestroy, download);
    OK(zeKernelDestroy, count);
    OK(zeModuleDestroy, module);
    host_free(&h, x), host_free(&h, copy), host_free(&h, written);
    host_close(&h);
}

// What is free, by the handle of the device.
static void free_memory(void) {
    host h = host_open();
    uint32_t count = 0;
    OK(zesDeviceEnumMemoryModules, (zes_device_handle_t)h.device, &count, NULL);
    CHECK(count == 1, "%u", count);
    zes_mem_handle_t module;
    OK(zesDeviceEnumMemoryModules, (zes_device_handle_t)h.device, &count, &module);
    zes_mem_state_t before = {.stype = ZES_STRUCTURE_TYPE_MEM_STATE}, after = before;
    OK(zesMemoryGetState, module, &before);
    void *p = host_alloc(&h, DEVICE, 1 << 20);
    OK(zesMemoryGetState, module, &after);
    CHECK(before.free == before.size && after.free == before.free - (1 << 20), "%llu", (unsigned long long)after.free);
    host_free(&h, p);
    host_close(&h);
}

// Kernels one after the other, until the count of the time stamps has begun again while one ran.
static void time_stamps(void) {
    host h = host_open();
    ze_module_handle_t module = host_module(&h, "basic.spv", NULL);
    ze_kernel_handle_t count = host_kernel(module, "count", 1);
    uint32_t *x = host_alloc(&h, SHARED, 64), rounds = 20000000;
    x[0] = 1;
    ARGUMENT(count, 0, x);
    ARGUMENT(count, 1, rounds);
    ze_event_pool_handle_t pool = host_pool(&h, ZE_EVENT_POOL_FLAG_HOST_VISIBLE | ZE_EVENT_POOL_FLAG_KERNEL_TIMESTAMP, 1);
    ze_event_handle_t done = host_event(pool, 0);
    ze_command_list_handle_t list = host_immediate(&h, ZE_COMMAND_QUEUE_MODE_ASYNCHRONOUS);
    ze_device_properties_t cycles = {.stype = ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES_1_2};
    ze_device_properties_t nanoseconds = {.stype = ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES};
    OK(zeDeviceGetProperties, h.device, &cycles);
    OK(zeDeviceGetProperties, h.device, &nanoseconds);
    uint64_t product = cycles.timerResolution * nanoseconds.timerResolution;
    CHECK(product > 950000000 && product <= 1000000000, "%llu", (unsigned long long)product);
    uint64_t mask = (1ull << cycles.kernelTimestampValidBits) - 1;
    ze_group_count_t one = {1, 1, 1};
    bool again = false;
    for (int i = 0; i < 500 && !again; i++) {
        uint64_t host_before, before, host_after, after;
        OK(zeDeviceGetGlobalTimestamps, h.device, &host_before, &before);
        OK(zeCommandListAppendLaunchKernel, list, count, &one, done, 0, NULL);
        OK(zeEventHostSynchronize, done, UINT64_MAX);
        OK(zeDeviceGetGlobalTimestamps, h.device, &host_after, &after);
        ze_kernel_timestamp_result_t times;
        OK(zeEventQueryKernelTimestamp, done, &times);
        uint64_t start = times.global.kernelStart, end = times.global.kernelEnd;
        CHECK(start <= mask && end <= mask, "%llx %llx", (unsigned long long)start, (unsigned long long)end);
        CHECK(((end - start) & mask) > 0 && ((end - start) & mask) <= after - before, "%d", i);
        CHECK(((start - before) & mask) <= after - before, "%d", i);
        again = end < start;
        OK(zeEventHostReset, done);
    }
    CHECK(again, "the count goes on");
    OK(zeEventDestroy, done);
    OK(zeEventPoolDestroy, pool);
    OK(zeCommandListDestroy, list);
    OK(zeKernelDestroy, count);
    OK(zeModuleDestroy, module);
    host_free(&h, x);
    host_close(&h);
}

static void fences(void) {
    host h = host_open();
    uint32_t *x = host_alloc(&h, DEVICE, 64), value = 5, back = 0;
    ze_command_queue_handle_t queue = host_queue(&h, 0);
    ze_command_list_handle_t up = host_list(&h, 0), down = host_list(&h, 0), both[2] = {up, down};
    ze_fence_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_FENCE_DESC};
    ze_fence_handle_t fence;
    OK(zeFenceCreate, queue, &desc, &fence);
    host_copy(up, x, &value, 4);
    host_barrier(up);
    host_copy(down, &back, x, 4);
    OK(zeCommandListClose, up);
    OK(zeCommandListClose, down);
    for (int round = 0; round < 3; round++) {
        back = 0;
        EXPECT(ZE_RESULT_NOT_READY, zeFenceQueryStatus, fence);
        OK(zeCommandQueueExecuteCommandLists, queue, 2, both, fence);
        OK(zeFenceHostSynchronize, fence, UINT64_MAX);
        OK(zeFenceQueryStatus, fence);
        CHECK(back == 5, "%u", back);
        OK(zeFenceReset, fence);
    }
    OK(zeFenceDestroy, fence);
    OK(zeCommandListDestroy, up);
    OK(zeCommandListDestroy, down);
    OK(zeCommandQueueDestroy, queue);
    host_free(&h, x);
    host_close(&h);
}

/// What a module is as a binary of the device, and a description to make one of it again.
static uint8_t *native(host *h, const char *file, ze_module_desc_t *desc) {
    ze_module_handle_t module = host_module(h, file, NULL);
    size_t size = 0;
    OK(zeModuleGetNativeBinary, module, &size, NULL);
    uint8_t *binary = malloc(size);
    OK(zeModuleGetNativeBinary, module, &size, binary);
    OK(zeModuleDestroy, module);
    *desc = (ze_module_desc_t){.stype = ZE_STRUCTURE_TYPE_MODULE_DESC,
                               .format = ZE_MODULE_FORMAT_NATIVE,
                               .inputSize = size,
                               .pInputModule = binary};
    return binary;
}

// The first device's binary on the second, whose matrix engine works in other sub-groups.
static void foreign_binary(void) {
    host h = host_open();
    ze_module_handle_t again;
    ze_module_desc_t desc;
    uint8_t *binary = native(&h, "matrix8.spv", &desc);
    uint32_t count = 2;
    ze_device_handle_t devices[2];
    OK(zeDeviceGet, h.driver, &count, devices);
    CHECK(count == 2, "%u", count);
    EXPECT(ZE_RESULT_ERROR_INVALID_NATIVE_BINARY, zeModuleCreate, h.context, devices[1], &desc, &again, NULL);
    free(binary);
    host_close(&h);
}

static void native_binary(void) {
    host h = host_open();
    ze_module_handle_t again;
    size_t size, length = 0;
    ze_module_desc_t desc;
    uint8_t *binary = native(&h, "basic.spv", &desc);
    ze_module_build_log_handle_t log;
    OK(zeModuleCreate, h.context, h.device, &desc, &again, &log);
    OK(zeModuleBuildLogGetString, log, &length, NULL);
    CHECK(length == 1, "%zu", length);
    OK(zeModuleBuildLogDestroy, log);
    uint32_t count = 0;
    OK(zeModuleGetKernelNames, again, &count, NULL);
    const char *names[32];
    CHECK(count > 5 && count < 32, "%u", count);
    OK(zeModuleGetKernelNames, again, &count, names);
    bool found = false;
    for (uint32_t i = 0; i < count; i++) found |= strcmp(names[i], "scale") == 0;
    CHECK(found, "scale");
    ze_kernel_handle_t scale = host_kernel(again, "scale", 8);
    char name[16];
    size = sizeof name;
    OK(zeKernelGetName, scale, &size, name);
    CHECK(size == 6 && strcmp(name, "scale") == 0, "%s", name);
    uint32_t x = 0, y = 0, z = 0;
    OK(zeKernelSuggestGroupSize, scale, 4096, 6, 1, &x, &y, &z);
    CHECK(x * y * z > 0 && x * y * z <= 1024 && 4096 % x == 0 && 6 % y == 0 && z == 1, "%u %u %u", x, y, z);
    float *values = host_alloc(&h, SHARED, 64), factor = 2;
    for (int i = 0; i < 16; i++) values[i] = (float)i;
    ARGUMENT(scale, 0, values);
    ARGUMENT(scale, 1, factor);
    host_run(&h, scale, 2);
    for (int i = 0; i < 16; i++) CHECK(values[i] == 2 * (float)i, "%d", i);
    OK(zeKernelDestroy, scale);
    OK(zeModuleDestroy, again);
    // Damaged: refused.
    binary[desc.inputSize / 2] ^= 1;
    EXPECT(ZE_RESULT_ERROR_INVALID_NATIVE_BINARY, zeModuleCreate, h.context, h.device, &desc, &again, NULL);
    free(binary);
    host_free(&h, values);
    host_close(&h);
}

/// Prints what the device says, for the test to compare with the profile.
static void properties(void) {
    host h = host_open();
    ze_device_properties_t device = {.stype = ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES};
    ze_device_compute_properties_t compute = {.stype = ZE_STRUCTURE_TYPE_DEVICE_COMPUTE_PROPERTIES};
    // Newer than the headers: ze_device_ip_version_ext_t and Intel's structure of dot product support.
    struct {
        uint32_t stype;
        void *next;
        uint32_t value;
    } ip = {.stype = 0x1000f}, products = {.stype = 0x30013};
    ze_device_module_properties_t module = {.stype = ZE_STRUCTURE_TYPE_DEVICE_MODULE_PROPERTIES, .pNext = &products};
    device.pNext = &ip;
    OK(zeDeviceGetProperties, h.device, &device);
    OK(zeDeviceGetComputeProperties, h.device, &compute);
    OK(zeDeviceGetModuleProperties, h.device, &module);
    ze_device_memory_properties_t memory = {.stype = ZE_STRUCTURE_TYPE_DEVICE_MEMORY_PROPERTIES};
    uint32_t count = 1, groups = 0, devices = 0;
    OK(zeDeviceGetMemoryProperties, h.device, &count, &memory);
    OK(zeDeviceGetCommandQueueGroupProperties, h.device, &groups, NULL);
    OK(zeDeviceGet, h.driver, &devices, NULL);
    printf("ip %08x local %u sizes", ip.value, compute.maxSharedLocalMemory);
    for (uint32_t i = 0; i < compute.numSubGroupSizes; i++) printf(" %u", compute.subGroupSizes[i]);
    printf(" products %u doubles %d memory %llu largest %llu groups %u devices %u\n", products.value,
           (module.flags & ZE_DEVICE_MODULE_FLAG_FP64) != 0, (unsigned long long)memory.totalSize,
           (unsigned long long)device.maxMemAllocSize, groups, devices);

    void *p = host_alloc(&h, DEVICE, 1000), *base;
    ze_memory_allocation_properties_t allocation = {.stype = ZE_STRUCTURE_TYPE_MEMORY_ALLOCATION_PROPERTIES};
    ze_device_handle_t owner;
    size_t size;
    OK(zeMemGetAllocProperties, h.context, (char *)p + 5, &allocation, &owner);
    CHECK(allocation.type == ZE_MEMORY_TYPE_DEVICE && owner == h.device, "%d", allocation.type);
    OK(zeMemGetAddressRange, h.context, (char *)p + 999, &base, &size);
    CHECK(base == p && size == 1000, "%zu", size);
    OK(zeMemGetAllocProperties, h.context, &h, &allocation, &owner);
    CHECK(allocation.type == ZE_MEMORY_TYPE_UNKNOWN && owner == NULL, "%d", allocation.type);
    host_free(&h, p);
    host_close(&h);
}

const scenario run_scenarios[] = {
    {"copies", copies},
    {"events", events},
    {"time_stamps", time_stamps},
    {"free_memory", free_memory},
    {"fences", fences},
    {"native_binary", native_binary},
    {"foreign_binary", foreign_binary},
    {"properties", properties},
    {0},
};

// Memory that is used by whom it is not for, outside of its bounds or after its end.
#include "rules.h"

// Memory

RULE(memory_freed_twice) {
    void *p = host_alloc(&f->h, DEVICE, 64);
    host_free(&f->h, p);
    EXPECT(INVALID, zeMemFree, f->h.context, p);
}
RULE(memory_free_inside) { EXPECT(INVALID, zeMemFree, f->h.context, f->a + 1); }
RULE(memory_alignment) {
    ze_device_mem_alloc_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC};
    void *p;
    EXPECT(ZE_RESULT_ERROR_UNSUPPORTED_ALIGNMENT, zeMemAllocDevice, f->h.context, &desc, 64, 48, f->h.device, &p);
}
RULE(memory_size) {
    ze_relaxed_allocation_limits_exp_desc_t relaxed = {.stype = ZE_STRUCTURE_TYPE_RELAXED_ALLOCATION_LIMITS_EXP_DESC,
                                                       .flags = ZE_RELAXED_ALLOCATION_LIMITS_EXP_FLAG_MAX_SIZE};
    ze_device_mem_alloc_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC};
    void *p = NULL;
    EXPECT(ZE_RESULT_ERROR_UNSUPPORTED_SIZE, zeMemAllocDevice, f->h.context, &desc, 5ull << 30, 0, f->h.device, &p);
    desc.pNext = &relaxed;
    EXPECT(ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY, zeMemAllocDevice, f->h.context, &desc, 17ull << 30, 0, f->h.device, &p);
    CHECK(p == NULL, "%p", p);
}
RULE(copy_past_end) { EXPECT(INVALID, zeCommandListAppendMemoryCopy, f->list, f->a, f->b, 257, NULL, 0, NULL); }
RULE(copy_overlap) {
    EXPECT(ZE_RESULT_ERROR_OVERLAPPING_REGIONS, zeCommandListAppendMemoryCopy, f->list, f->a, f->a + 4, 32, NULL, 0, NULL);
}
RULE(fill_pattern) {
    uint32_t pattern[3] = {0};
    EXPECT(ZE_RESULT_ERROR_INVALID_SIZE, zeCommandListAppendMemoryFill, f->list, f->a, pattern, 12, 24, NULL, 0, NULL);
    EXPECT(ZE_RESULT_ERROR_INVALID_SIZE, zeCommandListAppendMemoryFill, f->list, f->a, pattern, 4, 10, NULL, 0, NULL);
}
RULE(memory_overrun) {
    // 100 bytes end 28 before the guard page: the margin in between notices.
    int *p = host_alloc(&f->h, SHARED, 100);
    ((volatile char *)p)[101] = 1;
    EXPECT(ZE_RESULT_ERROR_UNKNOWN, zeMemFree, f->h.context, p);
}
RULE(host_reads_device) { printf("%g\n", (double)*(volatile float *)f->a); }
RULE(host_writes_device) { *(volatile float *)f->a = 1; }
RULE(host_uses_freed) {
    volatile float *p = host_alloc(&f->h, SHARED, 64);
    p[1] = 2;
    host_free(&f->h, (void *)p);
    p[1] = 3;
}
static void poke(fixture *f, int64_t at) {
    ze_kernel_handle_t poke = host_kernel(f->module, "poke", 1);
    int *x = host_alloc(&f->h, DEVICE, 4096);
    ARGUMENT(poke, 0, x);
    ARGUMENT(poke, 1, at);
    host_launch(f->list, poke, 1);
    host_execute(f->queue, f->list);
    OK(zeKernelDestroy, poke);
    host_free(&f->h, x);
}
RULE(kernel_past_end) { poke(f, 1024); }
RULE(kernel_before_start) { poke(f, -1); }
RULE(kernel_not_resident) {
    ze_kernel_handle_t follow = host_kernel(f->module, "follow", 1);
    uint64_t *addresses = host_alloc(&f->h, SHARED, 64);
    addresses[0] = (uint64_t)(uintptr_t)f->a;
    ARGUMENT(follow, 0, addresses);
    ARGUMENT(follow, 1, f->sum);
    host_launch(f->list, follow, 1);
    host_execute(f->queue, f->list);
}

/// The memory was in use just before; only per-command protection notices that this kernel may not read it.
RULE(kernel_not_named) {
    ze_kernel_handle_t follow = host_kernel(f->module, "follow", 1);
    uint64_t *addresses = host_alloc(&f->h, SHARED, 64);
    addresses[0] = (uint64_t)(uintptr_t)f->a;
    ARGUMENT(follow, 0, addresses);
    ARGUMENT(follow, 1, f->sum);
    host_launch(f->list, f->vadd, 4);
    host_barrier(f->list);
    host_launch(f->list, follow, 1);
    host_execute(f->queue, f->list);
    OK(zeKernelDestroy, follow);
    host_free(&f->h, addresses);
}

const scenario memory_rules[] = {
    NAMED(memory_freed_twice), NAMED(memory_free_inside), NAMED(memory_alignment), NAMED(memory_size),
    NAMED(copy_past_end), NAMED(copy_overlap), NAMED(fill_pattern), NAMED(memory_overrun), NAMED(host_reads_device),
    NAMED(host_writes_device), NAMED(host_uses_freed), NAMED(kernel_past_end), NAMED(kernel_before_start),
    NAMED(kernel_not_resident), NAMED(kernel_not_named), {0},
};

// Programs that break one rule each. The broken call must give the result named here; the test looks for the message.
#include "host.h"

/// A kernel with all its arguments, a queue and an open list.
typedef struct {
    host h;
    ze_module_handle_t module;
    ze_kernel_handle_t vadd;
    float *a, *b, *sum;
    ze_command_queue_handle_t queue;
    ze_command_list_handle_t list;
} fixture;

static fixture set_up(void) {
    fixture f = {.h = host_open()};
    f.module = host_module(&f.h, "basic.spv", NULL);
    f.vadd = host_kernel(f.module, "vadd", 16);
    f.a = host_alloc(&f.h, DEVICE, 64 * sizeof(float));
    f.b = host_alloc(&f.h, DEVICE, 64 * sizeof(float));
    f.sum = host_alloc(&f.h, DEVICE, 64 * sizeof(float));
    uint32_t n = 64;
    ARGUMENT(f.vadd, 0, f.a);
    ARGUMENT(f.vadd, 1, f.b);
    ARGUMENT(f.vadd, 2, f.sum);
    ARGUMENT(f.vadd, 3, n);
    f.queue = host_queue(&f.h, 0);
    f.list = host_list(&f.h, 0);
    return f;
}

static void tear_down(fixture *f) {
    OK(zeCommandListDestroy, f->list);
    OK(zeCommandQueueDestroy, f->queue);
    OK(zeKernelDestroy, f->vadd);
    OK(zeModuleDestroy, f->module);
    host_free(&f->h, f->a), host_free(&f->h, f->b), host_free(&f->h, f->sum);
    host_close(&f->h);
}

#define RULE(name)                  \
    static void name##_body(fixture *f); \
    static void name(void) {        \
        fixture f = set_up();       \
        name##_body(&f);            \
        tear_down(&f);              \
    }                               \
    static void name##_body(fixture *f)

static const ze_group_count_t four = {4, 1, 1};
#define INVALID ZE_RESULT_ERROR_INVALID_ARGUMENT
#define IN_USE ZE_RESULT_ERROR_HANDLE_OBJECT_IN_USE

// Arguments

RULE(argument_index) { EXPECT(INVALID, zeKernelSetArgumentValue, f->vadd, 4, 4, &f->a); }
RULE(argument_size) {
    uint64_t n = 64;
    EXPECT(ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_SIZE, zeKernelSetArgumentValue, f->vadd, 3, sizeof n, &n);
}
RULE(argument_pointer_size) { EXPECT(ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_SIZE, zeKernelSetArgumentValue, f->vadd, 0, 4, &f->a); }
RULE(argument_no_value) { EXPECT(INVALID, zeKernelSetArgumentValue, f->vadd, 3, 4, NULL); }
RULE(argument_malloc) {
    void *p = malloc(64);
    EXPECT(INVALID, zeKernelSetArgumentValue, f->vadd, 0, sizeof p, &p);
    free(p);
}
RULE(argument_freed) {
    void *p = host_alloc(&f->h, DEVICE, 64);
    host_free(&f->h, p);
    EXPECT(INVALID, zeKernelSetArgumentValue, f->vadd, 0, sizeof p, &p);
}
RULE(argument_past_end) {
    void *p = f->a + 64;
    EXPECT(INVALID, zeKernelSetArgumentValue, f->vadd, 0, sizeof p, &p);
}
RULE(argument_alignment) {
    ze_kernel_handle_t wide = host_kernel(f->module, "wide", 4);
    void *p = f->a + 1;
    EXPECT(INVALID, zeKernelSetArgumentValue, wide, 0, sizeof p, &p);
    OK(zeKernelDestroy, wide);
}
RULE(argument_local_value) {
    ze_kernel_handle_t sum = host_kernel(f->module, "group_sum", 16);
    EXPECT(INVALID, zeKernelSetArgumentValue, sum, 2, sizeof f->a, &f->a);
    OK(zeKernelDestroy, sum);
}
RULE(argument_missing) {
    ze_kernel_handle_t scale = host_kernel(f->module, "scale", 16);
    ARGUMENT(scale, 0, f->a);
    EXPECT(INVALID, zeCommandListAppendLaunchKernel, f->list, scale, &four, NULL, 0, NULL);
    OK(zeKernelDestroy, scale);
}
RULE(argument_freed_later) {
    void *p = host_alloc(&f->h, DEVICE, 256);
    ARGUMENT(f->vadd, 0, p);
    host_launch(f->list, f->vadd, 4);
    host_free(&f->h, p);
    OK(zeCommandListClose, f->list);
    EXPECT(INVALID, zeCommandQueueExecuteCommandLists, f->queue, 1, &f->list, NULL);
}
RULE(kernel_destroyed_later) {
    ze_kernel_handle_t scale = host_kernel(f->module, "scale", 16);
    float factor = 1;
    ARGUMENT(scale, 0, f->a);
    ARGUMENT(scale, 1, factor);
    host_launch(f->list, scale, 1);
    OK(zeKernelDestroy, scale);
    OK(zeCommandListClose, f->list);
    EXPECT(INVALID, zeCommandQueueExecuteCommandLists, f->queue, 1, &f->list, NULL);
}
RULE(event_destroyed_later) {
    ze_event_pool_handle_t pool = host_pool(&f->h, 0, 1);
    ze_event_handle_t event = host_event(pool, 0);
    OK(zeCommandListAppendLaunchKernel, f->list, f->vadd, &four, event, 0, NULL);
    OK(zeEventDestroy, event);
    OK(zeEventPoolDestroy, pool);
    OK(zeCommandListClose, f->list);
    EXPECT(INVALID, zeCommandQueueExecuteCommandLists, f->queue, 1, &f->list, NULL);
}

// Group sizes and local memory

RULE(group_size_missing) {
    ze_kernel_handle_t scale = host_kernel(f->module, "scale", 0);
    float factor = 1;
    ARGUMENT(scale, 0, f->a);
    ARGUMENT(scale, 1, factor);
    EXPECT(ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION, zeCommandListAppendLaunchKernel, f->list, scale, &four, NULL, 0, NULL);
    OK(zeKernelDestroy, scale);
}
RULE(group_size_large) { EXPECT(ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION, zeKernelSetGroupSize, f->vadd, 64, 32, 1); }
RULE(group_size_zero) { EXPECT(ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION, zeKernelSetGroupSize, f->vadd, 64, 0, 1); }
RULE(group_size_required) {
    ze_kernel_handle_t reverse = host_kernel(f->module, "reverse", 0);
    EXPECT(ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION, zeKernelSetGroupSize, reverse, 64, 1, 1);
    OK(zeKernelDestroy, reverse);
}
RULE(group_size_large_registers) {
    ze_module_handle_t module = host_module(&f->h, "matrix8.spv", "-ze-opt-large-register-file");
    ze_kernel_handle_t kernel = host_kernel(module, "i8_1", 0);
    OK(zeKernelSetGroupSize, kernel, 512, 1, 1);
    EXPECT(ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION, zeKernelSetGroupSize, kernel, 1024, 1, 1);
    OK(zeKernelDestroy, kernel);
    OK(zeModuleDestroy, module);
}
RULE(group_partial) {
    ze_module_handle_t module = host_module(&f->h, "matrix8.spv", NULL);
    ze_kernel_handle_t kernel = host_kernel(module, "i8_1", 0);
    EXPECT(ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION, zeKernelSetGroupSize, kernel, 12, 1, 1);
    OK(zeKernelDestroy, kernel);
    OK(zeModuleDestroy, module);
}
RULE(group_count_zero) {
    ze_group_count_t none = {4, 0, 1};
    EXPECT(INVALID, zeCommandListAppendLaunchKernel, f->list, f->vadd, &none, NULL, 0, NULL);
}
RULE(local_memory_limit) {
    // 32 KB of its own and 40 KB from the host: too much for 64 KB.
    ze_kernel_handle_t kernel = host_kernel(f->module, "much_local", 16);
    ARGUMENT(kernel, 0, f->a);
    OK(zeKernelSetArgumentValue, kernel, 1, 40 << 10, NULL);
    EXPECT(ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY, zeCommandListAppendLaunchKernel, f->list, kernel, &four, NULL, 0, NULL);
    EXPECT(ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_SIZE, zeKernelSetArgumentValue, kernel, 1, 65 << 10, NULL);
    OK(zeKernelDestroy, kernel);
}

// Lists and queues

RULE(list_open) { EXPECT(INVALID, zeCommandQueueExecuteCommandLists, f->queue, 1, &f->list, NULL); }
RULE(list_closed) {
    OK(zeCommandListClose, f->list);
    EXPECT(INVALID, zeCommandListAppendBarrier, f->list, NULL, 0, NULL);
}
RULE(list_closed_twice) {
    OK(zeCommandListClose, f->list);
    EXPECT(INVALID, zeCommandListClose, f->list);
}
/// Submits the list behind an event that the host signals later.
static ze_event_handle_t submit_blocked(fixture *f, ze_event_pool_handle_t *pool) {
    *pool = host_pool(&f->h, ZE_EVENT_POOL_FLAG_HOST_VISIBLE, 1);
    ze_event_handle_t event = host_event(*pool, 0);
    OK(zeCommandListAppendLaunchKernel, f->list, f->vadd, &four, NULL, 1, &event);
    OK(zeCommandListClose, f->list);
    OK(zeCommandQueueExecuteCommandLists, f->queue, 1, &f->list, NULL);
    return event;
}
static void unblock(fixture *f, ze_event_handle_t event, ze_event_pool_handle_t pool) {
    OK(zeEventHostSignal, event);
    OK(zeCommandQueueSynchronize, f->queue, UINT64_MAX);
    OK(zeEventDestroy, event);
    OK(zeEventPoolDestroy, pool);
}
#define WHILE_RUNNING(...)                               \
    do {                                                 \
        ze_event_pool_handle_t pool;                     \
        ze_event_handle_t event = submit_blocked(f, &pool); \
        __VA_ARGS__;                                     \
        unblock(f, event, pool);                         \
    } while (0)
RULE(list_reset_running) { WHILE_RUNNING(EXPECT(IN_USE, zeCommandListReset, f->list)); }
RULE(list_destroy_running) { WHILE_RUNNING(EXPECT(IN_USE, zeCommandListDestroy, f->list)); }
RULE(list_execute_running) { WHILE_RUNNING(EXPECT(INVALID, zeCommandQueueExecuteCommandLists, f->queue, 1, &f->list, NULL)); }
RULE(queue_destroy_running) { WHILE_RUNNING(EXPECT(IN_USE, zeCommandQueueDestroy, f->queue)); }
RULE(kernel_destroy_running) { WHILE_RUNNING(EXPECT(IN_USE, zeKernelDestroy, f->vadd)); }
RULE(memory_free_running) { WHILE_RUNNING(EXPECT(IN_USE, zeMemFree, f->h.context, f->a)); }
RULE(event_destroy_running) { WHILE_RUNNING(EXPECT(IN_USE, zeEventDestroy, event)); }
RULE(list_copies_only) {
    ze_command_list_handle_t list = host_list(&f->h, 1);
    EXPECT(ZE_RESULT_ERROR_INVALID_COMMAND_LIST_TYPE, zeCommandListAppendLaunchKernel, list, f->vadd, &four, NULL, 0, NULL);
    OK(zeCommandListClose, list);
    EXPECT(ZE_RESULT_ERROR_INVALID_COMMAND_LIST_TYPE, zeCommandQueueExecuteCommandLists, f->queue, 1, &list, NULL);
    OK(zeCommandListDestroy, list);
}
RULE(list_immediate) {
    ze_command_list_handle_t list = host_immediate(&f->h, ZE_COMMAND_QUEUE_MODE_ASYNCHRONOUS);
    EXPECT(ZE_RESULT_ERROR_INVALID_COMMAND_LIST_TYPE, zeCommandListClose, list);
    EXPECT(ZE_RESULT_ERROR_INVALID_COMMAND_LIST_TYPE, zeCommandQueueExecuteCommandLists, f->queue, 1, &list, NULL);
    OK(zeCommandListDestroy, list);
}
RULE(queue_ordinal) {
    ze_command_queue_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_COMMAND_QUEUE_DESC, .ordinal = 7};
    ze_command_queue_handle_t queue;
    EXPECT(INVALID, zeCommandQueueCreate, f->h.context, f->h.device, &desc, &queue);
}

// Handles and structures

RULE(handle_stale) {
    ze_command_list_handle_t list = host_list(&f->h, 0);
    OK(zeCommandListDestroy, list);
    EXPECT(INVALID, zeCommandListClose, list);
}
RULE(handle_kind) { EXPECT(INVALID, zeCommandListClose, (ze_command_list_handle_t)f->queue); }
RULE(handle_garbage) { EXPECT(INVALID, zeCommandListClose, (ze_command_list_handle_t)f); }
RULE(handle_null) {
    (void)f;
    EXPECT(ZE_RESULT_ERROR_INVALID_NULL_HANDLE, zeCommandListClose, NULL);
}
RULE(structure_type) {
    ze_event_pool_desc_t desc = {.count = 1};
    ze_event_pool_handle_t pool;
    EXPECT(INVALID, zeEventPoolCreate, f->h.context, &desc, 0, NULL, &pool);
}
RULE(context_in_use) { EXPECT(IN_USE, zeContextDestroy, f->h.context); }
RULE(module_in_use) { EXPECT(IN_USE, zeModuleDestroy, f->module); }

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

// Events and fences

RULE(event_index) {
    ze_event_pool_handle_t pool = host_pool(&f->h, 0, 2);
    ze_event_handle_t event = host_event(pool, 1), other;
    ze_event_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_EVENT_DESC, .index = 1};
    EXPECT(INVALID, zeEventCreate, pool, &desc, &other);
    desc.index = 2;
    EXPECT(INVALID, zeEventCreate, pool, &desc, &other);
    EXPECT(IN_USE, zeEventPoolDestroy, pool);
    OK(zeEventDestroy, event);
    OK(zeEventPoolDestroy, pool);
}
RULE(event_hidden) {
    ze_event_pool_handle_t pool = host_pool(&f->h, 0, 1);
    ze_event_handle_t event = host_event(pool, 0);
    ze_kernel_timestamp_result_t times;
    EXPECT(ZE_RESULT_ERROR_INVALID_SYNCHRONIZATION_OBJECT, zeEventQueryStatus, event);
    EXPECT(ZE_RESULT_ERROR_INVALID_SYNCHRONIZATION_OBJECT, zeEventQueryKernelTimestamp, event, &times);
    OK(zeEventDestroy, event);
    OK(zeEventPoolDestroy, pool);
}
RULE(event_never_signalled) {
    ze_event_pool_handle_t pool = host_pool(&f->h, ZE_EVENT_POOL_FLAG_HOST_VISIBLE, 1);
    ze_event_handle_t event = host_event(pool, 0);
    EXPECT(ZE_RESULT_NOT_READY, zeEventHostSynchronize, event, 1000000);
    EXPECT(ZE_RESULT_ERROR_DEVICE_LOST, zeEventHostSynchronize, event, UINT64_MAX);
    OK(zeEventDestroy, event);
    OK(zeEventPoolDestroy, pool);
}
RULE(event_deadlock) {
    ze_event_pool_handle_t pool;
    ze_event_handle_t event = submit_blocked(f, &pool);
    EXPECT(ZE_RESULT_NOT_READY, zeCommandQueueSynchronize, f->queue, 1000000);
    EXPECT(ZE_RESULT_ERROR_DEVICE_LOST, zeCommandQueueSynchronize, f->queue, UINT64_MAX);
    OK(zeEventDestroy, event);
    OK(zeEventPoolDestroy, pool);
}
RULE(event_self) {
    ze_event_pool_handle_t pool = host_pool(&f->h, ZE_EVENT_POOL_FLAG_HOST_VISIBLE, 1);
    ze_event_handle_t event = host_event(pool, 0);
    EXPECT(INVALID, zeCommandListAppendLaunchKernel, f->list, f->vadd, &four, event, 1, &event);
    OK(zeEventDestroy, event);
    OK(zeEventPoolDestroy, pool);
}
RULE(event_not_reset) {
    ze_event_pool_handle_t pool = host_pool(&f->h, ZE_EVENT_POOL_FLAG_HOST_VISIBLE, 1);
    ze_event_handle_t event = host_event(pool, 0);
    OK(zeCommandListAppendLaunchKernel, f->list, f->vadd, &four, event, 0, NULL);
    host_execute(f->queue, f->list);
    OK(zeCommandQueueExecuteCommandLists, f->queue, 1, &f->list, NULL);
    OK(zeCommandQueueSynchronize, f->queue, UINT64_MAX);
    OK(zeEventDestroy, event);
    OK(zeEventPoolDestroy, pool);
}
RULE(fence_signalled) {
    ze_fence_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_FENCE_DESC};
    ze_fence_handle_t fence;
    OK(zeFenceCreate, f->queue, &desc, &fence);
    OK(zeCommandListClose, f->list);
    OK(zeCommandQueueExecuteCommandLists, f->queue, 1, &f->list, fence);
    OK(zeFenceHostSynchronize, fence, UINT64_MAX);
    EXPECT(ZE_RESULT_ERROR_INVALID_SYNCHRONIZATION_OBJECT, zeCommandQueueExecuteCommandLists, f->queue, 1, &f->list, fence);
    EXPECT(IN_USE, zeCommandQueueDestroy, f->queue);
    OK(zeFenceDestroy, fence);
}
RULE(fence_foreign) {
    ze_fence_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_FENCE_DESC};
    ze_fence_handle_t fence;
    ze_command_queue_handle_t other = host_queue(&f->h, 0);
    OK(zeFenceCreate, other, &desc, &fence);
    OK(zeCommandListClose, f->list);
    EXPECT(ZE_RESULT_ERROR_INVALID_SYNCHRONIZATION_OBJECT, zeCommandQueueExecuteCommandLists, f->queue, 1, &f->list, fence);
    OK(zeFenceDestroy, fence);
    OK(zeCommandQueueDestroy, other);
}

// Modules

static void refuse(fixture *f, const uint8_t *bytes, size_t size, const char *flags) {
    ze_module_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_MODULE_DESC,
                             .format = ZE_MODULE_FORMAT_IL_SPIRV,
                             .inputSize = size,
                             .pInputModule = bytes,
                             .pBuildFlags = flags};
    ze_module_handle_t module;
    ze_module_build_log_handle_t log;
    EXPECT(ZE_RESULT_ERROR_MODULE_BUILD_FAILURE, zeModuleCreate, f->h.context, f->h.device, &desc, &module, &log);
    size_t length = 0;
    OK(zeModuleBuildLogGetString, log, &length, NULL);
    char *text = malloc(length);
    OK(zeModuleBuildLogGetString, log, &length, text);
    CHECK(strlen(text) + 1 == length && length > 10, "%s", text);
    free(text);
    OK(zeModuleBuildLogDestroy, log);
}
static void refuse_file(fixture *f, const char *name, const char *flags) {
    size_t size;
    uint8_t *bytes = host_file(name, &size);
    refuse(f, bytes, size, flags);
    free(bytes);
}
RULE(module_unsized) { refuse_file(f, "unsized.spv", NULL); }
RULE(module_matrix_size) { refuse_file(f, "matrix16.spv", NULL); }
RULE(module_missing) { refuse_file(f, "missing.spv", NULL); }
RULE(module_doubles) { refuse_file(f, "doubles.spv", NULL); }
RULE(module_flag) { refuse_file(f, "basic.spv", "-ze-opt-level 2 -fast"); }
RULE(module_truncated) {
    size_t size;
    uint8_t *bytes = host_file("basic.spv", &size);
    // In the middle of the first instruction, and without the last one.
    refuse(f, bytes, 24, NULL);
    refuse(f, bytes, size - 4, NULL);
    free(bytes);
}
RULE(module_invalid) {
    // An operand that names nothing: only the validator sees it.
    size_t size;
    uint8_t *bytes = host_file("basic.spv", &size);
    uint32_t *words = (uint32_t *)bytes;
    for (size_t i = 5; i < size / 4; i += words[i] >> 16) {
        if ((words[i] & 0xffff) == 129) words[i + 3] = 3;
    }
    refuse(f, bytes, size, NULL);
    free(bytes);
}
RULE(module_garbage) { refuse(f, (const uint8_t *)"this is no module at all", 24, NULL); }
RULE(kernel_name) {
    ze_kernel_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_KERNEL_DESC, .pKernelName = "vsub"};
    ze_kernel_handle_t kernel;
    EXPECT(ZE_RESULT_ERROR_INVALID_KERNEL_NAME, zeKernelCreate, f->module, &desc, &kernel);
}
/// Leaves everything behind.
static void leak(void) { (void)set_up(); }

/// Ends while a command waits.
static void abandoned(void) {
    fixture f = set_up();
    ze_event_pool_handle_t pool;
    (void)submit_blocked(&f, &pool);
}

#define NAMED(name) {#name, name}
const scenario rule_scenarios[] = {
    NAMED(argument_index), NAMED(argument_size), NAMED(argument_pointer_size), NAMED(argument_no_value),
    NAMED(argument_malloc), NAMED(argument_freed), NAMED(argument_past_end), NAMED(argument_alignment),
    NAMED(argument_local_value), NAMED(argument_missing), NAMED(argument_freed_later), NAMED(kernel_destroyed_later), NAMED(event_destroyed_later), NAMED(group_size_missing),
    NAMED(group_size_large), NAMED(group_size_zero), NAMED(group_size_required), NAMED(group_size_large_registers),
    NAMED(group_partial), NAMED(group_count_zero), NAMED(local_memory_limit), NAMED(list_open), NAMED(list_closed),
    NAMED(list_closed_twice), NAMED(list_reset_running), NAMED(list_destroy_running), NAMED(list_execute_running),
    NAMED(queue_destroy_running), NAMED(kernel_destroy_running), NAMED(memory_free_running), NAMED(event_destroy_running),
    NAMED(list_copies_only), NAMED(list_immediate), NAMED(queue_ordinal), NAMED(handle_stale), NAMED(handle_kind),
    NAMED(handle_garbage), NAMED(handle_null), NAMED(structure_type), NAMED(context_in_use), NAMED(module_in_use),
    NAMED(memory_freed_twice), NAMED(memory_free_inside), NAMED(memory_alignment), NAMED(memory_size), NAMED(copy_past_end),
    NAMED(copy_overlap), NAMED(fill_pattern), NAMED(memory_overrun), NAMED(host_reads_device), NAMED(host_writes_device),
    NAMED(host_uses_freed), NAMED(kernel_past_end), NAMED(kernel_before_start), NAMED(kernel_not_resident), NAMED(kernel_not_named), NAMED(event_index),
    NAMED(event_hidden), NAMED(event_never_signalled), NAMED(event_deadlock), NAMED(event_self), NAMED(event_not_reset),
    NAMED(fence_signalled), NAMED(fence_foreign), NAMED(module_unsized), NAMED(module_matrix_size), NAMED(module_missing),
    NAMED(module_doubles), NAMED(module_flag), NAMED(module_truncated), NAMED(module_invalid), NAMED(module_garbage),
    NAMED(kernel_name), NAMED(leak), NAMED(abandoned), {0},
};

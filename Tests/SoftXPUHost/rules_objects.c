// Lists, queues, events and fences in a wrong state, and handles that are none.
#include "rules.h"

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
#define WHILE_RUNNING(...)                                  \
    do {                                                    \
        ze_event_pool_handle_t pool;                        \
        ze_event_handle_t event = submit_blocked(f, &pool); \
        __VA_ARGS__;                                        \
        unblock(f, event, pool);                            \
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
RULE(event_unstamped) {
    ze_event_pool_handle_t pool = host_pool(&f->h, ZE_EVENT_POOL_FLAG_HOST_VISIBLE | ZE_EVENT_POOL_FLAG_KERNEL_TIMESTAMP, 1);
    ze_event_handle_t event = host_event(pool, 0);
    ze_kernel_timestamp_result_t times;
    EXPECT(ZE_RESULT_NOT_READY, zeEventQueryKernelTimestamp, event, &times);
    OK(zeEventHostSignal, event);
    EXPECT(INVALID, zeEventQueryKernelTimestamp, event, &times);
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

/// Leaves everything behind.
static void leak(void) { (void)set_up(); }

/// Ends while a command waits.
static void abandoned(void) {
    fixture f = set_up();
    ze_event_pool_handle_t pool;
    (void)submit_blocked(&f, &pool);
}

const scenario object_rules[] = {
    NAMED(list_open), NAMED(list_closed), NAMED(list_closed_twice), NAMED(list_reset_running),
    NAMED(list_destroy_running), NAMED(list_execute_running), NAMED(queue_destroy_running),
    NAMED(kernel_destroy_running), NAMED(memory_free_running), NAMED(event_destroy_running), NAMED(list_copies_only),
    NAMED(list_immediate), NAMED(queue_ordinal), NAMED(handle_stale), NAMED(handle_kind), NAMED(handle_garbage),
    NAMED(handle_null), NAMED(structure_type), NAMED(context_in_use), NAMED(module_in_use), NAMED(event_index),
    NAMED(event_hidden), NAMED(event_unstamped), NAMED(event_never_signalled), NAMED(event_deadlock),
    NAMED(event_self), NAMED(event_not_reset), NAMED(fence_signalled), NAMED(fence_foreign), NAMED(leak),
    NAMED(abandoned), {0},
};

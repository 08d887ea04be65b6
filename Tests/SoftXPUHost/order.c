// Programs whose result depends on the order of commands. They print it; the test compares over many seeds.
#include "host.h"

/// x = (x * 3 + 1) * 3 + 1 … in so many steps, with or without a barrier after each.
static void steps(bool barriers, bool immediate) {
    enum { N = 16, STEPS = 4 };
    host h = host_open();
    ze_module_handle_t module = host_module(&h, "basic.spv", NULL);
    ze_kernel_handle_t scale = host_kernel(module, "scale", N), add = host_kernel(module, "add", N);
    float *x = host_alloc(&h, DEVICE, N * sizeof(float)), result[N], three = 3, one = 1;
    for (int i = 0; i < N; i++) result[i] = 1;
    host_upload(&h, x, result, sizeof result);
    ARGUMENT(scale, 0, x);
    ARGUMENT(scale, 1, three);
    ARGUMENT(add, 0, x);
    ARGUMENT(add, 1, one);
    ze_command_queue_handle_t queue = host_queue(&h, 0);
    ze_command_list_handle_t list = immediate ? host_immediate(&h, ZE_COMMAND_QUEUE_MODE_ASYNCHRONOUS) : host_list(&h, 0);
    ze_event_pool_handle_t pool = host_pool(&h, ZE_EVENT_POOL_FLAG_HOST_VISIBLE, 1);
    ze_event_handle_t end = host_event(pool, 0);
    for (int i = 0; i < STEPS; i++) {
        host_launch(list, scale, 1);
        if (barriers) host_barrier(list);
        host_launch(list, add, 1);
        if (barriers) host_barrier(list);
    }
    OK(zeCommandListAppendBarrier, list, end, 0, NULL);
    if (!immediate) {
        OK(zeCommandListClose, list);
        OK(zeCommandQueueExecuteCommandLists, queue, 1, &list, NULL);
    }
    OK(zeEventHostSynchronize, end, UINT64_MAX);
    host_download(&h, result, x, sizeof result);
    for (int i = 1; i < N; i++) CHECK(result[i] == result[0], "%d: %g", i, (double)result[i]);
    printf("%g\n", (double)result[0]);
    OK(zeEventDestroy, end);
    OK(zeEventPoolDestroy, pool);
    OK(zeCommandListDestroy, list);
    OK(zeCommandQueueDestroy, queue);
    OK(zeKernelDestroy, scale);
    OK(zeKernelDestroy, add);
    OK(zeModuleDestroy, module);
    host_free(&h, x);
    host_close(&h);
}
static void barriers(void) { steps(true, false); }
static void no_barriers(void) { steps(false, false); }
static void immediate_barriers(void) { steps(true, true); }
static void immediate_no_barriers(void) { steps(false, true); }

/// Two lists in one submission, with or without a barrier at the end of the first.
static void two_lists(bool barrier) {
    host h = host_open();
    uint32_t *x = host_alloc(&h, DEVICE, 64), value = 7, back = 0;
    ze_command_queue_handle_t queue = host_queue(&h, 0);
    ze_command_list_handle_t lists[2] = {host_list(&h, 0), host_list(&h, 0)};
    host_copy(lists[0], x, &value, 4);
    if (barrier) host_barrier(lists[0]);
    host_copy(lists[1], &back, x, 4);
    for (int i = 0; i < 2; i++) OK(zeCommandListClose, lists[i]);
    OK(zeCommandQueueExecuteCommandLists, queue, 2, lists, NULL);
    OK(zeCommandQueueSynchronize, queue, UINT64_MAX);
    printf("%u\n", back);
    for (int i = 0; i < 2; i++) OK(zeCommandListDestroy, lists[i]);
    OK(zeCommandQueueDestroy, queue);
    host_free(&h, x);
    host_close(&h);
}
static void lists_barrier(void) { two_lists(true); }
static void lists_no_barrier(void) { two_lists(false); }

/// An in-order list (newer than the headers: bit 3) needs no barriers.
static void in_order(void) {
    host h = host_open();
    ze_module_handle_t module = host_module(&h, "basic.spv", NULL);
    ze_kernel_handle_t scale = host_kernel(module, "scale", 16), add = host_kernel(module, "add", 16);
    float *x = host_alloc(&h, DEVICE, 64), result[16] = {0}, three = 3, one = 1;
    ze_command_list_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_COMMAND_LIST_DESC, .flags = 8};
    ze_command_list_handle_t list;
    OK(zeCommandListCreate, h.context, h.device, &desc, &list);
    ARGUMENT(scale, 0, x);
    ARGUMENT(scale, 1, three);
    ARGUMENT(add, 0, x);
    ARGUMENT(add, 1, one);
    host_copy(list, x, result, 64);
    for (int i = 0; i < 3; i++) host_launch(list, add, 1), host_launch(list, scale, 1);
    host_copy(list, result, x, 64);
    ze_command_queue_handle_t queue = host_queue(&h, 0);
    host_execute(queue, list);
    printf("%g\n", (double)result[0]);
    OK(zeCommandListDestroy, list);
    OK(zeCommandQueueDestroy, queue);
    OK(zeKernelDestroy, scale);
    OK(zeKernelDestroy, add);
    OK(zeModuleDestroy, module);
    host_free(&h, x);
    host_close(&h);
}

/// Reads a result without waiting for it: what was there before is still there.
static void unsynchronized(void) {
    host h = host_open();
    ze_module_handle_t module = host_module(&h, "basic.spv", NULL);
    ze_kernel_handle_t add = host_kernel(module, "add", 16);
    float *x = host_alloc(&h, SHARED, 64), one = 1;
    for (int i = 0; i < 16; i++) x[i] = 0;
    ARGUMENT(add, 0, x);
    ARGUMENT(add, 1, one);
    ze_command_queue_handle_t queue = host_queue(&h, 0);
    ze_command_list_handle_t list = host_list(&h, 0);
    host_launch(list, add, 1);
    OK(zeCommandListClose, list);
    OK(zeCommandQueueExecuteCommandLists, queue, 1, &list, NULL);
    float before = *(volatile float *)x;
    OK(zeCommandQueueSynchronize, queue, UINT64_MAX);
    printf("%g %g\n", (double)before, (double)x[0]);
    OK(zeCommandListDestroy, list);
    OK(zeCommandQueueDestroy, queue);
    OK(zeKernelDestroy, add);
    OK(zeModuleDestroy, module);
    host_free(&h, x);
    host_close(&h);
}

const scenario order_scenarios[] = {
    {"barriers", barriers}, {"no_barriers", no_barriers}, {"immediate_barriers", immediate_barriers},
    {"immediate_no_barriers", immediate_no_barriers}, {"lists_barrier", lists_barrier}, {"lists_no_barrier", lists_no_barrier},
    {"in_order", in_order}, {"unsynchronized", unsynchronized}, {0},
};

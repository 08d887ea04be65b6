// What the programs in rules_….c begin and end with.
#include "rules.h"

fixture set_up(void) {
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

void tear_down(fixture *f) {
    OK(zeCommandListDestroy, f->list);
    OK(zeCommandQueueDestroy, f->queue);
    OK(zeKernelDestroy, f->vadd);
    OK(zeModuleDestroy, f->module);
    host_free(&f->h, f->a), host_free(&f->h, f->b), host_free(&f->h, f->sum);
    host_close(&f->h);
}

ze_event_handle_t submit_blocked(fixture *f, ze_event_pool_handle_t *pool) {
    *pool = host_pool(&f->h, ZE_EVENT_POOL_FLAG_HOST_VISIBLE, 1);
    ze_event_handle_t event = host_event(*pool, 0);
    OK(zeCommandListAppendLaunchKernel, f->list, f->vadd, &four, NULL, 1, &event);
    OK(zeCommandListClose, f->list);
    OK(zeCommandQueueExecuteCommandLists, f->queue, 1, &f->list, NULL);
    return event;
}
void unblock(fixture *f, ze_event_handle_t event, ze_event_pool_handle_t pool) {
    OK(zeEventHostSignal, event);
    OK(zeCommandQueueSynchronize, f->queue, UINT64_MAX);
    OK(zeEventDestroy, event);
    OK(zeEventPoolDestroy, pool);
}

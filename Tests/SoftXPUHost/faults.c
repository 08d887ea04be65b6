// Programs that meet an injected fault, notice it and go on.
#include "host.h"

/// The third allocation fails, the fourth does not.
static void allocation(void) {
    host h = host_open();
    void *p[4] = {0};
    for (int i = 0; i < 4; i++) {
        ze_device_mem_alloc_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC};
        ze_result_t expected = i == 2 ? ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY : ZE_RESULT_SUCCESS;
        EXPECT(expected, zeMemAllocDevice, h.context, &desc, 4096, 0, h.device, &p[i]);
    }
    CHECK(p[2] == NULL, "%p", p[2]);
    for (int i = 0; i < 4; i++) {
        if (p[i] != NULL) host_free(&h, p[i]);
    }
    host_close(&h);
}

/// A device with little memory fills up, and has room again after a free.
static void small_memory(void) {
    host h = host_open();
    ze_device_mem_alloc_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC};
    void *first = host_alloc(&h, DEVICE, 700000), *second = NULL;
    EXPECT(ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY, zeMemAllocDevice, h.context, &desc, 700000, 0, h.device, &second);
    host_free(&h, first);
    OK(zeMemAllocDevice, h.context, &desc, 700000, 0, h.device, &second);
    host_free(&h, second);
    host_close(&h);
}

static void build(void) {
    host h = host_open();
    size_t size;
    uint8_t *bytes = host_file("basic.spv", &size);
    ze_module_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_MODULE_DESC,
                             .format = ZE_MODULE_FORMAT_IL_SPIRV,
                             .inputSize = size,
                             .pInputModule = bytes};
    ze_module_handle_t module;
    EXPECT(ZE_RESULT_ERROR_MODULE_BUILD_FAILURE, zeModuleCreate, h.context, h.device, &desc, &module, NULL);
    OK(zeModuleCreate, h.context, h.device, &desc, &module, NULL);
    OK(zeModuleDestroy, module);
    free(bytes);
    host_close(&h);
}

typedef struct {
    ze_command_queue_handle_t queue;
    ze_command_list_handle_t list;
    ze_event_pool_handle_t pool;
    ze_event_handle_t event;
    uint32_t *x;
} work;

static work prepare(host *h) {
    work w = {.queue = host_queue(h, 0), .list = host_list(h, 0), .pool = host_pool(h, ZE_EVENT_POOL_FLAG_HOST_VISIBLE, 1)};
    static uint32_t value = 3;
    w.event = host_event(w.pool, 0);
    w.x = host_alloc(h, DEVICE, 4096);
    for (int i = 0; i < 4; i++) host_copy(w.list, w.x + i, &value, 4), host_barrier(w.list);
    OK(zeCommandListAppendBarrier, w.list, w.event, 0, NULL);
    OK(zeCommandListClose, w.list);
    return w;
}

static void give_up(host *h, work *w) {
    OK(zeEventDestroy, w->event);
    OK(zeEventPoolDestroy, w->pool);
    OK(zeCommandListDestroy, w->list);
    OK(zeCommandQueueDestroy, w->queue);
    host_free(h, w->x);
    OK(zeContextDestroy, h->context);
}

/// The second submission loses the device: everything in the context says so, and a new context works.
static void lost(void) {
    host h = host_open();
    work w = prepare(&h);
    OK(zeCommandQueueExecuteCommandLists, w.queue, 1, &w.list, NULL);
    OK(zeEventHostSynchronize, w.event, UINT64_MAX);
    OK(zeEventHostReset, w.event);
    OK(zeCommandQueueExecuteCommandLists, w.queue, 1, &w.list, NULL);
    EXPECT(ZE_RESULT_ERROR_DEVICE_LOST, zeCommandQueueSynchronize, w.queue, UINT64_MAX);
    EXPECT(ZE_RESULT_ERROR_DEVICE_LOST, zeEventHostSynchronize, w.event, 1000);
    EXPECT(ZE_RESULT_ERROR_DEVICE_LOST, zeCommandQueueExecuteCommandLists, w.queue, 1, &w.list, NULL);
    EXPECT(ZE_RESULT_ERROR_DEVICE_LOST, zeContextGetStatus, h.context);
    give_up(&h, &w);
    host again = host_open();
    w = prepare(&again);
    OK(zeCommandQueueExecuteCommandLists, w.queue, 1, &w.list, NULL);
    OK(zeEventHostSynchronize, w.event, UINT64_MAX);
    uint32_t back[4] = {0};
    host_download(&again, back, w.x, sizeof back);
    for (int i = 0; i < 4; i++) CHECK(back[i] == 3, "%d: %u", i, back[i]);
    give_up(&again, &w);
}

/// The first submission hangs: bounded waits end, and everything can be taken down.
static void hang(void) {
    host h = host_open();
    work w = prepare(&h);
    OK(zeCommandQueueExecuteCommandLists, w.queue, 1, &w.list, NULL);
    EXPECT(ZE_RESULT_NOT_READY, zeEventHostSynchronize, w.event, 20000000);
    EXPECT(ZE_RESULT_NOT_READY, zeCommandQueueSynchronize, w.queue, 20000000);
    // What a watchdog does.
    OK(zeCommandQueueDestroy, w.queue);
    w.queue = host_queue(&h, 0);
    OK(zeCommandQueueExecuteCommandLists, w.queue, 1, &w.list, NULL);
    OK(zeEventHostSynchronize, w.event, UINT64_MAX);
    give_up(&h, &w);
}

/// The same with a wait that has no bound.
static void hang_forever(void) {
    host h = host_open();
    work w = prepare(&h);
    OK(zeCommandQueueExecuteCommandLists, w.queue, 1, &w.list, NULL);
    EXPECT(ZE_RESULT_ERROR_DEVICE_LOST, zeCommandQueueSynchronize, w.queue, UINT64_MAX);
    give_up(&h, &w);
}

const scenario fault_scenarios[] = {
    {"allocation", allocation}, {"small_memory", small_memory}, {"build", build},
    {"lost", lost},             {"hang", hang},                 {"hang_forever", hang_forever}, {0},
};

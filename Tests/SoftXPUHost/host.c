#include "host.h"

#include <dlfcn.h>

static const char *folder;

void *host_symbol(const char *name) {
    static void *loader;
    if (loader == NULL) loader = dlopen("libze_loader.so.1", RTLD_NOW | RTLD_LOCAL);
    void *symbol = loader == NULL ? NULL : dlsym(loader, name);
    if (symbol == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(4);
    }
    return symbol;
}

void host_expect(ze_result_t expected, ze_result_t result, const char *call, int line) {
    if (result == expected) return;
    fprintf(stderr, "line %d: %s gave 0x%x, not 0x%x\n", line, call, (unsigned)result, (unsigned)expected);
    exit(3);
}

host host_open(void) {
    host h = {0};
    uint32_t count = 1;
    OK(zeInit, 0);
    OK(zeDriverGet, &count, &h.driver);
    count = 1;
    OK(zeDeviceGet, h.driver, &count, &h.device);
    ze_context_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_CONTEXT_DESC};
    OK(zeContextCreate, h.driver, &desc, &h.context);
    return h;
}

void host_close(host *h) { OK(zeContextDestroy, h->context); }

void *host_alloc(host *h, enum host_memory kind, size_t size) {
    ze_device_mem_alloc_desc_t device = {.stype = ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC};
    ze_host_mem_alloc_desc_t host = {.stype = ZE_STRUCTURE_TYPE_HOST_MEM_ALLOC_DESC};
    void *p = NULL;
    switch (kind) {
        case DEVICE: OK(zeMemAllocDevice, h->context, &device, size, 64, h->device, &p); break;
        case HOST: OK(zeMemAllocHost, h->context, &host, size, 64, &p); break;
        case SHARED: OK(zeMemAllocShared, h->context, &device, &host, size, 64, h->device, &p); break;
    }
    return p;
}

void host_free(host *h, void *p) { OK(zeMemFree, h->context, p); }

uint8_t *host_file(const char *name, size_t *size) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL, "%s", path);
    uint8_t *bytes = malloc(1 << 20);
    *size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

ze_module_handle_t host_module(host *h, const char *name, const char *flags) {
    size_t size;
    uint8_t *bytes = host_file(name, &size);
    ze_module_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_MODULE_DESC,
                             .format = ZE_MODULE_FORMAT_IL_SPIRV,
                             .inputSize = size,
                             .pInputModule = bytes,
                             .pBuildFlags = flags};
    ze_module_handle_t module;
    OK(zeModuleCreate, h->context, h->device, &desc, &module, NULL);
    free(bytes);
    return module;
}

ze_kernel_handle_t host_kernel(ze_module_handle_t module, const char *name, uint32_t group) {
    ze_kernel_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_KERNEL_DESC, .pKernelName = name};
    ze_kernel_handle_t kernel;
    OK(zeKernelCreate, module, &desc, &kernel);
    if (group > 0) OK(zeKernelSetGroupSize, kernel, group, 1, 1);
    return kernel;
}

ze_command_queue_handle_t host_queue(host *h, uint32_t ordinal) {
    ze_command_queue_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_COMMAND_QUEUE_DESC, .ordinal = ordinal};
    ze_command_queue_handle_t queue;
    OK(zeCommandQueueCreate, h->context, h->device, &desc, &queue);
    return queue;
}

ze_command_list_handle_t host_list(host *h, uint32_t ordinal) {
    ze_command_list_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_COMMAND_LIST_DESC, .commandQueueGroupOrdinal = ordinal};
    ze_command_list_handle_t list;
    OK(zeCommandListCreate, h->context, h->device, &desc, &list);
    return list;
}

ze_command_list_handle_t host_immediate(host *h, ze_command_queue_mode_t mode) {
    ze_command_queue_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_COMMAND_QUEUE_DESC, .mode = mode};
    ze_command_list_handle_t list;
    OK(zeCommandListCreateImmediate, h->context, h->device, &desc, &list);
    return list;
}

ze_event_pool_handle_t host_pool(host *h, uint32_t flags, uint32_t count) {
    ze_event_pool_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_EVENT_POOL_DESC, .flags = flags, .count = count};
    ze_event_pool_handle_t pool;
    OK(zeEventPoolCreate, h->context, &desc, 1, &h->device, &pool);
    return pool;
}

ze_event_handle_t host_event(ze_event_pool_handle_t pool, uint32_t index) {
    ze_event_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_EVENT_DESC, .index = index, .signal = ZE_EVENT_SCOPE_FLAG_HOST};
    ze_event_handle_t event;
    OK(zeEventCreate, pool, &desc, &event);
    return event;
}

void host_launch(ze_command_list_handle_t list, ze_kernel_handle_t kernel, uint32_t groups) {
    ze_group_count_t count = {groups, 1, 1};
    OK(zeCommandListAppendLaunchKernel, list, kernel, &count, NULL, 0, NULL);
}

void host_copy(ze_command_list_handle_t list, void *to, const void *from, size_t size) {
    OK(zeCommandListAppendMemoryCopy, list, to, from, size, NULL, 0, NULL);
}

void host_barrier(ze_command_list_handle_t list) { OK(zeCommandListAppendBarrier, list, NULL, 0, NULL); }

void host_execute(ze_command_queue_handle_t queue, ze_command_list_handle_t list) {
    OK(zeCommandListClose, list);
    OK(zeCommandQueueExecuteCommandLists, queue, 1, &list, NULL);
    OK(zeCommandQueueSynchronize, queue, UINT64_MAX);
}

void host_run(host *h, ze_kernel_handle_t kernel, uint32_t groups) {
    ze_command_list_handle_t list = host_immediate(h, ZE_COMMAND_QUEUE_MODE_SYNCHRONOUS);
    host_launch(list, kernel, groups);
    OK(zeCommandListDestroy, list);
}

void host_upload(host *h, void *to, const void *from, size_t size) {
    ze_command_list_handle_t list = host_immediate(h, ZE_COMMAND_QUEUE_MODE_SYNCHRONOUS);
    host_copy(list, to, from, size);
    OK(zeCommandListDestroy, list);
}

void host_download(host *h, void *to, const void *from, size_t size) { host_upload(h, to, from, size); }

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: %s SCENARIO KERNELS\n", arguments[0]);
        return 2;
    }
    folder = arguments[2];
    static const scenario *const lists[] = {compute_scenarios, run_scenarios,   kernel_rules,   object_rules,
                                            memory_rules,      order_scenarios, fault_scenarios};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (const scenario *s = lists[i]; s->name != NULL; s++) {
            if (strcmp(s->name, arguments[1]) != 0) continue;
            s->run();
            printf("done\n");
            return 0;
        }
    }
    fprintf(stderr, "no scenario %s\n", arguments[1]);
    return 2;
}

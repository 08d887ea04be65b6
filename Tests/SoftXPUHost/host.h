// A Level Zero program in small pieces: what the tests of the software device run as processes of their own.
#pragma once

#include <level_zero/ze_api.h>
#include <level_zero/zes_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// A function of the loader, opened at run time.
void *host_symbol(const char *name);
#define ZE(f) ((__typeof__(&f))host_symbol(#f))

/// Calls, and ends the process when the result is another than success, or than the one that is expected.
void host_expect(ze_result_t expected, ze_result_t result, const char *call, int line);
#define OK(f, ...) host_expect(ZE_RESULT_SUCCESS, ZE(f)(__VA_ARGS__), #f, __LINE__)
#define EXPECT(result, f, ...) host_expect(result, ZE(f)(__VA_ARGS__), #f, __LINE__)
/// Ends the process when something that was computed is wrong.
#define CHECK(condition, ...)                                      \
    do {                                                           \
        if (!(condition)) {                                        \
            fprintf(stderr, "line %d: %s: ", __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__);                          \
            fputc('\n', stderr);                                   \
            exit(3);                                               \
        }                                                          \
    } while (0)

/// What most programs have.
typedef struct {
    ze_driver_handle_t driver;
    ze_device_handle_t device;
    ze_context_handle_t context;
} host;

host host_open(void);
void host_close(host *h);

enum host_memory { DEVICE, HOST, SHARED };
void *host_alloc(host *h, enum host_memory kind, size_t size);
void host_free(host *h, void *p);

/// A module from the folder of kernels that the process was given.
ze_module_handle_t host_module(host *h, const char *file, const char *flags);
/// The bytes of a file in that folder.
uint8_t *host_file(const char *file, size_t *size);
ze_kernel_handle_t host_kernel(ze_module_handle_t module, const char *name, uint32_t group);
ze_command_queue_handle_t host_queue(host *h, uint32_t ordinal);
ze_command_list_handle_t host_list(host *h, uint32_t ordinal);
ze_command_list_handle_t host_immediate(host *h, ze_command_queue_mode_t mode);
ze_event_pool_handle_t host_pool(host *h, uint32_t flags, uint32_t count);
ze_event_handle_t host_event(ze_event_pool_handle_t pool, uint32_t index);

void host_launch(ze_command_list_handle_t list, ze_kernel_handle_t kernel, uint32_t groups);
void host_copy(ze_command_list_handle_t list, void *to, const void *from, size_t size);
void host_barrier(ze_command_list_handle_t list);
/// Closes and executes a list, and waits.
void host_execute(ze_command_queue_handle_t queue, ze_command_list_handle_t list);
/// Runs one kernel over the arguments that it has, on an immediate list that waits.
void host_run(host *h, ze_kernel_handle_t kernel, uint32_t groups);
/// Writes and reads device memory.
void host_upload(host *h, void *to, const void *from, size_t size);
void host_download(host *h, void *to, const void *from, size_t size);

#define ARGUMENT(kernel, index, value) OK(zeKernelSetArgumentValue, kernel, index, sizeof(value), &(value))

typedef struct {
    const char *name;
    void (*run)(void);
} scenario;

extern const scenario compute_scenarios[], run_scenarios[], kernel_rules[], object_rules[],
    memory_rules[], order_scenarios[], fault_scenarios[];

// What programs that break a rule have in common. The broken call must give the result named there; the test looks for the message.
#pragma once
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

fixture set_up(void);
void tear_down(fixture *f);

/// Submits the list behind an event that the host signals later.
ze_event_handle_t submit_blocked(fixture *f, ze_event_pool_handle_t *pool);
void unblock(fixture *f, ze_event_handle_t event, ze_event_pool_handle_t pool);

/// A program that ends well but for what its body does.
#define RULE(name)                  \
    static void name##_body(fixture *f); \
    static void name(void) {        \
        fixture f = set_up();       \
        name##_body(&f);            \
        tear_down(&f);              \
    }                               \
    static void name##_body(fixture *f)

#define INVALID ZE_RESULT_ERROR_INVALID_ARGUMENT
#define IN_USE ZE_RESULT_ERROR_HANDLE_OBJECT_IN_USE
#define NAMED(name) {#name, name}

static const ze_group_count_t four = {4, 1, 1};

// Names the allocation behind a memory fault. Runs in a signal handler: only calls that are safe there, no lock. The table is written
// under the driver's lock and read without it; a torn entry can at worst garble a message about a program that is ending anyway.
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "CSoftXPU.h"

#define CAPACITY (1u << 20)

static struct softxpu_memory *table;
static atomic_uint used;
static char running[256];
static atomic_bool executing;
static struct sigaction before_segv, before_bus;

struct line {
    char text[700];
    size_t length;
};

static void put(struct line *line, const char *text) {
    while (*text && line->length + 1 < sizeof line->text) line->text[line->length++] = *text++;
}

static void put_number(struct line *line, uint64_t value) {
    char digits[24];
    size_t n = sizeof digits;
    digits[--n] = 0;
    do digits[--n] = (char)('0' + value % 10);
    while (value /= 10);
    put(line, digits + n);
}

static void describe(struct line *line, const struct softxpu_memory *m, uintptr_t address, int is_write) {
    static const char *const kinds[] = {"device", "host", "shared"};
    put(line, "softxpu: ");
    if (atomic_load(&executing)) {
        put(line, "while the device executed ");
        put(line, running);
        put(line, ": ");
    } else {
        put(line, "the host: ");
    }
    put(line, is_write ? "write " : "read ");
    uintptr_t end = m->start + m->size;
    if (address < m->start) {
        put_number(line, m->start - address);
        put(line, " bytes before the start of ");
    } else if (address >= end) {
        put_number(line, address - end);
        put(line, " bytes past the end of ");
    } else {
        put(line, "at byte ");
        put_number(line, address - m->start);
        put(line, " of ");
    }
    put(line, kinds[m->kind]);
    put(line, " allocation #");
    put_number(line, m->serial);
    put(line, " (");
    put_number(line, m->size);
    put(line, " bytes)");
    if (m->state == SOFTXPU_FREED) {
        put(line, ", which was freed");
    } else if (address >= m->start && address < end && m->state == SOFTXPU_LOCKED) {
        put(line, atomic_load(&executing)
                      ? ", which is no argument of it: call zeKernelSetIndirectAccess, or it is a host access while the device works"
                      : ", which only the device may touch: copy with zeCommandListAppendMemoryCopy");
    }
    put(line, "\n");
}

static void on_fault(int number, siginfo_t *info, void *context) {
    uintptr_t address = (uintptr_t)info->si_addr;
    unsigned count = atomic_load(&used);
    for (unsigned i = count; i-- > 0;) {
        const struct softxpu_memory *m = &table[i];
        if (address < m->reserved || address >= m->reservedEnd) continue;
        struct line line = {.length = 0};
        int is_write = 0;
#if defined(__x86_64__)
        is_write = (((ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] & 2) != 0;
#endif
        describe(&line, m, address, is_write);
        for (size_t done = 0; done < line.length;) {
            ssize_t n = write(STDERR_FILENO, line.text + done, line.length - done);
            if (n <= 0) break;
            done += (size_t)n;
        }
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    struct sigaction *before = number == SIGBUS ? &before_bus : &before_segv;
    sigaction(number, before, NULL);
}

static void watch(int number, struct sigaction *before) {
    struct sigaction current;
    if (sigaction(number, NULL, &current) != 0) return;
    if ((current.sa_flags & SA_SIGINFO) && current.sa_sigaction == on_fault) return;
    *before = current;
    // SA_NODEFER: a fault inside of the handler of somebody else must not be lost.
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void softxpu_watch_faults(void) {
    if (table == NULL) {
        void *memory = mmap(NULL, sizeof(struct softxpu_memory) * CAPACITY, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) return;
        table = memory;
    }
    watch(SIGSEGV, &before_segv);
    watch(SIGBUS, &before_bus);
}

int64_t softxpu_memory_add(struct softxpu_memory memory) {
    unsigned index = atomic_load(&used);
    if (table == NULL || index >= CAPACITY) return -1;
    table[index] = memory;
    atomic_store(&used, index + 1);
    return index;
}

void softxpu_memory_set_state(int64_t index, uint8_t state) {
    if (index >= 0) table[index].state = state;
}

void softxpu_set_running(const char *what) {
    if (what == NULL) {
        atomic_store(&executing, false);
        return;
    }
    strncpy(running, what, sizeof running - 1);
    atomic_store(&executing, true);
}

void softxpu_at_exit(void (*f)(void)) { atexit(f); }

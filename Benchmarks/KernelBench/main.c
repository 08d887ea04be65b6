// Speed of the matrix kernels beside this machine's ceilings, taken in the same run.
//
//     KernelBench [--json] [--rows M,M...] [format name ...]
//     environment: TGI_RUN_THREADS=count, TGI_RUN_ISA=portable|avx2|avx-vnni|avx512|avx512-vnni|avx512-vbmi|amx
//
// For each format, rows of x (M) and threads: best and median time of a product with a weight matrix far larger than
// the caches (M <= 16) or of one layer's shape (M >= 64); GB/s counts the bytes of the weights in the file, GOPS a
// multiplication and an addition per weight and row. With --json each line is an object.
#define _GNU_SOURCE
#include "ccpu_matmul.h"
#include "formats.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <time.h>

enum { MAX_THREADS = 256, SAMPLES = 7, CACHE_BYTES = 512 << 10, CACHE_ROUNDS = 200, MAX_ROW_COUNTS = 16 };

static bool json;
// One per processor that this process may use, or as TGI_RUN_THREADS says.
static int most_threads;

static int available_processors(void) {
    cpu_set_t set;
    const char *wanted = getenv("TGI_RUN_THREADS");
    int count = wanted ? atoi(wanted) : sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    return count < 1 ? 1 : count > MAX_THREADS ? MAX_THREADS : count;
}

// All counts up to eight, then doubled, and the most.
static int next_thread_count(int threads) {
    int next = threads < 8 ? threads + 1 : 2 * threads;
    return threads < most_threads && next > most_threads ? most_threads : next;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *allocate(size_t bytes) {
    const size_t huge = (size_t)2 << 20;
    void *p = aligned_alloc(huge, (bytes + huge - 1) / huge * huge);
    if (!p) {
        perror("KernelBench");
        exit(1);
    }
    madvise(p, bytes / huge * huge, MADV_HUGEPAGE);
    return p;
}

// MARK: Threads

typedef void work(void *context, int thread, int threads);

typedef struct {
    work *body;
    void *context;
    int thread, threads;
    pthread_barrier_t *barrier;
    double seconds;
} job;

static void *run_job(void *argument) {
    job *j = argument;
    pthread_barrier_wait(j->barrier);
    double start = now();
    j->body(j->context, j->thread, j->threads);
    pthread_barrier_wait(j->barrier);
    j->seconds = now() - start;
    return NULL;
}

static double timed(work *body, void *context, int threads) {
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    job jobs[MAX_THREADS];
    pthread_t ids[MAX_THREADS];
    for (int t = 0; t < threads; t++) jobs[t] = (job){body, context, t, threads, &barrier, 0};
    for (int t = 1; t < threads; t++) pthread_create(&ids[t], NULL, run_job, &jobs[t]);
    run_job(&jobs[0]);
    for (int t = 1; t < threads; t++) pthread_join(ids[t], NULL);
    pthread_barrier_destroy(&barrier);
    return jobs[0].seconds;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

typedef struct {
    double best, median;
} timing;

static timing measure(work *body, void *context, int threads) {
    double seconds[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) seconds[i] = timed(body, context, threads);
    qsort(seconds, SAMPLES, sizeof *seconds, ascending);
    return (timing){seconds[0], seconds[SAMPLES / 2]};
}

// MARK: Ceilings

typedef struct {
    const uint8_t *data;
    size_t bytes;
} buffer;

static volatile uint64_t sink;

// Four streams with prefetch: what one core needs to keep DRAM busy.
static void read_all(void *context, int thread, int threads) {
    const buffer *b = context;
    size_t part = b->bytes / (size_t)threads / 4 / 64 * 64;
    const uint8_t *base = b->data + (size_t)thread * 4 * part;
    uint64_t sum = 0;
    for (size_t i = 0; i < part; i += 64)
        for (size_t s = 0; s < 4; s++) {
            const uint64_t *p = (const uint64_t *)(base + s * part + i);
            __builtin_prefetch((const uint8_t *)p + 2048);
            sum += p[0] ^ p[1] ^ p[2] ^ p[3] ^ p[4] ^ p[5] ^ p[6] ^ p[7];
        }
    sink += sum;
}

// A buffer that stays in a core's second-level cache, read again and again.
static void read_cache(void *context, int thread, int threads) {
    const buffer *b = context;
    const uint8_t *base = b->data + (size_t)thread * CACHE_BYTES;
    uint64_t sum = 0;
    for (int round = 0; round < CACHE_ROUNDS; round++) {
        for (size_t i = 0; i < CACHE_BYTES; i += 64) {
#if defined(__x86_64__)
            __asm__ volatile("movaps (%0), %%xmm0\n movaps 16(%0), %%xmm1\n movaps 32(%0), %%xmm2\n movaps 48(%0), %%xmm3"
                             :
                             : "r"(base + i)
                             : "xmm0", "xmm1", "xmm2", "xmm3");
#else
            const uint64_t *p = (const uint64_t *)(base + i);
            sum += p[0] ^ p[1] ^ p[2] ^ p[3] ^ p[4] ^ p[5] ^ p[6] ^ p[7];
#endif
        }
    }
    sink += sum;
}

#if defined(__x86_64__)
static void __attribute__((target("avx512f"))) read_cache_512(void *context, int thread, int threads) {
    const buffer *b = context;
    const uint8_t *base = b->data + (size_t)thread * CACHE_BYTES;
    for (int round = 0; round < CACHE_ROUNDS; round++)
        for (size_t i = 0; i < CACHE_BYTES; i += 256)
            __asm__ volatile(
                "vmovaps (%0), %%zmm0\n vmovaps 64(%0), %%zmm1\n vmovaps 128(%0), %%zmm2\n vmovaps 192(%0), %%zmm3"
                :
                : "r"(base + i)
                : "xmm0", "xmm1", "xmm2", "xmm3");
}
#endif

static const long peak_rounds = 20000000;

#if defined(__x86_64__)
typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_configuration;

static tile_configuration whole_tiles(void) {
    tile_configuration config = {.palette = 1};
    for (int t = 0; t < 6; t++) config.row_bytes[t] = 64, config.rows[t] = 16;
    return config;
}

// Products of 16 rows, 16 outputs and 64 columns of 8-bit integers into four tile registers.
static void __attribute__((target("amx-tile,amx-int8"))) tile_peak(void *context, int thread, int threads) {
    const tile_configuration config = whole_tiles();
    __asm__ volatile("ldtilecfg %0" : : "m"(config));
    for (long i = 0; i < peak_rounds / 16; i++)
        __asm__ volatile(
            "tdpbssd %%tmm5, %%tmm4, %%tmm0\n tdpbssd %%tmm5, %%tmm4, %%tmm1\n"
            "tdpbssd %%tmm5, %%tmm4, %%tmm2\n tdpbssd %%tmm5, %%tmm4, %%tmm3" : : : "memory");
    __asm__ volatile("tilerelease");
}

// Ten independent chains of one instruction, enough to hide its latency.
#define TEN(instruction) \
    instruction "%%zmm0\n" instruction "%%zmm1\n" instruction "%%zmm2\n" instruction "%%zmm3\n" instruction "%%zmm4\n" \
    instruction "%%zmm5\n" instruction "%%zmm6\n" instruction "%%zmm7\n" instruction "%%zmm8\n" instruction "%%zmm9\n"
#define TEN_REGISTERS "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9"

static void __attribute__((target("avx512f,avx512vnni"))) vnni_peak(void *context, int thread, int threads) {
    for (long i = 0; i < peak_rounds / 10; i++)
        __asm__ volatile(TEN("vpdpbusd %%zmm30, %%zmm31, ") : : : TEN_REGISTERS);
}

// Registers hold whatever they hold: zeroed first, so that no operand is subnormal.
#define ZERO_REGISTERS                                                                                              \
    do {                                                                                                            \
        __asm__ volatile("vpxorq %%zmm30, %%zmm30, %%zmm30\n vpxorq %%zmm31, %%zmm31, %%zmm31" : : : "xmm30", "xmm31"); \
        __asm__ volatile(TEN("vpxorq %%zmm30, %%zmm30, ") : : : TEN_REGISTERS);                                     \
    } while (0)

static void __attribute__((target("avx512f"))) fma_peak(void *context, int thread, int threads) {
    ZERO_REGISTERS;
    for (long i = 0; i < peak_rounds / 10; i++)
        __asm__ volatile(TEN("vfmadd231ps %%zmm30, %%zmm31, ") : : : TEN_REGISTERS);
}

// The same and additions while a matrix unit multiplies: a product for each 40 of them.
#define BESIDE_TILES(name, instruction)                                                                             \
    static void __attribute__((target("avx512f,amx-tile,amx-int8"))) name(void *context, int thread, int threads) { \
        const tile_configuration config = whole_tiles();                                                            \
        __asm__ volatile("ldtilecfg %0" : : "m"(config));                                                           \
        ZERO_REGISTERS;                                                                                             \
        for (long i = 0; i < peak_rounds / 40; i++) {                                                               \
            __asm__ volatile("tdpbssd %%tmm5, %%tmm4, %%tmm0" : : : "memory");                                      \
            for (int j = 0; j < 4; j++) __asm__ volatile(TEN(instruction " %%zmm30, %%zmm31, ") : : : TEN_REGISTERS); \
        }                                                                                                           \
        __asm__ volatile("tilerelease");                                                                            \
    }
BESIDE_TILES(fma_beside_tiles, "vfmadd231ps")
BESIDE_TILES(additions_beside_tiles, "vaddps")
#endif

// MARK: Products

typedef struct {
    cpu_isa isa;
    cpu_matrix matrix;
    cpu_activations x;
    float *out;
    uint8_t *scratch;
} product;

static void multiply(void *context, int thread, int threads) {
    product *p = context;
    int64_t groups = (p->matrix.rows + CPU_GROUP_ROWS - 1) / CPU_GROUP_ROWS;
    int64_t begin = groups * thread / threads, end = groups * (thread + 1) / threads;
    cpu_matmul(
        p->isa, &p->matrix, &p->x, 0, p->x.rows, begin, end, p->out, p->matrix.rows, NULL,
        p->scratch + (size_t)thread * CPU_MATMUL_SCRATCH);
}

typedef struct {
    product *p;
    const void *blocks;
    void *packed;
} packing;

static void pack(void *context, int thread, int threads) {
    packing *k = context;
    int64_t groups = (k->p->matrix.rows + CPU_GROUP_ROWS - 1) / CPU_GROUP_ROWS;
    cpu_matrix_pack(
        k->p->isa, k->p->matrix.format, k->p->matrix.rows, k->p->matrix.columns, groups * thread / threads,
        groups * (thread + 1) / threads, k->blocks, k->packed);
}

typedef struct {
    const char *name;
    uint32_t id, block_length, block_bytes;
} kind;

// What this machine reaches at most, by number of threads.
typedef struct {
    double gbps[MAX_THREADS + 1], cache_gbps[MAX_THREADS + 1], vnni_gops[MAX_THREADS + 1], fma_gflops[MAX_THREADS + 1],
        tile_gops[MAX_THREADS + 1], fma_beside[MAX_THREADS + 1], additions_beside[MAX_THREADS + 1];
} ceilings;

static void bench(kind f, cpu_isa isa, const ceilings *c, const int *wanted, const uint8_t *pool, size_t pool_bytes, bool packed) {
    const cpu_matrix_format *format = cpu_matrix_format_for(f.id);
    uint8_t *scratch = allocate((size_t)most_threads * CPU_MATMUL_SCRATCH);
    packed = packed && cpu_matrix_repacks(format);
    for (int large = 1; large >= 0; large--) {
        int64_t columns = 2048, row_bytes = columns / f.block_length * f.block_bytes;
        int64_t rows = large ? (int64_t)(pool_bytes / (size_t)row_bytes) / 96 * 96 : 5632;
        if (!large && rows * row_bytes > (int64_t)pool_bytes) abort();
        product p = {.isa = isa, .matrix = {format, pool, rows, columns, false}, .scratch = scratch};
        packing k = {&p, pool, NULL};
        if (packed) {
            k.packed = allocate(cpu_matrix_packed_bytes(format, rows, columns));
            timed(pack, &k, most_threads);
            if (large) {
                double s = timed(pack, &k, most_threads);
                const char *line = json ? "{\"format\":\"%s\",\"repack_gbps\":%.2f}\n" : "%-8s repack, all threads: %5.2f GB/s\n";
                printf(line, f.name, (double)(rows * row_bytes) / s * 1e-9);
            }
            p.matrix.data = k.packed;
            p.matrix.packed = true;
        }
        for (const int *size = wanted; *size; size++) {
            int64_t m = *size;
            if ((m <= 16) != large) continue;
            cpu_activation_kind activations = cpu_matrix_activation_kind(isa, format);
            p.x = (cpu_activations){allocate(cpu_activation_bytes(activations, m, columns)), m, columns, activations};
            p.out = allocate((size_t)(m * rows) * 4);
            float *x = allocate((size_t)(m * columns) * 4);
            for (int64_t j = 0; j < m * columns; j++) x[j] = (float)(rand() % 2001 - 1000) / 500;
            double quantizing = now();
            cpu_activations_fill(isa, &p.x, 0, m, x, columns, NULL);
            quantizing = now() - quantizing;
            // One thread and all of them.
            for (int threads = 1; threads <= most_threads; threads += most_threads > 1 ? most_threads - 1 : 1) {
                timing t = measure(multiply, &p, threads);
                double bytes = (double)(rows * row_bytes), ops = 2.0 * (double)m * (double)rows * (double)columns;
                const bool integers = activations == CPU_ACTIVATIONS_Q8 || activations == CPU_ACTIVATIONS_Q8_SUPER;
                double peak = !integers                                  ? c->fma_gflops[threads]
                              : cpu_matmul_on_tiles(isa, &p.matrix, m) ? c->tile_gops[threads]
                                                                        : c->vnni_gops[threads];
                const char *line =
                    json ? "{\"format\":\"%s\",\"rows\":%d,\"threads\":%d%s,\"best_ms\":%.4f,\"median_ms\":%.4f,\"gbps\":%.3f,"
                           "\"median_gbps\":%.3f,\"read_percent\":%.1f,\"gops\":%.2f,\"median_gops\":%.2f,\"peak_percent\":%.1f}\n"
                         : "%-8s M=%-3d %d thread%s %9.3f / %9.3f ms  %6.2f / %6.2f GB/s (%3.0f %%)  %7.1f / %7.1f GOPS (%3.0f %%)\n";
                printf(
                    line, f.name, (int)m, threads, json ? "" : threads > 1 ? "s" : " ", t.best * 1e3, t.median * 1e3,
                    bytes / t.best * 1e-9, bytes / t.median * 1e-9, bytes / t.best * 1e-7 / c->gbps[threads],
                    ops / t.best * 1e-9, ops / t.median * 1e-9, peak > 0 ? ops / t.best * 1e-7 / peak : 0);
                fflush(stdout);
            }
            free(p.x.data);
            free(p.out);
            free(x);
        }
        free(k.packed);
    }
    free(scratch);
}

static ceilings measure_ceilings(const uint8_t *pool, size_t pool_bytes) {
    ceilings c = {0};
    buffer b = {pool, pool_bytes};
    for (int threads = 1; threads <= most_threads; threads = next_thread_count(threads)) {
        double cached = (double)CACHE_BYTES * CACHE_ROUNDS * threads;
        c.gbps[threads] = (double)pool_bytes / measure(read_all, &b, threads).best * 1e-9;
        c.cache_gbps[threads] = cached / measure(read_cache, &b, threads).best * 1e-9;
#if defined(__x86_64__)
        if (cpu_isa_supported(CPU_ISA_AVX512)) {
            c.cache_gbps[threads] = cached / measure(read_cache_512, &b, threads).best * 1e-9;
            c.fma_gflops[threads] = 32.0 * (double)peak_rounds * threads / measure(fma_peak, NULL, threads).best * 1e-9;
        }
        if (cpu_isa_supported(CPU_ISA_AVX512_VNNI))
            c.vnni_gops[threads] = 128.0 * (double)peak_rounds * threads / measure(vnni_peak, NULL, threads).best * 1e-9;
        if (cpu_isa_supported(CPU_ISA_AMX)) {
            const double vectors = 16.0 * (double)peak_rounds * threads * 1e-9;
            c.tile_gops[threads] =
                32768.0 * (double)(peak_rounds / 16 * 4) * threads / measure(tile_peak, NULL, threads).best * 1e-9;
            c.fma_beside[threads] = 2 * vectors / measure(fma_beside_tiles, NULL, threads).best;
            c.additions_beside[threads] = vectors / measure(additions_beside_tiles, NULL, threads).best;
        }
#endif
        const char *line =
            json ? "{\"threads\":%d%s,\"read_gbps\":%.2f,\"l2_gbps\":%.1f,\"vnni_gops\":%.1f,\"fma_gflops\":%.1f,"
                   "\"tile_gops\":%.1f,\"fma_beside_tiles_gflops\":%.1f,\"additions_beside_tiles_gops\":%.1f}\n"
                 : "%d thread%s: read %.1f GB/s, second-level cache %.0f GB/s, vpdpbusd %.0f GOPS, fma %.0f GFLOPS, "
                   "tdpbssd %.0f GOPS (beside it: fma %.0f GFLOPS, vaddps %.0f GOPS)\n";
        printf(
            line, threads, json ? "" : threads > 1 ? "s" : "", c.gbps[threads], c.cache_gbps[threads],
            c.vnni_gops[threads], c.fma_gflops[threads], c.tile_gops[threads], c.fma_beside[threads],
            c.additions_beside[threads]);
        fflush(stdout);
    }
    return c;
}

// Numbers of rows from a list like 1,16,512; zero ends them.
static void read_rows(const char *text, int rows[MAX_ROW_COUNTS]) {
    int count = 0;
    while (*text && count < MAX_ROW_COUNTS - 1) {
        char *end;
        long value = strtol(text, &end, 10);
        if (end == text || value < 1 || value > 4096) {
            fprintf(stderr, "KernelBench: --rows %s: numbers from 1 to 4096, separated by commas\n", text);
            exit(2);
        }
        rows[count++] = (int)value;
        text = *end ? end + 1 : end;
    }
    rows[count] = 0;
}

int main(int count, char **arguments) {
    static const char *const names[] = {"portable", "avx2", "avx-vnni", "avx512", "avx512-vnni", "avx512-vbmi", "amx"};
    cpu_isa isa = cpu_isa_best();
    const char *wanted = getenv("TGI_RUN_ISA");
    for (int i = 0; wanted && i < CPU_ISA_COUNT; i++)
        if (!strcmp(names[i], wanted) && cpu_isa_supported((cpu_isa)i)) isa = (cpu_isa)i;
    bool packed = !getenv("TGI_RUN_NO_REPACK");
    most_threads = available_processors();

    int rows[MAX_ROW_COUNTS] = {1, 2, 4, 8, 16, 64, 512};
    int chosen_count = 0;
    const char *chosen[64];
    for (int a = 1; a < count; a++) {
        if (!strcmp(arguments[a], "--json")) {
            json = true;
        } else if (!strcmp(arguments[a], "--rows") && a + 1 < count) {
            read_rows(arguments[++a], rows);
        } else if (chosen_count < 64) {
            chosen[chosen_count++] = arguments[a];
        }
    }
    if (!json) printf("kernels: %s%s\n", names[isa], packed ? "" : ", GGUF blocks");

    // Bytes that are no NaN and no subnormal scale in any format: nothing else about values matters to speed.
    const size_t pool_bytes = (size_t)(getenv("POOL_MB") ? atoi(getenv("POOL_MB")) : 600) << 20;
    uint8_t *pool = allocate(pool_bytes);
    for (size_t i = 0; i < pool_bytes; i++) pool[i] = (uint8_t)((i * 7 & 0x1f) | 0x60);
    ceilings c = measure_ceilings(pool, pool_bytes);
#define KIND(name, label, id, length, bytes, group, has_min) {label, id, length, bytes},
    static const kind kinds[] = {{"F32", 0, 1, 4}, {"F16", 1, 1, 2}, {"BF16", 30, 1, 2}, FORMAT_LIST(KIND)};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool is_chosen = chosen_count == 0;
        for (int a = 0; a < chosen_count; a++) is_chosen |= !strcasecmp(chosen[a], kinds[i].name);
        if (is_chosen) bench(kinds[i], isa, &c, rows, pool, pool_bytes, packed);
    }
    return 0;
}

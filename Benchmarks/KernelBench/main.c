// Speed of the matrix kernels beside this machine's ceilings, taken in the same run.
//
//     KernelBench [format name ...]        environment: TGI_RUN_ISA=portable|avx2|avx-vnni|avx512|avx512-vnni
//
// For each format, rows of x (M) and threads: best and median time of a product with a weight matrix far larger than
// the caches (M <= 16) or of one layer's shape (M >= 64); GB/s counts the bytes of the weights in the file, GOPS a
// multiplication and an addition per weight and row.
#define _GNU_SOURCE
#include "ccpu_matmul.h"
#include "formats.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <time.h>

enum { MAX_THREADS = 2, SAMPLES = 7 };

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

static const long peak_rounds = 20000000;

#if defined(__x86_64__)
static void __attribute__((target("avx512f,avx512vnni"))) vnni_peak(void *context, int thread, int threads) {
    for (long i = 0; i < peak_rounds / 10; i++)
        __asm__ volatile(
            "vpdpbusd %%zmm30, %%zmm31, %%zmm0\n vpdpbusd %%zmm30, %%zmm31, %%zmm1\n vpdpbusd %%zmm30, %%zmm31, %%zmm2\n"
            "vpdpbusd %%zmm30, %%zmm31, %%zmm3\n vpdpbusd %%zmm30, %%zmm31, %%zmm4\n vpdpbusd %%zmm30, %%zmm31, %%zmm5\n"
            "vpdpbusd %%zmm30, %%zmm31, %%zmm6\n vpdpbusd %%zmm30, %%zmm31, %%zmm7\n vpdpbusd %%zmm30, %%zmm31, %%zmm8\n"
            "vpdpbusd %%zmm30, %%zmm31, %%zmm9\n"
            :
            :
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9");
}
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

static void bench(kind f, cpu_isa isa, double gbps[], double peak[], const uint8_t *pool, size_t pool_bytes, bool packed) {
    const cpu_matrix_format *format = cpu_matrix_format_for(f.id);
    static const int64_t sizes[] = {1, 2, 4, 8, 16, 64, 512};
    uint8_t *scratch = allocate(MAX_THREADS * CPU_MATMUL_SCRATCH);
    packed = packed && cpu_matrix_repacks(format);
    for (int large = 1; large >= 0; large--) {
        int64_t columns = 2048, row_bytes = columns / f.block_length * f.block_bytes;
        int64_t rows = large ? (int64_t)(pool_bytes / (size_t)row_bytes) / 96 * 96 : 5632;
        if (!large && rows * row_bytes > (int64_t)pool_bytes) abort();
        product p = {.isa = isa, .matrix = {format, pool, rows, columns, false}, .scratch = scratch};
        packing k = {&p, pool, NULL};
        if (packed) {
            k.packed = allocate(cpu_matrix_packed_bytes(format, rows, columns));
            timed(pack, &k, 2);
            if (large) {
                double s = timed(pack, &k, 2);
                printf("%-8s repack, 2 threads: %5.2f GB/s\n", f.name, (double)(rows * row_bytes) / s * 1e-9);
            }
            p.matrix.data = k.packed;
            p.matrix.packed = true;
        }
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            int64_t m = sizes[i];
            if ((m <= 16) != large) continue;
            cpu_activation_kind activations = cpu_matrix_activation_kind(format);
            p.x = (cpu_activations){allocate(cpu_activation_bytes(activations, m, columns)), m, columns, activations};
            p.out = allocate((size_t)(m * rows) * 4);
            float *x = allocate((size_t)(m * columns) * 4);
            for (int64_t j = 0; j < m * columns; j++) x[j] = (float)(rand() % 2001 - 1000) / 500;
            double quantizing = now();
            cpu_activations_fill(isa, &p.x, 0, m, x, columns, NULL);
            quantizing = now() - quantizing;
            for (int threads = 1; threads <= MAX_THREADS; threads++) {
                timing t = measure(multiply, &p, threads);
                double bytes = (double)(rows * row_bytes), ops = 2.0 * (double)m * (double)rows * (double)columns;
                printf(
                    "%-8s M=%-3d %d thread%s %9.3f / %9.3f ms  %6.2f / %6.2f GB/s (%3.0f %%)  %7.1f / %7.1f GOPS (%3.0f %%)\n",
                    f.name, (int)m, threads, threads > 1 ? "s" : " ", t.best * 1e3, t.median * 1e3, bytes / t.best * 1e-9,
                    bytes / t.median * 1e-9, bytes / t.best * 1e-7 / gbps[threads], ops / t.best * 1e-9,
                    ops / t.median * 1e-9, ops / t.best * 1e-7 / peak[threads]);
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

int main(int count, char **arguments) {
    static const char *const names[] = {"portable", "avx2", "avx-vnni", "avx512", "avx512-vnni"};
    cpu_isa isa = cpu_isa_best();
    const char *wanted = getenv("TGI_RUN_ISA");
    for (int i = 0; wanted && i < CPU_ISA_COUNT; i++)
        if (!strcmp(names[i], wanted) && cpu_isa_supported((cpu_isa)i)) isa = (cpu_isa)i;
    bool packed = !getenv("TGI_RUN_NO_REPACK");
    printf("kernels: %s%s\n", names[isa], packed ? "" : ", GGUF blocks");

    // Bytes that are no NaN and no subnormal scale in any format: nothing else about values matters to speed.
    const size_t pool_bytes = (size_t)(getenv("POOL_MB") ? atoi(getenv("POOL_MB")) : 600) << 20;
    uint8_t *pool = allocate(pool_bytes);
    for (size_t i = 0; i < pool_bytes; i++) pool[i] = (uint8_t)((i * 7 & 0x1f) | 0x60);
    double gbps[MAX_THREADS + 1], peak[MAX_THREADS + 1];
    for (int threads = 1; threads <= MAX_THREADS; threads++) {
        buffer b = {pool, pool_bytes};
        gbps[threads] = (double)pool_bytes / measure(read_all, &b, threads).best * 1e-9;
        peak[threads] = 0;
#if defined(__x86_64__)
        if (cpu_isa_supported(CPU_ISA_AVX512_VNNI))
            peak[threads] = 128.0 * (double)peak_rounds * threads / measure(vnni_peak, NULL, threads).best * 1e-9;
#endif
        printf("%d thread%s: read %.1f GB/s, vpdpbusd %.0f GOPS\n", threads, threads > 1 ? "s" : "", gbps[threads], peak[threads]);
    }
#define KIND(name, label, id, length, bytes, group, has_min) {label, id, length, bytes},
    static const kind kinds[] = {{"F32", 0, 1, 4}, {"F16", 1, 1, 2}, {"BF16", 30, 1, 2}, FORMAT_LIST(KIND)};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool chosen = count == 1;
        for (int a = 1; a < count; a++) chosen |= !strcasecmp(arguments[a], kinds[i].name);
        if (chosen) bench(kinds[i], isa, gbps, peak, pool, pool_bytes, packed);
    }
    return 0;
}

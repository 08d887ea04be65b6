// What the driver, the packers and the kernels of every instruction set share.
#pragma once
#include "ccpu_matmul.h"
#include "formats/super_blocks.h"

// Values of cpu_isa for the preprocessor.
#define ISA_PORTABLE 0
#define ISA_AVX2 1
#define ISA_AVX_VNNI 2
#define ISA_AVX512 3
#define ISA_AVX512_VNNI 4
#define ISA_AVX512_VBMI 5

// Prepared x, 8-bit: tiles of 4 rows, then at most one of 1, 2 or 4. A tile of width C is a record of 64 C bytes per
// block of 32 columns: dwords v = 0..7 (columns 4 v ..< 4 v + 4) of each row, then C values of each of these fields.
//
// Formats with blocks of 256 columns have one scale of x per 256, the same in the records of its eight blocks, and keep
// sums as integers.
enum {
    BLOCK = 32,
    SUPER = 256,
    SUPER_BLOCKS = SUPER / BLOCK,
    TILE_CODES = 0,       // int8 [8][C][4]
    TILE_SCALE = 32,      // float: d, the code's step
    TILE_INIT = 36,       // int32: -128 * sum of codes
    TILE_INIT_LOW = 40,   // int32: the same of columns 0 ..< 16
    TILE_INIT_HIGH = 44,  // int32: and 16 ..< 32
    TILE_SUM = 48,        // float: d * sum of codes
    TILE_SUM_LOW = 52,
    TILE_SUM_HIGH = 56,
    TILE_PAIR_16 = 48,    // in place of float sums: int16 [2], sums of codes of columns 0 ..< 16 and 16 ..< 32
    TILE_PAIR_32 = 52,    // int16 [2]: of an even block and of the next one, in the record of both
    TILE_INIT_SUPER = 56,  // int32: -128 * sum of codes of all 256 columns
    TILE_BYTES = 64,
};

// The width of the tile that starts at a row.
static inline int tile_width(int64_t rows, int64_t first) {
    int64_t left = rows - first;
    return left >= 3 ? 4 : (int)left;
}

// The same for a matrix unit, arranged anew from the tiles above: codes of 16 rows and 256 columns, and the rest
// elsewhere, so that codes of any rows and columns lie at the same place of a page.
enum {
    WIDE_ROWS = 16,
    WIDE_BYTES = 4096,  // int8 [4][16][64], or [8][16][32] where blocks are smaller
    WIDE_SCALE = 0,     // of the rest: float [16]; where blocks are smaller, scales and sums of eight: float [8][2][16]
    WIDE_SUMS = 64,     // what the kind of panel (wide_kind) takes of sums of codes
    SMALL_REST = 128,   // bytes of the rest of one smaller block
    // Smaller blocks are taken four at a time: codes of 16 rows of x, and of 16 outputs.
    UNIT_BLOCKS = 4,
    UNIT_BYTES = UNIT_BLOCKS * WIDE_ROWS * BLOCK,
};
// Blocks up to a whole unit, which are zeros.
static inline int64_t missing_blocks(int64_t blocks) { return -blocks & (UNIT_BLOCKS - 1); }

// Unpacked weights of one row group and block: 8 vectors of codes (as dwords v of 16 rows), then f32 scales of 16
// rows, two vectors where a group is 16 columns, then as many mins in formats with mins. In formats without mins codes
// are offset by 128, for dot_u8.
static inline size_t panel_bytes(int group, int has_min) {
    return 512 + (size_t)64 * (size_t)(BLOCK / group) * (size_t)(1 + has_min);
}

// Unpacked weights of one row group and 256 columns, in formats of such blocks: 64 vectors of codes, scales of 16 rows
// for each group of columns (f32 in formats with a run, otherwise int32), then what super_tail_bytes counts: f32 scales
// of 16 rows and, in formats with mins, f32 scales of mins and mins as int16 pairs of neighbouring groups. Where products
// of scale and code fit in a byte they take the place of codes and scales.
static inline size_t super_tail_bytes(int group, int has_min) {
    return has_min ? (size_t)64 * (size_t)(2 + SUPER / group / 2) : 64;
}
static inline size_t super_tail(int group, int products) {
    return 64 * 64 + (products ? 0 : (size_t)64 * (size_t)(SUPER / group));
}
static inline size_t super_panel_bytes(int group, int has_min, int products) {
    return super_tail(group, products) + super_tail_bytes(group, has_min);
}
// The same for a matrix unit.
typedef enum {
    // Smaller blocks: codes of eight, and of each f32 scales of 16 rows, then mins in formats with mins.
    WIDE_SMALL,
    WIDE_SMALL_MIN,
    // Blocks of 256 columns: products p of scale and code; what else comes before d depends on the format. p >> 7, then
    // p & 127.
    SUPER_SPLIT,
    // The same. Sums of x are int16 [16][4][2], by pairs of groups of 32 columns.
    SUPER_SPLIT_MIN,
    // p, which fits in a byte.
    SUPER_PRODUCTS,
    // p and 64 bytes per row: mins m of 16 groups, 8 m, 8 m, 0. Sums of x are int8 [16][64]: l, h, g, 0, where
    // l + 8 (h + g) is the sum of a group.
    SUPER_PRODUCTS_MIN,
    // Of code - shift, where shift is 1 or -1 in each run of 8 columns, and 64 bytes per row: t = s * shift of 32 runs and
    // 8 t. Sums of x are int8 [16][64]: l and h, where l + 8 h is the sum of a run.
    SUPER_SHIFTED,
    WIDE_KINDS,
} wide_kind;

static inline bool wide_is_small(wide_kind kind) { return kind <= WIDE_SMALL_MIN; }
static inline bool super_is_split(wide_kind kind) { return kind == SUPER_SPLIT || kind == SUPER_SPLIT_MIN; }
static inline bool super_has_factors(wide_kind kind) { return kind == SUPER_PRODUCTS_MIN || kind == SUPER_SHIFTED; }
// Bytes of codes of 16 outputs and 256 columns, and of the rest: factors and, from the tail on, scales.
static inline size_t wide_panel_bytes(wide_kind kind) { return super_is_split(kind) ? 8192 : 4096; }
static inline size_t wide_tail(wide_kind kind) { return super_has_factors(kind) ? 1024 : 0; }
static inline size_t small_panel_rest(bool has_min) { return (size_t)64 * (size_t)(1 + has_min); }
static inline size_t wide_panel_rest(wide_kind kind) {
    if (wide_is_small(kind)) return SUPER_BLOCKS * small_panel_rest(kind == WIDE_SMALL_MIN);
    return wide_tail(kind) + 64 * (kind == SUPER_SPLIT_MIN ? 6 : kind == SUPER_PRODUCTS_MIN ? 2 : 1);
}
// Bytes of the rest of 16 rows of x and 256 columns.
static inline size_t wide_rest_bytes(wide_kind kind) {
    if (wide_is_small(kind)) return SUPER_BLOCKS * SMALL_REST;
    return WIDE_SUMS + (super_has_factors(kind) ? 1024 : kind == SUPER_SPLIT_MIN ? 256 : 0);
}

// Formats with smaller blocks.
#define SMALL_FORMAT_LIST(X) \
    X(q4_0) X(q4_1) X(q5_0) X(q5_1) X(q8_0) X(iq4_nl) X(mxfp4) X(nvfp4) X(q1_0) X(q2_0)

// X(name, whether products of scale and code fit in a byte, the sign with which they do, run, kind of panel for a matrix
// unit): formats with blocks of 256. Run: of how many blocks of 32 columns sums of scaled dot products are below 2^24,
// exact as floats, which are multiplied and added in one instruction; 0 where integers are used.
#define SUPER_FORMAT_LIST(X)                \
    X(q2_k, 1, 1, 0, SUPER_PRODUCTS_MIN)    \
    X(q3_k, 1, -1, 0, SUPER_PRODUCTS)       \
    X(q4_k, 0, 1, 4, SUPER_SPLIT_MIN)       \
    X(q5_k, 0, 1, 2, SUPER_SPLIT_MIN)       \
    X(q6_k, 0, 1, 1, SUPER_SPLIT)           \
    X(iq4_xs, 0, 1, 0, SUPER_SPLIT)         \
    X(iq1_s, 0, 1, 8, SUPER_SHIFTED)        \
    X(iq1_m, 0, 1, 8, SUPER_SHIFTED)        \
    X(iq2_xxs, 0, 1, 2, SUPER_SPLIT)        \
    X(iq2_xs, 0, 1, 2, SUPER_SPLIT)         \
    X(iq2_s, 0, 1, 2, SUPER_SPLIT)          \
    X(iq3_xxs, 0, 1, 2, SUPER_SPLIT)        \
    X(iq3_s, 0, 1, 8, SUPER_SPLIT)          \
    X(tq1_0, 1, 1, 0, SUPER_PRODUCTS)       \
    X(tq2_0, 1, 1, 0, SUPER_PRODUCTS)
#define SUPER_FACTS(name, products, sign, run, kind) \
    PRODUCTS_##name = products, SIGN_##name = sign, RUN_##name = run, KIND_##name = kind,
enum { SUPER_FORMAT_LIST(SUPER_FACTS) };
#undef SUPER_FACTS

// Row groups and outputs of which sums are kept aside at once, at most.
enum { CHUNK_GROUPS = 4, CHUNK = CHUNK_GROUPS * CPU_GROUP_ROWS };

enum {
    PANEL_GROUPS = 3,    // row groups unpacked at once: what the largest micro-kernel takes
    PANEL_BYTES = 30 << 10,  // of panels unpacked at once, at most: they stay in the L1 cache
    PANEL_BLOCKS = 16,       // columns / 32 unpacked at once, at most
    FEW_ROWS = 32,           // up to here panels are smaller: what is fetched meanwhile stays in the L1 cache too
    FEW_BLOCKS = 8,
    FLOAT_COLUMNS = 128, // columns of float formats unpacked at once: four row groups stay in the L1 cache
    ROWS_AT_ONCE = 256,  // rows of x per pass over the weights, at most
    PASS_BYTES = 640 << 10,  // of prepared x per pass, about: they are read from the L2 cache for each panel
    WIDE_FROM_ROWS = 17,     // from here on a matrix unit is used where there is one: it always takes WIDE_ROWS
    WIDE_SMALL_FROM_ROWS = 29,  // in formats with blocks of fewer than 256 columns
    FEW_FROM_ROWS = 5,       // from here to WIDE_ROWS weights are unpacked while they are multiplied;
    FEW_SMALL_FROM_ROWS = 9,  // from here in formats with blocks of fewer than 256 columns
    WIDE_PANEL = 16 << 10,    // bytes of codes of row groups of which 256 columns are unpacked at once
    WIDE_PANEL_REST = 8 << 10,  // room for the rest of them
    WIDE_DOTS = 40 << 10,       // and for sums that leave tile registers
    WIDE_PASS_ROWS = 512,
    WIDE_SMALL_PASS_ROWS = 256,    // of smaller blocks, of which more has to stay in the second-level cache
    WIDE_PASS_BYTES = 1344 << 10,  // 512 rows of 2048 columns
    STREAM_GROUPS = 4,  // row groups of repacked weights that are streamed side by side
    DIRECT_ROWS = 4,    // up to here products are computed while streaming repacked weights
};

// Columns / 32 of a format's panel: as many as whole blocks of 256 columns allow.
static inline int64_t blocks_at_once(int group, int has_min) {
    return PANEL_GROUPS * PANEL_BLOCKS * panel_bytes(group, has_min) <= PANEL_BYTES ? PANEL_BLOCKS : PANEL_BLOCKS / 2;
}

// Kernels of one integer format.
typedef struct {
    // Repacks one row group from `valid` rows of blocks, `row_bytes` apart. NULL where there is no repacked layout.
    void (*pack)(const uint8_t *rows, size_t row_bytes, int valid, int64_t blocks, uint8_t *group);
    // Products of `groups` repacked row groups with a tile of width 1, 2 or 4.
    void (*direct)(
        const uint8_t *group, size_t group_bytes, int64_t groups, int64_t blocks, const uint8_t *tile, int width,
        float *out, int64_t stride);
    // The same of row groups of sixteen whole rows of blocks, `row_bytes` apart. NULL where panels are as fast.
    void (*direct_rows)(
        const uint8_t *rows, size_t row_bytes, int64_t groups, int64_t blocks, const uint8_t *tile, int width, float *out,
        int64_t stride);
    // Unpacks blocks of one row group into a panel.
    void (*unpack_packed)(
        const uint8_t *group, int64_t block_begin, int64_t block_end, uint8_t zero, uint8_t *panel);
    void (*unpack_blocks)(
        const uint8_t *rows, size_t row_bytes, int valid, int64_t block_begin, int64_t block_end, uint8_t zero,
        uint8_t *panel);
    // The same for a matrix unit: 256 columns, or what is left of them in smaller blocks. Those before UNIT_BLOCKS * n that
    // are missing are zeros.
    void (*unpack_packed_wide)(
        const uint8_t *group, int64_t block_begin, int64_t block_end, uint8_t *codes, uint8_t *rest);
    void (*unpack_blocks_wide)(
        const uint8_t *rows, size_t row_bytes, int valid, int64_t block_begin, int64_t block_end, uint8_t *codes,
        uint8_t *rest);
} integer_kernels;

// Kernels of one float format.
typedef struct {
    void (*pack)(const uint8_t *rows, size_t row_bytes, int valid, int64_t columns, uint8_t *group);
    // Adds products of `count` columns of `groups` repacked row groups, `group_bytes` apart, to out (or starts there).
    void (*multiply)(
        const uint8_t *group, size_t group_bytes, int64_t groups, int64_t count, const float *tile, int width,
        float *out, int64_t stride, bool start);
    // Columns of one row group as a repacked F32 group.
    void (*unpack_packed)(const uint8_t *group, int64_t k_begin, int64_t k_end, uint8_t *panel);
    void (*unpack_blocks)(
        const uint8_t *rows, size_t row_bytes, int valid, int64_t k_begin, int64_t k_end, uint8_t *panel);
} float_kernels;

// Memory to fetch while computing: `lines` cache lines of each row group per block, row groups `stride` bytes apart.
typedef struct {
    const uint8_t *base;
    size_t stride;
    int lines;
} fetch;

// 256 columns of some tiles of x, and of some row groups' weights.
typedef struct {
    const uint8_t *codes, *rest;
    size_t codes_stride, rest_stride;
} wide_x;
typedef wide_x wide_panel;

// Where sums lie between 256 columns and the next ones, and results in the end.
typedef struct {
    uint8_t *dots;     // WIDE_DOTS bytes for sums that leave tile registers
    float *aside;      // room for WIDE_PASS_ROWS rows of CHUNK outputs, in an order of the kernel's own
    float *home;       // rows `stride` apart
    int64_t stride;
    int64_t direct;    // the first rows, whose sums the kernel itself takes from home and brings there
    bool take, bring;  // whether it does so before and after these columns
    int64_t before, all;  // stretches of 256 columns: before this one, and of a row
} places;

// Adds products of `groups` <= PANEL_GROUPS panels, `panel_stride` bytes apart, with a tile to out (or starts there).
typedef void panel_kernel(
    const uint8_t *panel, size_t panel_stride, int groups, int64_t blocks, const uint8_t *tile, int width, float *out,
    int64_t stride, bool start, fetch ahead);

// Kernels of a matrix unit: products of tiles of WIDE_ROWS rows of x.
typedef struct {
    // Prepares this thread's tile registers, and lets go of them.
    void (*begin)(wide_kind kind);
    void (*end)(void);
    // Keeps the unit awake, which otherwise takes a quarter of a microsecond to start again.
    void (*keep_awake)(void);
    // `blocks` blocks of 32 columns of 16 rows of x arranged anew: WIDE_ROWS / CPU_TILE_ROWS tiles, of which those of width
    // 0 are left out.
    void (*arrange)(
        const uint8_t *const *tiles, const int *widths, wide_kind kind, int64_t blocks, uint8_t *codes, uint8_t *rest);
    // Products of `blocks` blocks of 32 columns, up to 256, of `tiles` tiles; `ahead` counts all lines of a row group.
    void (*multiply[WIDE_KINDS])(
        wide_panel panel, int groups, wide_x x, int64_t tiles, int64_t blocks, places to, fetch ahead);
    // Rows `begin ..< end` of sums from home, and back.
    void (*take_sums)(
        wide_kind kind, float *aside, float *home, int64_t stride, int64_t begin, int64_t end, int64_t columns);
    void (*bring_sums)(
        wide_kind kind, float *aside, float *home, int64_t stride, int64_t begin, int64_t end, int64_t columns);
} wide_kernels;

// x as sums of three bf16 numbers, for a matrix unit: records of 16 rows, the last one of those that are left. Per block
// of 32 columns a record has the first, second and third numbers of its rows: bf16 [3][rows][32]. Columns that x lacks
// are zeros.
enum {
    SPLIT_ROWS = 16,
    SPLIT_PIECES = 3,
    SPLIT_BYTES = SPLIT_PIECES * BLOCK * 2,  // per row and block
    SPLIT_WEIGHT_BYTES = BLOCK * CPU_GROUP_ROWS * 2,  // of one row group and block, as one bf16 number each
    SPLIT_PASS_ROWS = 256,                            // rows of x per pass over the weights, at most
    SPLIT_PASS_BYTES = 768 << 10,                     // of x per pass: they are read from the L2 cache for each panel
};

// Kernels of a matrix unit that multiplies bf16: products of SPLIT_ROWS rows of x, or fewer, in F16 and BF16. Weights
// are a panel of one bf16 number each or, where `low`, of two that sum up to them, per block of 32 columns:
// bf16 [1 + low][16 pairs of columns][16 outputs][2].
typedef struct {
    // Prepares this thread's tile registers for as many rows of x, and lets go of them.
    void (*begin)(int rows);
    void (*end)(void);
    // The numbers of a row of x. Those of one column are `piece` bytes apart, blocks SPLIT_PIECES times that.
    void (*fill)(const float *x, int64_t columns, uint8_t *out, size_t piece);
    // Repacks one row group from `valid` rows, `row_bytes` apart. BF16 becomes a panel, F16 one row per column.
    void (*pack[3])(const uint8_t *rows, size_t row_bytes, int valid, int64_t columns, uint8_t *group);
    // A panel from repacked F16.
    void (*expand)(const uint8_t *group, int64_t blocks, uint8_t *panel);
    // Adds products of two records of 16 rows, `record` bytes apart, with two panels, `panel_stride` bytes apart, to out
    // (or starts there).
    void (*square[2])(  // [low]
        const uint8_t *x, size_t record, const uint8_t *panel, size_t panel_stride, int64_t blocks, float *out,
        int64_t stride, bool start, fetch ahead);
    // The same for one record of `rows` and up to STREAM_GROUPS panels.
    void (*flat[2])(
        const uint8_t *x, int rows, const uint8_t *panel, size_t panel_stride, int groups, int64_t blocks, float *out,
        int64_t stride, bool start, fetch ahead);
    // The same for one record and repacked F16: weights that only one record meets.
    void (*stream)(
        const uint8_t *x, int rows, const uint8_t *group, size_t group_bytes, int groups, int64_t blocks, float *out,
        int64_t stride, bool start);
} split_kernels;

#define FLOAT_FORMAT_LIST(X) X(f32, "F32", 0, 4) X(f16, "F16", 1, 2) X(bf16, "BF16", 30, 2)

#define INDEX(name, ...) INDEX_##name,
enum { FORMAT_LIST(INDEX) INTEGER_COUNT };
enum { FLOAT_FORMAT_LIST(INDEX) FLOAT_COUNT };
#undef INDEX

#define FACTS(name, label, id, length, bytes, group, has_min) \
    GROUP_##name = group, HAS_MIN_##name = has_min, LENGTH_##name = length,
enum { FORMAT_LIST(FACTS) };
#undef FACTS

// Kernels of a matrix unit for so few rows of x that weights are unpacked while they are multiplied.
typedef struct {
    // Prepares this thread's tile registers for as many rows of x, and lets go of them.
    void (*begin)(bool super, int rows);
    void (*end)(void);
    // Adds products of `blocks` blocks of `groups` repacked row groups with up to WIDE_ROWS rows of x, arranged as for
    // wide_kernels, to out, or starts there; a block is 256 columns, or UNIT_BLOCKS times 32. Formats without such a kernel
    // have NULL.
    void (*multiply[INTEGER_COUNT])(
        const uint8_t *group, size_t group_bytes, int64_t groups, int64_t blocks, wide_x x, int rows,
        float *out, int64_t stride, bool start);
} few_kernels;

typedef struct {
    integer_kernels integers[INTEGER_COUNT];
    float_kernels floats[FLOAT_COUNT];
    panel_kernel *panels[2][2];  // [group is 16][has mins]
    panel_kernel *super_products[2];  // [has mins]: formats with blocks of 256, products in bytes
    panel_kernel *super_panels[2][2];  // [group is 16][has mins]: codes with scales
    panel_kernel *super_integers;      // and without a run
    const wide_kernels *wide;    // NULL where there is no matrix unit
    const split_kernels *split;
    const few_kernels *few;
    // One tile of prepared rows from `count` rows of x.
    void (*fill_q8)(const float *const *rows, int count, int width, int64_t blocks, uint8_t *tile);
    void (*fill_q8_super)(const float *const *rows, int count, int width, int64_t blocks, uint8_t *tile);
} kernel_set;

// NULL where this binary has none.
extern const kernel_set *const kernel_sets[CPU_ISA_COUNT];

struct cpu_matrix_format {
    uint32_t id;
    cpu_activation_kind activations;
    int index;  // among integer or float kernels
    int block_length, block_bytes;
    int group, has_min;  // integer formats
    int products, run;   // formats with blocks of 256: see SUPER_FORMAT_LIST
    wide_kind kind;
};

size_t cpu_matrix_row_bytes(const cpu_matrix_format *format, int64_t columns);
size_t cpu_matrix_group_bytes(const cpu_matrix_format *format, int64_t columns);
extern void (*const cpu_unpack[INTEGER_COUNT])(const void *block, int8_t *codes, float *scales, float *mins);

// A block of 256 by its integers: w = d * (s * code) - dmin * m.
typedef struct {
    int8_t codes[SUPER];
    int32_t s[16], m[16];  // by group
    float d, dmin;
} super_block;
// NULL for formats with other blocks.
extern void (*const cpu_read_super[INTEGER_COUNT])(const void *block, super_block *out);

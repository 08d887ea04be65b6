// The same as rows.h for formats with blocks of 256 columns: a record of the repacked layout from blocks of sixteen whole rows.
#pragma once
#include "rows.h"

// X(name, blocks of 32 columns that share bytes): formats with NAME_codes, columns of such blocks from the `part`th on as 8 vectors each
// of unsigned codes, and NAME_put_row_scales.
#define SUPER_ROWS_LIST(X) X(q4_k, 2) X(q5_k, 2) X(q6_k, 4)
#define CODE_OFFSET(name, record_blocks, code_offset) OFFSET_##name = code_offset,
enum { SUPER_LIST(CODE_OFFSET) };
#undef CODE_OFFSET
#define OTHER_SUPER_LIST(X) X(q2_k) X(q3_k) X(iq4_xs) X(tq1_0) X(tq2_0)

// From dwords of 16 rows: byte i of each row, for i = 0, 1, 2, 3.
INLINE u8x64 bytes_apart(u8x64 v) {
    return __builtin_shufflevector(
        v, v, 0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 1, 5, 9, 13, 17, 21, 25, 29, 33, 37, 41, 45, 49,
        53, 57, 61, 2, 6, 10, 14, 18, 22, 26, 30, 34, 38, 42, 46, 50, 54, 58, 62, 3, 7, 11, 15, 19, 23, 27, 31, 35, 39, 43,
        47, 51, 55, 59, 63);
}
// The same of their halves.
INLINE u16x32 halves_apart(u8x64 v) {
    const u16x32 h = (u16x32)v;
    return __builtin_shufflevector(
        h, h, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27,
        29, 31);
}

INLINE void transpose_32(const uint8_t *rows, size_t row_bytes, u8x64 *out) {
    transpose(rows, row_bytes, out);
    transpose(rows + 16, row_bytes, out + 4);
}

INLINE void q4_k_codes(const uint8_t *rows, size_t row_bytes, int part, u8x64 *vectors) {
    u8x64 bytes[8];
    transpose_32(rows + __builtin_offsetof(block_q4_k, qs) + 32 * part, row_bytes, bytes);
    UNROLL for (int v = 0; v < 8; v++) vectors[v] = bytes[v] & 15, vectors[8 + v] = bytes[v] >> 4;
}

INLINE void q5_k_codes(const uint8_t *rows, size_t row_bytes, int part, u8x64 *vectors) {
    u8x64 bytes[8], fifth[8];
    transpose_32(rows + __builtin_offsetof(block_q5_k, qs) + 32 * part, row_bytes, bytes);
    transpose_32(rows + __builtin_offsetof(block_q5_k, qh), row_bytes, fifth);
    UNROLL for (int v = 0; v < 8; v++) {
        const u8x64 bits = fifth[v] >> (uint8_t)(2 * part);
        vectors[v] = (bytes[v] & 15) | (bits & 1) << 4;
        vectors[8 + v] = bytes[v] >> 4 | (bits & 2) << 3;
    }
}

INLINE void q6_k_codes(const uint8_t *rows, size_t row_bytes, int part, u8x64 *vectors) {
    u8x64 low[2][8], high[8];
    UNROLL for (int i = 0; i < 2; i++)
        transpose_32(rows + __builtin_offsetof(block_q6_k, ql) + 64 * part + 32 * i, row_bytes, low[i]);
    transpose_32(rows + __builtin_offsetof(block_q6_k, qh) + 32 * part, row_bytes, high);
    UNROLL for (int j = 0; j < 4; j++) UNROLL for (int v = 0; v < 8; v++)
        vectors[8 * j + v] = (low[j % 2][v] >> (uint8_t)(4 * (j / 2)) & 15) | (high[v] >> (uint8_t)(2 * j) & 3) << 4;
}

// A block begins with d, dmin and twelve bytes of scales and mins (k_group_scale).
#define PUT_K_SCALES(name)                                                                                       \
    INLINE void name##_put_row_scales(packed_##name *p, const uint8_t *rows, size_t row_bytes) {                 \
        u8x64 head[4];                                                                                           \
        transpose(rows, row_bytes, head);                                                                        \
        const u8x64 scales = (head[3] & 15) | (head[1] >> 6) << 4, mins = head[3] >> 4 | (head[2] >> 6) << 4;    \
        *(u16x32 *)p->d = halves_apart(head[0]);                                                                 \
        *(u8x64 *)p->s[0] = bytes_apart(head[1] & 63);                                                           \
        *(u8x64 *)p->s[4] = bytes_apart(scales);                                                                 \
        *(u16x32 *)p->m[0] = halves_apart(head[2] & 63);                                                         \
        *(u16x32 *)p->m[2] = halves_apart(mins);                                                                 \
    }                                                                                                            \
    _Static_assert(                                                                                              \
        __builtin_offsetof(packed_##name, s) % 64 == 0 && __builtin_offsetof(packed_##name, m) % 64 == 0 &&      \
            __builtin_offsetof(packed_##name, d) % 64 == 0 &&                                                    \
            __builtin_offsetof(packed_##name, dmin) == __builtin_offsetof(packed_##name, d) + 32,                \
        #name " scales");
PUT_K_SCALES(q4_k)
PUT_K_SCALES(q5_k)

INLINE void q6_k_put_row_scales(packed_q6_k *p, const uint8_t *rows, size_t row_bytes) {
    UNROLL for (int r = 0; r < CPU_GROUP_ROWS; r++)
        p->d[r] = apart(((const block_q6_k *)(rows + (size_t)r * row_bytes))->d);
    u8x64 scales[4];
    transpose(rows + __builtin_offsetof(block_q6_k, scales), row_bytes, scales);
    UNROLL for (int i = 0; i < 4; i++) *(u8x64 *)p->s[4 * i] = bytes_apart(scales[i]);
}
_Static_assert(__builtin_offsetof(packed_q6_k, s) % 64 == 0, "q6_k scales");

#define PACK_SUPER_ROWS(name, shared)                                                                                \
    INLINE void name##_put_rows(packed_##name *p, const uint8_t *rows, size_t row_bytes) {                           \
        name##_put_row_scales(p, rows, row_bytes);                                                                   \
        for (int part = 0; part < SUPER_BLOCKS / shared; part++) {                                                   \
            u8x64 vectors[8 * shared];                                                                               \
            name##_codes(rows, row_bytes, part, vectors);                                                            \
            UNROLL for (int i = 0; i < shared; i++) name##_put_codes(p, shared * part + i, vectors + 8 * i);         \
        }                                                                                                            \
    }                                                                                                                \
    static void name##_pack_rows(const uint8_t *rows, size_t row_bytes, int valid, int64_t blocks, uint8_t *group) { \
        if (valid < CPU_GROUP_ROWS) {                                                                                \
            name##_pack(rows, row_bytes, valid, blocks, group);                                                      \
            return;                                                                                                  \
        }                                                                                                            \
        packed_##name *p = (packed_##name *)group;                                                                   \
        for (int64_t b = 0; b < blocks; b += SUPER_BLOCKS, rows += sizeof(block_##name))                             \
            name##_put_rows(p++, rows, row_bytes);                                                                   \
    }
SUPER_ROWS_LIST(PACK_SUPER_ROWS)

// Formats whose rows are read one by one.
#define PACK_EACH_ROW(name, ...)                                                                                     \
    static void name##_pack_rows(const uint8_t *rows, size_t row_bytes, int valid, int64_t blocks, uint8_t *group) { \
        name##_pack(rows, row_bytes, valid, blocks, group);                                                          \
    }
OTHER_SUPER_LIST(PACK_EACH_ROW)
GRID_LIST(PACK_EACH_ROW)

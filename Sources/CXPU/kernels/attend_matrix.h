// The inner loops of attention for a KV format on the matrix engine: queries and weights in half precision times tiles of keys and
// values, summed in binary32 in the engine's order. A step has eight rows, whose sums do not depend on each other.
//
// Queries and weights lie in local memory as A operands: [eight rows][16 of the depth][lane] of rows_t, component = row.
#define SCALED (TILE(KV) == 4)
#define STEPS (ROWS / 8)

// Place of a row's element of a depth of `length` * 16.
static inline int NAME(operand_)(int length, int r, int k) {
    int packed = LANES / SUBGROUP_LANES, step = r / 8 * length + k / LANES;
    return ((step * SUBGROUP_LANES + k % LANES / packed) * 8 + r % 8) * packed + k % packed;
}

static inline void NAME(keep_query_)(__local query_t *queries, int chunks, int r, int d, float x) {
    vstore_half_rte(x, NAME(operand_)(chunks, r, d), (__local half *)queries);
}

static inline float NAME(keep_weight_)(__local weight_t *weights, int r, int at, float w) {
    half rounded = convert_half_rte(w);
    ((__local half *)weights)[NAME(operand_)(SPLIT / LANES, r, at)] = rounded;
    return convert_float(rounded);
}

static inline void NAME(score_)(
    __global const uchar *keys, int chunks, __local const query_t *queries, int used, __local float *scores, int lane
) {
    float8 total[COLUMN_HALVES][STEPS], part[COLUMN_HALVES][STEPS];
    _Pragma("unroll") for (int h = 0; h < COLUMN_HALVES; h++)
        _Pragma("unroll") for (int s = 0; s < STEPS; s++) total[h][s] = part[h][s] = 0;
    for (int c = 0; c < chunks; c++) {
        __local const query_t *a = queries + c * SUBGROUP_LANES + lane;
        _Pragma("unroll") for (int h = 0; h < COLUMN_HALVES; h++) {
            int8 b = MATRIX_TILE(KV)(keys + c * tile_bytes(TILE(KV)), h * SUBGROUP_LANES + lane);
            _Pragma("unroll") for (int s = 0; s < STEPS; s++)
                if (s * 8 < used)
                    part[h][s] =
                        intel_sub_group_f16_f16_matrix_mad_k16(a[s * chunks * SUBGROUP_LANES], b, part[h][s]);
        }
        if (SCALED && (c % 2 == 1 || c == chunks - 1)) {
            _Pragma("unroll") for (int h = 0; h < COLUMN_HALVES; h++) {
                float d = read_scale(
                    keys + chunks * tile_bytes(TILE(KV)) + c / 2 * HALVES(1), h * SUBGROUP_LANES + lane);
                _Pragma("unroll") for (int s = 0; s < STEPS; s++) {
                    total[h][s] = fma(part[h][s], (float8)d, total[h][s]);
                    part[h][s] = 0;
                }
            }
        }
    }
    _Pragma("unroll") for (int h = 0; h < COLUMN_HALVES; h++)
        _Pragma("unroll") for (int s = 0; s < STEPS; s++) {
            float8 x = SCALED ? total[h][s] : part[h][s];
            float rows[8] = {x.s0, x.s1, x.s2, x.s3, x.s4, x.s5, x.s6, x.s7};
            if (s * 8 < used)
                _Pragma("unroll") for (int r = 0; r < 8; r++)
                    scores[(s * 8 + r) * SPLIT + h * SUBGROUP_LANES + lane] = rows[r];
        }
}

static inline void NAME(mix_)(
    const query_tile *t, int from, int to, int chunk, int chunks, __local const weight_t *weights, int lane,
    float mix[COLUMN_HALVES][ROWS]
) {
    float8 sum[COLUMN_HALVES][STEPS];
    _Pragma("unroll") for (int h = 0; h < COLUMN_HALVES; h++)
        _Pragma("unroll") for (int s = 0; s < STEPS; s++) sum[h][s] = 0;
    for (int base = from / LANES * LANES; base < to; base += LANES) {
        __global const uchar *values = find_values(t->cells, base, t->kv_head);
        __local const weight_t *a = weights + base % SPLIT / LANES * SUBGROUP_LANES + lane;
        _Pragma("unroll") for (int h = 0; h < COLUMN_HALVES; h++) {
            int8 b = MATRIX_TILE(KV)(values + chunk * tile_bytes(TILE(KV)), h * SUBGROUP_LANES + lane);
            if (SCALED) {
                __global const int *scales =
                    (__global const int *)(values + chunks * tile_bytes(TILE(KV))) + chunk / 2 * (LANES / 2);
                b = scaled(b, vload8(0, scales));
            }
            if (from > base || to - base < LANES) b = cut(b, from - base, to - base);
            // A value that some rows see and others do not is taken row by row where it is no number.
            bool apart = differ(t, max(from, base), min(to, base + LANES)) && has_no_number(b);
            __attribute__((opencl_unroll_hint(1))) for (int r = apart ? 0 : 7; r < 8; r++) {
                _Pragma("unroll") for (int s = 0; s < STEPS; s++)
                    if (s * 8 < t->used) {
                        int8 mine = b;
                        if (apart) {
                            int2 seen = seen_by(t, min(s * 8 + r, t->used - 1), from, to);
                            mine = cut(b, seen.x - base, seen.y - base);
                        }
                        float8 next = intel_sub_group_f16_f16_matrix_mad_k16(
                            a[s * (SPLIT / LANES) * SUBGROUP_LANES], mine, sum[h][s]);
                        sum[h][s] = apart ? select(sum[h][s], next, (int8)(0, 1, 2, 3, 4, 5, 6, 7) == r) : next;
                    }
            }
        }
    }
    _Pragma("unroll") for (int h = 0; h < COLUMN_HALVES; h++)
        _Pragma("unroll") for (int s = 0; s < STEPS; s++) {
            float8 x = sum[h][s];
            float rows[8] = {x.s0, x.s1, x.s2, x.s3, x.s4, x.s5, x.s6, x.s7};
            _Pragma("unroll") for (int r = 0; r < 8; r++) mix[h][s * 8 + r] = rows[r];
        }
}

#undef SCALED
#undef STEPS

// The inner loops of attention for a KV format, in binary32: a lane has one position's key, or one dimension of the values.
#define PER_WORD TILE(KV)
#define SCALED (PER_WORD == 4)

static inline void NAME(keep_query_)(__local query_t *queries, int chunks, int r, int d, float x) {
    queries[(d / LANES * ROWS + r) * LANES + d % LANES] = x;
}

static inline float NAME(keep_weight_)(__local weight_t *weights, int r, int at, float w) {
    weights[r * SPLIT + at] = w;
    return w;
}

// Products of the tile's queries with a strip of keys, in order of dimensions.
static inline void NAME(score_)(
    __global const uchar *keys, int chunks, __local const query_t *queries, int used, __local float *scores, int lane
) {
    float dot[ROWS];
    _Pragma("unroll") for (int r = 0; r < ROWS; r++) dot[r] = 0;
    for (int c = 0; c < chunks; c++) {
        float scale = SCALED ? read_scale(keys + chunks * tile_bytes(PER_WORD) + c / 2 * HALVES(1), lane) : 1.0f;
        float key[DEPTHS(KV)], q[ROWS];
        _Pragma("unroll") for (int r = 0; r < ROWS; r++) q[r] = queries[(c * ROWS + r) * LANES + lane];
        _Pragma("unroll") for (int first = 0; first < LANES; first += DEPTHS(KV)) {
            READ_DEPTHS(KV)(keys + c * tile_bytes(PER_WORD), first / DEPTHS(KV), lane, key);
            _Pragma("unroll") for (int k = 0; k < DEPTHS(KV); k++) {
                float x = SCALED ? key[k] * scale : key[k];
                _Pragma("unroll") for (int r = 0; r < ROWS; r++)
                    dot[r] = fma(sub_group_broadcast(q[r], first + k), x, dot[r]);
            }
        }
    }
    _Pragma("unroll") for (int r = 0; r < ROWS; r++)
        if (r < used) scores[r * SPLIT + lane] = dot[r];
}

// Sums of the weighted values of a split, in order of positions: 16 dimensions of all rows.
static inline void NAME(mix_)(
    const query_tile *t, int from, int to, int chunk, int chunks, __local const weight_t *weights, int lane,
    float mix[COLUMN_HALVES][ROWS]
) {
    _Pragma("unroll") for (int r = 0; r < ROWS; r++) mix[0][r] = 0;
    for (int base = from / LANES * LANES; base < to; base += LANES) {
        __global const uchar *values = find_values(t->cells, base, t->kv_head);
        float scale =
            SCALED ? read_scale(values + chunks * tile_bytes(PER_WORD) + chunk / 2 * HALVES(1), lane) : 1.0f;
        if (differ(t, max(from, base), min(to, base + LANES))) {
            // A value that a row does not see may be no number.
            int2 seen[ROWS];
            _Pragma("unroll") for (int r = 0; r < ROWS; r++) seen[r] = seen_by(t, min(r, t->used - 1), from, to);
            for (int at = base; at < base + LANES; at++) {
                float v = TILE_VALUE(KV)(values + chunk * tile_bytes(PER_WORD), at % LANES, lane);
                if (SCALED) v *= sub_group_broadcast(scale, at % LANES);
                _Pragma("unroll") for (int r = 0; r < ROWS; r++) {
                    float x = at >= seen[r].x && at < seen[r].y ? v : 0.0f;
                    mix[0][r] = fma(weights[r * SPLIT + at % SPLIT], x, mix[0][r]);
                }
            }
            continue;
        }
        float value[DEPTHS(KV)], w[ROWS];
        _Pragma("unroll") for (int r = 0; r < ROWS; r++) w[r] = weights[r * SPLIT + base % SPLIT + lane];
        _Pragma("unroll") for (int first = 0; first < LANES; first += DEPTHS(KV)) {
            READ_DEPTHS(KV)(values + chunk * tile_bytes(PER_WORD), first / DEPTHS(KV), lane, value);
            _Pragma("unroll") for (int k = 0; k < DEPTHS(KV); k++) {
                float x = SCALED ? value[k] * sub_group_broadcast(scale, first + k) : value[k];
                // What the tile does not see may be no number.
                int at = base + first + k;
                float v = at >= from && at < to ? x : 0.0f;
                _Pragma("unroll") for (int r = 0; r < ROWS; r++)
                    mix[0][r] = fma(sub_group_broadcast(w[r], first + k), v, mix[0][r]);
            }
        }
    }
}

#undef PER_WORD
#undef SCALED

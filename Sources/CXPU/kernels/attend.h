// Attention of a tile of query rows over one KV head. Included once per KV format and number of rows, after the two inner loops:
// score_ (queries times 16 keys) and mix_ (weights times the values of a split).
//
// A query row is one head of one token. A tile is up to ROWS of them that read the same KV head: `tile_heads` heads of up to
// `tokens` neighbouring tokens of a sequence. Each key and value is read once for all of them. A work-group takes a tile, or one
// split of its positions; its sub-groups share first the positions (scores), then the rows (weights), then the dimensions (values).
//
// A row's bits depend on the row alone. Per split of SPLIT positions, ascending:
//     s[p] = q · k[p] * factor, soft-capped;  top = max s;  w[p] = exp(s[p] - top);  sum = Σ w;  mix = Σ w[p] * v[p]
// and splits are merged in ascending order by merge_factors.
// x = KV head and part of its query heads, y = tile, z = split where splits are computed apart.

// Weights of a row's positions of a split from its products with their keys: the top score, and the sum of the weights.
static inline float NAME(weigh_)(
    const query_tile *t, int r, int split, __local float *scores, __local weight_t *weights, float *sum
) {
    int lane = get_sub_group_local_id(), position = t->positions[r / t->heads];
    int first = first_visible(position, t->window, t->chunk) - split * SPLIT, last = position - split * SPLIT;
    float top = -INFINITY, total = 0;
    __local float *s = scores + r * SPLIT;
    for (int at = lane; at < SPLIT; at += SUBGROUP_LANES) {
        float score = -INFINITY;
        if (at >= first && at <= last) {
            score = s[at] * t->factor;
            if (t->cap > 0) score = t->cap * tanh(score / t->cap);
        }
        s[at] = score;
        top = fmax(top, score);
    }
    top = sub_group_reduce_max(top);
    for (int at = lane; at < SPLIT; at += SUBGROUP_LANES) {
        bool visible = at >= first && at <= last && top != -INFINITY;
        total += NAME(keep_weight_)(weights, r, at, visible ? exp(s[at] - top) : 0.0f);
    }
    *sum = sub_group_tree_sum(total);
    return top;
}

SUBGROUP __kernel void NAME(attend_)(
    ATTEND_ARGUMENTS, __global const float *sinks, __global float *output, int stride, __local float *mixes
) {
    ATTEND_MEMORY
    __local float keeps[ROWS], takes[ROWS];
    // This work-item's own: registers are for the inner loops.
    __local float *mix = mixes + group * ROWS * LANES + lane;
    if (group < chunks)
        for (int i = 0; i < ROWS * COLUMN_HALVES; i++) mix[i * SUBGROUP_LANES] = 0;
    for (int r = get_local_id(0); r < ROWS; r += get_local_size(0)) {
        tops[r] = -INFINITY;
        sums[r] = 0;
        takes[r] = 0;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int split = t.begin / SPLIT; split <= (t.end - 1) / SPLIT; split++) {
        int from = max(t.begin, split * SPLIT), to = min(t.end, (split + 1) * SPLIT);
        ATTEND_SCORES
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int r = group; r < t.used; r += groups) {
            float sum, top = NAME(weigh_)(&t, r, split, scores, weights, &sum);
            if (lane == 0) {
                float keep, take, last_sum = sums[r];
                float merged = merge_factors(tops[r], top, &keep, &take);
                tops[r] = merged;
                if (take > 0) sums[r] = fma(sum, take, last_sum * keep);
                keeps[r] = keep;
                takes[r] = take;
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        if (group < chunks) {
            float next[COLUMN_HALVES][ROWS];
            NAME(mix_)(&t, from, to, group, chunks, weights, lane, next);
            _Pragma("unroll") for (int r = 0; r < ROWS; r++) {
                float keep = keeps[r], take = takes[r];
                _Pragma("unroll") for (int h = 0; h < COLUMN_HALVES; h++)
                    if (take > 0) {
                        __local float *m = mix + r * LANES + h * SUBGROUP_LANES;
                        *m = fma(next[h][r], take, *m * keep);
                    }
            }
        }
    }
    if (group >= chunks) return;
    int row = t.row, head = t.head;
    for (int r = 0; r < t.used; r++) {
        float sum = sums[r], scale_out = finish_factor(sinks, head, tops[r], &sum);
        for (int h = 0; h < COLUMN_HALVES; h++) {
            int d = group * LANES + h * SUBGROUP_LANES + lane;
            if (d < value_length)
                output[(long)row * stride + head * value_length + d] =
                    mix[r * LANES + h * SUBGROUP_LANES] * scale_out / sum;
        }
        NEXT_HEAD
    }
}

// The state of one split goes to states[row][head][split][2 + value_length]: top, sum, mix.
SUBGROUP __kernel void NAME(attend_split_)(ATTEND_ARGUMENTS, __global float *states) {
    ATTEND_MEMORY
    int split = get_group_id(2);
    if (split < t.begin / SPLIT || split > (t.end - 1) / SPLIT) return;
    int from = max(t.begin, split * SPLIT), to = min(t.end, (split + 1) * SPLIT);
    barrier(CLK_LOCAL_MEM_FENCE);
    ATTEND_SCORES
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int r = group; r < t.used; r += groups) {
        float sum, top = NAME(weigh_)(&t, r, split, scores, weights, &sum);
        if (lane == 0) {
            tops[r] = top;
            sums[r] = sum;
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (group >= chunks) return;
    float next[COLUMN_HALVES][ROWS];
    NAME(mix_)(&t, from, to, group, chunks, weights, lane, next);
    int row = t.row, head = t.head;
    _Pragma("unroll") for (int r = 0; r < ROWS; r++) {
        if (r >= t.used) break;
        // Nothing reads the state of a split of which the row sees nothing.
        __global float *state =
            states + (((long)row * heads + head) * get_num_groups(2) + split) * (2 + value_length);
        if (group == 0 && lane == 0) {
            state[0] = tops[r];
            state[1] = sums[r];
        }
        _Pragma("unroll") for (int h = 0; h < COLUMN_HALVES; h++) {
            int d = group * LANES + h * SUBGROUP_LANES + lane;
            if (d < value_length) state[2 + d] = next[h][r];
        }
        NEXT_HEAD
    }
}

/* Body of one variant: pairing and evidence. The including file defines VARIANT(name), TARGET and the primitives. */

/* Greedy one-to-one selection: pairing.select_pairs. Returns the number of pairs. */
static TARGET int VARIANT(select)(const fg_job *job, const int32_t *table, int stride, int n, int m, int32_t *pa, int32_t *pb,
                                  float *similarity)
{
    _Alignas(64) int32_t free_lane[MAX_LANES], best[MAX_LANES];
    const int rows = (n + 15) & ~15;
    const int32_t floor = (int32_t)job->constants->floor;
    int limit = n < m ? n : m, count = 0;
    for (int j = 0; j < stride; j++)
        free_lane[j] = -1;
    for (int i = 0; i < rows; i++)
        best[i] = i < n ? VARIANT(row_max)(table + (size_t)i * (size_t)stride, free_lane, stride) : -1;
    if (limit > PAIRS)
        limit = PAIRS;
    while (count < limit) {
        int32_t key;
        const int i = VARIANT(first_max)(best, rows, &key), j = 255 - (key & 255);
        if (key >> 8 <= floor)
            break;
        pa[count] = i;
        pb[count] = j;
        similarity[count++] = (float)(key >> 8) * job->constants->similarity_scale;
        VARIANT(put)(best, i, -1);
        VARIANT(put)(free_lane, j, 0);
        VARIANT(refresh)(table, stride, rows, key & 255, free_lane, best);
    }
    return count;
}

/* Support between pairs and its relaxation: pairing.relax. support is [k][t]: what pair k lends to pair t. */
static TARGET void VARIANT(relax)(const fg_constants *q, const float *restrict ax, const float *restrict ay,
                                  const float *restrict bx, const float *restrict by, const float *restrict rc,
                                  const float *restrict rs, const float *restrict start, int count,
                                  float (*restrict support)[PAIRS], float *restrict weight)
{
    const float growth = q->growth * 0.5f, tolerance = q->tolerance, gain = q->near_gain;
    const float turn_none = q->turn_none, turn_scale = q->turn_scale;
    const float share = 0.5f / (float)(count > 1 ? count - 1 : 1);
    for (int k = 0; k < count; k++) {
        float *restrict row = support[k];
        const float akx = ax[k], aky = ay[k], bkx = bx[k], bky = by[k], ck = rc[k], sk = rs[k];
        for (int t = 0; t < PAIRS; t++) {
            float dax = akx - ax[t], day = aky - ay[t], dbx = bkx - bx[t], dby = bky - by[t];
            float length = dax * dax + day * day + dbx * dbx + dby * dby;
            float turned_x = rc[t] * dax - rs[t] * day, turned_y = rs[t] * dax + rc[t] * day;
            float error = length - 2.0f * (turned_x * dbx + turned_y * dby);
            float near = gain * (1.0f - error / (tolerance + growth * length));
            float turn = (rc[t] * ck + rs[t] * sk - turn_none) * turn_scale;
            near = near > 0.0f ? near : 0.0f;
            near = near < 1.0f ? near : 1.0f;
            turn = turn > 0.0f ? turn : 0.0f;
            turn = turn < 1.0f ? turn : 1.0f;
            row[t] = near * turn;
        }
        row[k] = 0.0f;
    }
    for (int t = 0; t < PAIRS; t++)
        weight[t] = start[t];
    for (int round = 0; round < (int)q->iterations; round++) {
        float sum[PAIRS] = {0};
        for (int k = 0; k < count; k++) {
            const float w = weight[k];
            for (int t = 0; t < PAIRS; t++)
                sum[t] += support[k][t] * w;
        }
        for (int t = 0; t < PAIRS; t++)
            weight[t] = t < count ? 0.5f * weight[t] + share * sum[t] : 0.0f;
    }
}

/* Mean weight of the pairs that lost least: comparator._consistency. */
static TARGET float VARIANT(consistency)(const float *start, const float *weight, int count, int kept)
{
    float efficiency[PAIRS], total = 0.0f;
    for (int t = 0; t < count; t++)
        efficiency[t] = weight[t] / (start[t] > 1e-6f ? start[t] : 1e-6f);
    for (int r = 0; r < kept && r < count; r++) {
        int best = 0;
        for (int t = 1; t < count; t++)
            best = efficiency[t] > efficiency[best] ? t : best;
        total += weight[best];
        efficiency[best] = -1.0f;
    }
    return total / (float)kept;
}

static TARGET void VARIANT(evidence)(const fg_job *job, const int32_t *table, int stride, const int16_t *places, int m,
                                     float *evidence)
{
    const fg_probe *probe = job->probe;
    const fg_constants *q = job->constants;
    _Alignas(64) float support[PAIRS][PAIRS];
    int32_t pa[PAIRS], pb[PAIRS];
    _Alignas(64) float similarity[PAIRS] = {0}, start[PAIRS] = {0}, weight[PAIRS];
    _Alignas(64) float ax[PAIRS] = {0}, ay[PAIRS] = {0}, bx[PAIRS] = {0}, by[PAIRS] = {0}, rc[PAIRS] = {0}, rs[PAIRS] = {0};

    const int count = VARIANT(select)(job, table, stride, probe->n, m, pa, pb, similarity);
    for (int t = 0; t < count; t++) {
        const int16_t *place = places + 4 * pb[t];
        const float ac = probe->c[pa[t]], as = probe->s[pa[t]];
        const float bc = (float)place[2] * DIRECTION_UNIT, bs = (float)place[3] * DIRECTION_UNIT;
        ax[t] = probe->x[pa[t]];
        ay[t] = probe->y[pa[t]];
        bx[t] = (float)place[0] * POSITION_UNIT;
        by[t] = (float)place[1] * POSITION_UNIT;
        rc[t] = ac * bc + as * bs;
        rs[t] = ac * bs - as * bc;
        start[t] = (q->offset + similarity[t]) * q->offset_scale;
    }
    VARIANT(relax)(q, ax, ay, bx, by, rc, rs, start, count, support, weight);
    evidence[0] = VARIANT(consistency)(start, weight, count, job->kept[probe->n < m ? probe->n : m]);
    if (evidence[0] < q->gate || count == 0)
        return;

    /* the heaviest pair and those that agree with it: alignment.group_motion */
    int seed = 0;
    for (int t = 1; t < count; t++)
        seed = weight[t] > weight[seed] ? t : seed;
    float group[PAIRS];
    for (int k = 0; k < count; k++)
        group[k] = (k == seed ? 1.0f : support[k][seed]) * weight[k];
    fg_motion motion;
    VARIANT(fit)(ax, ay, bx, by, group, count, &motion);
    VARIANT(align)(job, table, stride, places, m, &motion, evidence);
}

static TARGET void VARIANT(compare)(const fg_job *job)
{
    const fg_probe *probe = job->probe;
    int32_t *table = job->table;

    for (size_t row = job->first; row < job->last; row++) {
        const uint8_t *record = job->records + job->starts[row];
        const int m = job->counts[row], lanes = (m + LANE_STEP - 1) & ~(LANE_STEP - 1), stride = (m + 15) & ~15;
        float *evidence = job->evidence + row * N_EVIDENCE;
        for (int f = 0; f < N_EVIDENCE; f++)
            evidence[f] = 0.0f;
        if (probe->n == 0 || m == 0)
            continue;
        VARIANT(similarities)(probe, record, lanes, probe->dimensions / 4, table, stride);
        const int16_t *places = (const int16_t *)(record + (size_t)probe->dimensions * (size_t)lanes);
        VARIANT(evidence)(job, table, stride, places, m, evidence);
    }
}

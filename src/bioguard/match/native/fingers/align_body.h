/* Laying the probe on a record: alignment.py, which explains the steps. Included once per variant. */

/* Weighted least squares rigid motion: alignment._rigid. */
static TARGET void VARIANT(fit)(const float *x, const float *y, const float *u, const float *v, const float *w, int n,
                                fg_motion *motion)
{
    float total = 1e-9f, mx = 0, my = 0, mu = 0, mv = 0, c = 0, s = 0;
    for (int i = 0; i < n; i++) {
        total += w[i];
        mx += w[i] * x[i];
        my += w[i] * y[i];
        mu += w[i] * u[i];
        mv += w[i] * v[i];
    }
    mx /= total, my /= total, mu /= total, mv /= total;
    for (int i = 0; i < n; i++) {
        const float px = x[i] - mx, py = y[i] - my, pu = u[i] - mu, pv = v[i] - mv;
        c += w[i] * (px * pu + py * pv);
        s += w[i] * (px * pv - py * pu);
    }
    const float norm = sqrtf(c * c + s * s) + 1e-9f;
    c /= norm, s /= norm;
    const float tx = mu - c * mx + s * my, ty = mv - s * mx - c * my;
    *motion = (fg_motion){c, s, tx, ty, {{c, -s, tx}, {s, c, ty}}};
}

/* Stretch and shear on top of the rigid motion: second half of alignment._refit. */
static TARGET void VARIANT(stretch)(const float *x, const float *y, const float *u, const float *v, const float *w, int n,
                                    float ridge, fg_motion *motion)
{
    float total = 1e-9f, mx = 0, my = 0, xx = ridge, yy = ridge, xy = 0, rest[2][2] = {{0}};
    for (int i = 0; i < n; i++) {
        total += w[i];
        mx += w[i] * x[i];
        my += w[i] * y[i];
    }
    mx /= total, my /= total;
    for (int i = 0; i < n; i++) {
        const float px = x[i] - mx, py = y[i] - my;
        const float ru = u[i] - (motion->matrix[0][0] * x[i] + motion->matrix[0][1] * y[i] + motion->matrix[0][2]);
        const float rv = v[i] - (motion->matrix[1][0] * x[i] + motion->matrix[1][1] * y[i] + motion->matrix[1][2]);
        xx += w[i] * px * px;
        yy += w[i] * py * py;
        xy += w[i] * px * py;
        rest[0][0] += w[i] * px * ru;
        rest[0][1] += w[i] * py * ru;
        rest[1][0] += w[i] * px * rv;
        rest[1][1] += w[i] * py * rv;
    }
    const float scale = 1.0f / (xx * yy - xy * xy);
    for (int r = 0; r < 2; r++) {
        const float along = (rest[r][0] * yy - rest[r][1] * xy) * scale, across = (rest[r][1] * xx - rest[r][0] * xy) * scale;
        motion->matrix[r][0] += along;
        motion->matrix[r][1] += across;
        motion->matrix[r][2] -= along * mx + across * my;
    }
}

/* Mutually nearest minutiae: alignment._match. Fills the partner (or -1) and squared distance of every probe minutia.
 *
 * Squared distances are not negative, so their bits compare as integers, which vectorizes without fast-math. The low
 * eight bits make room for the number of the minutia, so that the minimum also says whose it is.
 */
static TARGET void VARIANT(match)(const fg_probe *probe, const fg_places *other, int lanes, const fg_motion *motion,
                                  float reach, float direction_cos, int32_t *restrict partner, float *restrict distance)
{
    _Alignas(64) int32_t column[MAX_LANES];
    const float *restrict ox = other->x, *restrict oy = other->y, *restrict oc = other->c, *restrict os = other->s;
    fg_bits bits = {reach};
    const int32_t far = bits.i & ~255;
    for (int j = 0; j < lanes; j++)
        column[j] = far;
    for (int i = 0; i < probe->n; i++) {
        const float x = motion->matrix[0][0] * probe->x[i] + motion->matrix[0][1] * probe->y[i] + motion->matrix[0][2];
        const float y = motion->matrix[1][0] * probe->x[i] + motion->matrix[1][1] * probe->y[i] + motion->matrix[1][2];
        const float c = motion->c * probe->c[i] - motion->s * probe->s[i], s = motion->s * probe->c[i] + motion->c * probe->s[i];
        int32_t nearest = far;
        for (int j = 0; j < lanes; j++) {
            const float dx = x - ox[j], dy = y - oy[j];
            const fg_bits d = {dx * dx + dy * dy};
            const int32_t key = c * oc[j] + s * os[j] > direction_cos ? d.i & ~255 : far;
            const int32_t row_key = key | j, column_key = key | i;
            nearest = row_key < nearest ? row_key : nearest;
            column[j] = column_key < column[j] ? column_key : column[j];
        }
        partner[i] = nearest;
    }
    for (int i = 0; i < probe->n; i++) {
        const int32_t key = partner[i], j = key & 255;
        bits.i = key & ~255;
        distance[i] = bits.f;
        partner[i] = key < far && (column[j] & 255) == i ? j : -1;
    }
}

/* How many of n points lie within the hull of m places: alignment._inside. */
static TARGET int VARIANT(inside)(const fg_constants *q, const float *x, const float *y, int n, const float *u, const float *v,
                                  int m)
{
    float edge[HULL];
    int count = 0;
    for (int d = 0; d < HULL; d++)
        edge[d] = -1e9f;
    for (int j = 0; j < m; j++)
        for (int d = 0; d < HULL; d++) {
            const float reach = u[j] * q->hull_x[d] + v[j] * q->hull_y[d];
            edge[d] = reach > edge[d] ? reach : edge[d];
        }
    for (int i = 0; i < n; i++) {
        int out = 0;
        for (int d = 0; d < HULL; d++)
            out |= x[i] * q->hull_x[d] + y[i] * q->hull_y[d] > edge[d];
        count += !out;
    }
    return count;
}

static TARGET void VARIANT(align)(const fg_job *job, const int32_t *table, int stride, const int16_t *places, int m,
                                  fg_motion *motion, float *evidence)
{
    const fg_probe *probe = job->probe;
    const fg_constants *q = job->constants;
    const int n = probe->n;
    _Alignas(64) fg_places other;
    for (int j = 0; j < m; j++) {
        other.x[j] = (float)places[4 * j] * POSITION_UNIT;
        other.y[j] = (float)places[4 * j + 1] * POSITION_UNIT;
        other.c[j] = (float)places[4 * j + 2] * DIRECTION_UNIT;
        other.s[j] = (float)places[4 * j + 3] * DIRECTION_UNIT;
    }
    for (int j = m; j < stride; j++) /* no direction agrees with a zero vector, so padding never matches */
        other.x[j] = other.y[j] = other.c[j] = other.s[j] = 0.0f;

    int32_t partner[MAX_LANES];
    float distance[MAX_LANES], x[MAX_LANES], y[MAX_LANES], u[MAX_LANES], v[MAX_LANES], w[MAX_LANES];
    VARIANT(match)(probe, &other, stride, motion, q->reach[0], q->direction_cos, partner, distance);
    int found = 0;
    for (int i = 0; i < n; i++) {
        const int j = partner[i];
        if (j < 0)
            continue;
        const float alike = (float)(table[(size_t)i * (size_t)stride + (size_t)j] >> 8) * q->similarity_scale;
        x[found] = probe->x[i];
        y[found] = probe->y[i];
        u[found] = other.x[j];
        v[found] = other.y[j];
        w[found++] = (alike > 0.0f ? alike : 0.0f) + q->fit_floor;
    }
    if (found >= (int)q->min_matched) {
        VARIANT(fit)(x, y, u, v, w, found, motion);
        VARIANT(stretch)(x, y, u, v, w, found, q->ridge, motion);
    }
    VARIANT(match)(probe, &other, stride, motion, q->reach[1], q->direction_cos, partner, distance);

    const float unit = 1.0f / q->reach[1];
    float matched = 0, similar = 0, together = 0;
    for (int i = 0; i < n; i++) {
        x[i] = motion->matrix[0][0] * probe->x[i] + motion->matrix[0][1] * probe->y[i] + motion->matrix[0][2];
        y[i] = motion->matrix[1][0] * probe->x[i] + motion->matrix[1][1] * probe->y[i] + motion->matrix[1][2];
        if (partner[i] < 0)
            continue;
        float alike = (float)(table[(size_t)i * (size_t)stride + (size_t)partner[i]] >> 8) * q->similarity_scale;
        alike = alike > 0.0f ? alike : 0.0f;
        matched += 1.0f;
        similar += alike;
        together += (1.0f - distance[i] * unit) * alike;
    }
    for (int j = 0; j < m; j++) {
        const float dx = other.x[j] - motion->tx, dy = other.y[j] - motion->ty;
        u[j] = motion->c * dx + motion->s * dy;
        v[j] = motion->c * dy - motion->s * dx;
    }
    const float shared = (float)VARIANT(inside)(q, x, y, n, other.x, other.y, m);
    const float shared_back = (float)VARIANT(inside)(q, u, v, m, probe->x, probe->y, n);
    evidence[1] = matched;
    evidence[2] = shared > matched ? shared : matched;
    evidence[3] = shared_back > matched ? shared_back : matched;
    evidence[4] = similar;
    evidence[5] = together;
}

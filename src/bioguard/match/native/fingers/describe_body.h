/* Body of one variant of fd_describe. The including file defines TARGET and VARIANT(name). */

/* e^x for -80 <= x <= 0 to 2 ulp, in a form that compilers turn into vectors. */
static TARGET inline float VARIANT(exponential)(float x)
{
    union {
        float f;
        int32_t i;
    } power;
    x = x > -80.0f ? x : -80.0f;
    const float shifted = x * 1.44269504f + 12582912.0f, whole = shifted - 12582912.0f;
    const float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
    power.i = ((int32_t)whole + 127) << 23;
    const float tail = ((((1.9875691500e-4f * r + 1.3981999507e-3f) * r + 8.3334519073e-3f) * r + 4.1665795894e-2f) * r +
                        1.6666665459e-1f) * r + 5.0000001201e-1f;
    return (tail * r * r + r + 1.0f) * power.f;
}

static TARGET void VARIANT(one)(const fd_shape *shape, const float *x, const float *y, const float *c, const float *s, int n,
                                int i, float *restrict out)
{
    _Alignas(64) float along[MAX_POINTS + 1], across[MAX_POINTS + 1], near_x[MAX_POINTS + 1], near_y[MAX_POINTS + 1];
    _Alignas(64) float turn_c[MAX_POINTS + 1], turn_s[MAX_POINTS + 1], cells[SIDE * SIDE][TURN_LANES] = {{0}};
    float rim[RIM];
    int k = 0;
    for (int t = 0; t < n; t++) {
        const float dx = x[t] - x[i], dy = y[t] - y[i];
        along[t] = dx * c[i] + dy * s[i];
        across[t] = dy * c[i] - dx * s[i];
    }
    for (int d = 0; d < RIM; d++)
        rim[d] = -1e9f;
    for (int t = 0; t < n; t++)
        for (int d = 0; d < RIM; d++) {
            const float v = along[t] * shape->rim_x[d] + across[t] * shape->rim_y[d];
            rim[d] = v > rim[d] ? v : rim[d];
        }
    for (int d = 0; d < RIM; d++)
        rim[d] += shape->margin;
    for (int t = 0; t < n; t++) {
        if (t == i || fabsf(along[t]) > shape->reach || fabsf(across[t]) > shape->reach)
            continue;
        near_x[k] = along[t];
        near_y[k] = across[t];
        turn_c[k] = c[t] * c[i] + s[t] * s[i];
        turn_s[k++] = s[t] * c[i] - c[t] * s[i];
    }
    if ((float)k < shape->min_neighbors) {
        for (int v = 0; v < VALUES; v++)
            out[v] = 0.0f;
        return;
    }
    for (int t = 0; t < k; t++) {
        float in_x[SIDE], in_y[SIDE], in_turn[TURN_LANES];
        for (int g = 0; g < SIDE; g++) {
            const float u = near_x[t] - shape->axis[g], v = near_y[t] - shape->axis[g];
            in_x[g] = VARIANT(exponential)(shape->narrow * (u * u));
            in_y[g] = VARIANT(exponential)(shape->narrow * (v * v));
            in_turn[g] = VARIANT(exponential)(shape->kappa * (turn_c[t] * shape->turn_x[g] + turn_s[t] * shape->turn_y[g] - 1.0f));
        }
        float sheet[SIDE][TURN_LANES];
        for (int h = 0; h < SIDE; h++)
            for (int d = 0; d < TURN_LANES; d++)
                sheet[h][d] = in_y[h] * in_turn[d];
        for (int g = 0; g < SIDE; g++) {
            if (in_x[g] < NEGLIGIBLE)
                continue;
            for (int h = 0; h < SIDE; h++)
                for (int d = 0; d < TURN_LANES; d++)
                    cells[g * SIDE + h][d] += in_x[g] * sheet[h][d];
        }
    }
    int cell = 0;
    for (int g = 0; g < SIDE * SIDE; g++) {
        if (shape->disc[g] == 0.0f)
            continue;
        int hidden = 0;
        for (int d = 0; d < RIM; d++)
            hidden |= rim[d] < shape->extent[cell][d];
        for (int d = 0; d < TURNS; d++) {
            const float v = cells[g][d];
            out[cell * TURNS + d] = hidden ? 0.0f : v / (v + shape->saturation) - shape->mean[cell * TURNS + d];
        }
        cell++;
    }
}

static TARGET void VARIANT(describe)(const fd_shape *shape, const float *points, int n, float *out)
{
    float x[MAX_POINTS], y[MAX_POINTS], c[MAX_POINTS], s[MAX_POINTS];
    for (int t = 0; t < n; t++) {
        x[t] = points[4 * t];
        y[t] = points[4 * t + 1];
        c[t] = points[4 * t + 2];
        s[t] = points[4 * t + 3];
    }
    for (int i = 0; i < n; i++)
        VARIANT(one)(shape, x, y, c, s, n, i, out + (size_t)i * VALUES);
}

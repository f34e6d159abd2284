/* One call instead of several: below some thousand rows the calls cost more than the products. */
#include "best.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dots.h"
#include "select.h"

#define BLOCK 1024 /* scores that are made before any is selected: they stay in the first-level cache */
#define LANES 16
#define MIN_NORM 1e-12f
#define LIST_SHARE 4 /* a list holds up to this many times k before it is cut back to k */
#define MIN_LIST 64

/* The bits of a magnitude: they order as the magnitudes do, as signed numbers too. */
static int32_t magnitude_bits(float number)
{
    int32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits & 0x7fffffff;
}

static int unit_row(const float *row, size_t d, float *out)
{
    int32_t top = 0;
    for (size_t i = 0; i < d; i++) {
        int32_t bits = magnitude_bits(row[i]);
        top = bits > top ? bits : top;
    }
    float scale, sums[LANES] = {0}, total = 0;
    memcpy(&scale, &top, sizeof scale);
    if (top >= 0x7f800000 || scale < MIN_NORM)
        return 0;
    for (size_t i = 0; i < d; i++)
        out[i] = row[i] / scale;
    size_t i = 0;
    for (; i + LANES <= d; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            sums[l] += out[i + l] * out[i + l];
    for (; i < d; i++)
        total += out[i] * out[i];
    for (size_t l = 0; l < LANES; l++)
        total += sums[l];
    const float norm = sqrtf(total);
    for (i = 0; i < d; i++)
        out[i] /= norm;
    return 1;
}

int unit_rows(const float *rows, size_t n, size_t d, float *out)
{
    int fine = 1;
    for (size_t r = 0; r < n; r++)
        fine &= unit_row(rows + r * d, d, out + r * d);
    return fine;
}

int best_rows(const best_job *job, const float *probes, size_t m, float *scores, int64_t *positions)
{
    const size_t least = LIST_SHARE * job->k > MIN_LIST ? LIST_SHARE * job->k : MIN_LIST;
    const size_t room = (least < job->n ? least : job->n) + SELECT_SPARE;
    uint64_t *keys = malloc(room * sizeof *keys + job->d * sizeof(float));
    if (!keys)
        return BEST_NO_MEMORY;
    float block[BLOCK], *probe = (float *)(keys + room);
    int status = BEST_OK;
    for (size_t p = 0; p < m && status == BEST_OK; p++) {
        uint64_t size = 0;
        float floor = -INFINITY;
        if (!unit_row(probes + p * job->d, job->d, probe)) {
            status = BEST_NO_PROBE;
            break;
        }
        for (size_t first = 0; first < job->n; first += BLOCK) {
            const size_t count = first + BLOCK < job->n ? BLOCK : job->n - first;
            dot_rows(job->variant, job->rows + first * job->d, count, job->d, probe, 1, block);
            if (job->live)
                for (size_t r = 0; r < count; r++)
                    block[r] = job->live[first + r] ? block[r] : -INFINITY;
            select_scores(block, 1, count, first, job->k, room, keys, &size, &floor);
        }
        if (size < job->k)
            status = BEST_NOT_A_NUMBER;
        else
            select_finish(1, job->k, room, keys, &size, scores + p * job->k, positions + p * job->k);
    }
    free(keys);
    return status;
}

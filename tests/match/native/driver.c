/* Run every variant of the kernel on generated codes and print a digest of all results.
 *
 * Needs no Python, so it also runs under an emulator for another processor and under sanitizers. Codes come from a
 * 64-bit LCG, the digest is FNV-1a; test_native.py computes the same with the NumPy twin.
 */
#include "best.h"
#include "hamming.h"
#include "select.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state, digest;

static uint32_t draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 32);
}

static void mix(const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        digest = (digest ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
}

static void *need(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p)
        abort();
    return p;
}

/* Codes are drawn from few values where `few` is 1, so that there are ties; where it is 2 every other row differs from
 * all probes in all bits, so that byte counters fill up. Every 7th row is not live. */
static void run(const scanner *scan, size_t rows, size_t steps, size_t m, size_t k, size_t threads, int few)
{
    size_t blocks = (rows + LANES - 1) / LANES, bins = 32 * steps + 1;
    size_t head = steps < HEAD ? steps : HEAD, tail = steps - head;
    uint32_t *heads = aligned_alloc(64, blocks * head * LANES * 4), *tails = aligned_alloc(64, blocks * (tail + 1) * LANES * 4);
    uint16_t *live = need(blocks * 2), *near = need(m * k * 2), *matrix = need(m * rows * 2);
    int64_t *where = need(m * k * 8), *counts = need(bins * 8), *bounds = need((m + 1) * 8), *each = need(m * 8);
    unsigned char *probes = need(m * steps * 4 + 1);
    if (!heads || !tails)
        abort();
    memset(heads, 0, blocks * head * LANES * 4);
    memset(tails, 0, blocks * tail * LANES * 4);
    memset(live, 0, blocks * 2);
    memset(counts, 0, bins * 8);
    memset(matrix, 0, m * rows * 2);
    for (size_t r = 0; r < rows; r++) {
        for (size_t s = 0; s < steps; s++)
            *(s < HEAD ? &heads[(r / LANES * head + s) * LANES + r % LANES]
                       : &tails[(r / LANES * tail + s - HEAD) * LANES + r % LANES]) = few == 2 ? (r % 2 ? ~0u : 0) : few ? (draw() & 3) * 0x11111111u : draw();
        if (r % 7 != 6)
            live[r / LANES] = (uint16_t)(live[r / LANES] | 1u << r % LANES);
    }
    for (size_t i = 0; i < m * steps; i++) { /* probes at an odd address */
        uint32_t word = few == 2 ? 0 : few ? (draw() & 3) * 0x11111111u : draw();
        memcpy(probes + 1 + 4 * i, &word, 4);
    }
    hm_job job = {scan, {heads, tails, live, steps}, rows, probes + 1, m, threads};
    if (hm_search(&job, k, EVERY_HEAD, near, where) || hm_distances(&job, matrix) || hm_histogram(&job, counts) ||
        hm_count_within(&job, (uint32_t)(15 * steps), each))
        abort();
    bounds[0] = 0;
    for (size_t p = 0; p < m; p++)
        bounds[p + 1] = bounds[p] + each[p];
    uint16_t *found = need((size_t)bounds[m] * 2);
    int64_t *places = need((size_t)bounds[m] * 8);
    if (hm_list_within(&job, (uint32_t)(15 * steps), bounds, found, places))
        abort();
    for (size_t i = 0; i < m * rows; i++)
        if (i % rows % 7 == 6)
            matrix[i] = 0;
    mix(near, m * k * 2);
    mix(where, m * k * 8);
    for (uint32_t radius = 120; steps >= HEAD && radius < 161; radius += 20) { /* few, half or nearly all rows are within */
        if (hm_search(&job, k, radius, near, where))
            abort();
        mix(near, m * k * 2);
        mix(where, m * k * 8);
    }
    memset(live, 0, blocks * 2); /* by another thread, after the number of live rows was checked: a search ends */
    if (hm_search(&job, k, EVERY_HEAD, near, where) || (steps >= HEAD && hm_search(&job, k, 120, near, where)))
        abort();
    mix(matrix, m * rows * 2);
    mix(counts, bins * 8);
    mix(bounds, (m + 1) * 8);
    mix(found, (size_t)bounds[m] * 2);
    mix(places, (size_t)bounds[m] * 8);

    size_t room = 4 * k + SELECT_SPARE;
    uint64_t *keys = need(m * room * 8), *sizes = need(m * 8);
    float *scores = need(m * rows * 4), *floors = need(m * 4), *best = need(m * k * 4);
    memset(sizes, 0, m * 8);
    for (size_t p = 0; p < m; p++)
        floors[p] = -1e30f;
    for (size_t i = 0; i < m * rows; i++)
        scores[i] = (float)matrix[i] * (i % 2 ? -0.5f : 0.25f);
    select_scores(scores, m, rows, 0, k, room, keys, sizes, floors);
    select_finish(m, k, room, keys, sizes, best, where);
    mix(best, m * k * 4);
    mix(where, m * k * 8);

    /* Small whole numbers, and probes of four numbers whose norm is 2: products add up to the same in any order. */
    size_t d = steps + 1;
    float *vectors = need((rows + m) * d * 4), *unit = need(m * d * 4);
    unsigned char *marks = need(rows);
    for (uint32_t i = 0; i < rows * d; i++)
        vectors[i] = (float)((int)(i * 2654435761u >> 29) * 2 - 7);
    for (size_t p = 0; p < m; p++) {
        memset(vectors + (rows + p) * d, 0, d * 4);
        for (size_t t = 0; t < 4; t++)
            vectors[(rows + p) * d + (p + t * (d / 4)) % d] = t % 2 ? -3 : 3;
    }
    for (size_t r = 0; r < rows; r++)
        marks[r] = r % 7 != 6;
    best_job faces = {scan->name, vectors, rows, d, threads == 1 ? NULL : marks, k};
    if (best_rows(&faces, vectors + rows * d, m, best, where) || !unit_rows(vectors, m, d, unit))
        abort();
    mix(best, m * k * 4);
    mix(where, m * k * 8);
    mix(unit, m * d * 4);
    free(vectors), free(unit), free(marks);
    free(heads), free(tails), free(live), free(near), free(matrix), free(where), free(counts), free(bounds), free(each), free(probes);
    free(found), free(places), free(keys), free(sizes), free(scores), free(floors), free(best);
}

int main(void)
{
    const scanner *scan;
    for (size_t v = 0; (scan = hm_variant(v)); v++) {
        state = 1;
        digest = 14695981039346656037u;
        for (size_t i = 0; i < 40; i++) {
            static const size_t lengths[] = {2, 4, 16, 30, 32, 34, 62, 64};
            size_t rows = 20 + draw() % 700, m = 1 + draw() % 20;
            size_t k = 1 + draw() % (rows / 2), threads = 1 + draw() % 3;
            run(scan, rows, lengths[i % 8], m, k, threads, i % 3 == 0 ? 1 : i % 5 == 1 ? 2 : 0);
        }
        printf("%s %016" PRIx64 "\n", scan->name, digest);
    }
    return 0;
}

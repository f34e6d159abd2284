/* Search, distance matrix, histogram and range search on top of the scan. */
#include "hamming.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TILE_BYTES (128u << 10)      /* gallery bytes that all probes pass over before the next ones: half of a small L2 */
#define PROBES_PER_ROUND 64          /* what is kept for each of them should stay in the second-level cache */
#define STATE_BYTES (64u << 20)      /* bound on what a search keeps, as long as one probe fits */
#define HISTOGRAM_WAYS 4             /* equal neighbors would wait for each other's increment in one table */
#define MAX_THREADS 64

const scanner *hm_variant(size_t i)
{
    size_t n = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vpopcntdq") && n++ == i)
        return &scan_avx512;
    if (__builtin_cpu_supports("avx2") && n++ == i)
        return &scan_avx2;
#elif defined(__aarch64__)
    if (n++ == i)
        return &scan_neon;
#endif
    return n == i ? &scan_portable : NULL;
}

/* One share of the rows of a job, and what its thread keeps. */
typedef struct worker worker;
struct worker {
    sink base; /* first: a sink is its worker */
    const hm_job *job;
    size_t first_block, last_block;
    size_t round, group; /* first probe of the round (in the job), first probe of the group (in the round) */
    size_t round_probes;
    uint32_t *words; /* [groups][steps][GROUP] */

    uint32_t *limits;     /* [round_probes] */
    uint32_t head_radius; /* EVERY_HEAD: every row is compared in full */

    /* search */
    size_t k, room, bins_per_probe;
    uint32_t *list_distance, *list_position; /* [round_probes][room] */
    size_t *list_size;                       /* [round_probes] */
    size_t *nearer;                          /* [round_probes], listed rows nearer than the limit, fewer than k */
    uint32_t *bins;                          /* [round_probes][bins_per_probe], listed rows at each distance */
    /* distances, histogram, range */
    uint16_t *distances;
    uint64_t *tally; /* [HISTOGRAM_WAYS][32 * steps + 1] */
    int64_t *counts, *positions;
    const int64_t *bounds;
};

static size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

/* The limit that no distance reaches. */
static uint32_t every_row(const hm_job *job) { return (uint32_t)(32 * job->rows_of.steps + 1); }

static size_t block_count(const hm_job *job) { return (job->rows + LANES - 1) / LANES; }

/* Regroup the probes of a round so that the 8 words a step needs lie side by side. */
static void arrange_words(const hm_job *job, size_t round, size_t probes, uint32_t *words)
{
    size_t steps = job->rows_of.steps;
    memset(words, 0, (probes + GROUP - 1) / GROUP * steps * GROUP * sizeof *words);
    for (size_t p = 0; p < probes; p++)
        for (size_t s = 0; s < steps; s++)
            memcpy(&words[(p / GROUP * steps + s) * GROUP + p % GROUP], job->probes + ((round + p) * steps + s) * 4, 4);
}

/* Each probe passes alone over the heads: they are few enough bytes that reading them again costs little. */
static void run_near(worker *w, size_t first, size_t last)
{
    const gallery *g = &w->job->rows_of;
    for (w->group = 0; w->group < w->round_probes; w->group++) {
        w->base.limit[0] = w->limits[w->group];
        const uint32_t *words = w->words + w->group / GROUP * GROUP * g->steps + w->group % GROUP;
        w->job->scan->near(g, first, last, words, w->head_radius + 1, &w->base);
        w->limits[w->group] = w->base.limit[0];
    }
}

static void *run_worker(void *argument)
{
    worker *w = argument;
    const gallery *g = &w->job->rows_of;
    size_t tile = TILE_BYTES / (g->steps * LANES * sizeof(uint32_t));
    tile = tile ? tile : 1;
    for (size_t first = w->first_block; first < w->last_block; first += tile) {
        size_t last = min_size(first + tile, w->last_block);
        if (w->head_radius < EVERY_HEAD) {
            run_near(w, first, last);
            continue;
        }
        for (w->group = 0; w->group < w->round_probes; w->group += GROUP) {
            size_t probes = min_size(GROUP, w->round_probes - w->group);
            for (size_t p = 0; p < GROUP; p++)
                w->base.limit[p] = p < probes ? w->limits[w->group + p] : 0;
            w->job->scan->all(g, first, last, w->words + w->group * g->steps, probes, &w->base);
            memcpy(w->limits + w->group, w->base.limit, probes * sizeof *w->limits);
        }
    }
    return NULL;
}

/* Run all workers; the first on this thread. A thread that cannot be had costs time, not the result. */
static void run_workers(worker *workers, size_t n)
{
    pthread_t ids[MAX_THREADS];
    int started[MAX_THREADS] = {0};
    for (size_t t = 1; t < n; t++)
        started[t] = pthread_create(&ids[t], NULL, run_worker, &workers[t]) == 0;
    run_worker(&workers[0]);
    for (size_t t = 1; t < n; t++) {
        if (started[t])
            pthread_join(ids[t], NULL);
        else
            run_worker(&workers[t]);
    }
}

static size_t worker_count(const hm_job *job)
{
    size_t blocks = block_count(job);
    size_t n = min_size(job->threads, MAX_THREADS);
    return blocks < n ? (blocks ? blocks : 1) : n;
}

static void free_workers(worker *workers, size_t n)
{
    if (!workers)
        return;
    for (size_t t = 0; t < n; t++) {
        free(workers[t].list_distance);
        free(workers[t].list_position);
        free(workers[t].list_size);
        free(workers[t].limits);
        free(workers[t].nearer);
        free(workers[t].bins);
        free(workers[t].tally);
    }
    free(workers[0].words);
    free(workers);
}

/* Workers with an equal share of the blocks each and a limit table; NULL if there is no memory. */
static worker *make_workers(const hm_job *job, size_t n, size_t round_probes,
                            void (*take)(sink *, size_t, uint16_t (*)[LANES], const uint16_t *, size_t))
{
    worker *workers = calloc(n, sizeof *workers);
    if (!workers)
        return NULL;
    size_t groups = (round_probes + GROUP - 1) / GROUP;
    uint32_t *words = workers[0].words = malloc(groups * GROUP * job->rows_of.steps * sizeof *words);
    int ok = words != NULL;
    for (size_t t = 0; t < n; t++) {
        worker *w = &workers[t];
        w->base.take = take;
        w->job = job;
        w->first_block = block_count(job) * t / n;
        w->last_block = block_count(job) * (t + 1) / n;
        w->words = words;
        w->limits = malloc(groups * GROUP * sizeof *w->limits);
        ok = ok && w->limits;
    }
    if (ok)
        return workers;
    free_workers(workers, n);
    return NULL;
}

/* Start a round: probes [round, round + probes) with one limit for all. */
static void begin_round(worker *workers, size_t n, size_t round, size_t probes, uint32_t limit)
{
    arrange_words(workers[0].job, round, probes, workers[0].words);
    for (size_t t = 0; t < n; t++) {
        workers[t].round = round;
        workers[t].round_probes = probes;
        for (size_t p = 0; p < probes; p++)
            workers[t].limits[p] = limit;
    }
}

/* ---- search ---- */

/* Drop what can no longer be among the k nearest of probe p, keeping position order. */
static void shrink_list(worker *w, size_t p)
{
    uint32_t *distance = w->list_distance + p * w->room, *position = w->list_position + p * w->room;
    uint32_t edge = w->base.limit[p - w->group];
    size_t ties = w->k - w->nearer[p], kept = 0;
    for (size_t i = 0; i < w->list_size[p]; i++) {
        if (distance[i] > edge || (distance[i] == edge && ties == 0))
            continue;
        ties -= distance[i] == edge;
        distance[kept] = distance[i];
        position[kept++] = position[i];
    }
    w->list_size[p] = kept;
}

/* Rows come by ascending position, so one at the distance of the k-th nearest so far comes too late: the limit is that
 * distance. It is followed with a count of the listed rows at each distance. */
static void take_nearest(sink *self, size_t block, uint16_t (*dist)[LANES], const uint16_t *near, size_t probes)
{
    worker *w = (worker *)self;
    for (size_t i = 0; i < probes; i++) {
        if (!near[i])
            continue;
        size_t p = w->group + i;
        if (w->list_size[p] + LANES > w->room)
            shrink_list(w, p);
        uint32_t *distance = w->list_distance + p * w->room, *position = w->list_position + p * w->room;
        uint32_t *bins = w->bins + p * w->bins_per_probe;
        uint32_t limit = w->base.limit[i];
        size_t size = w->list_size[p], nearer = w->nearer[p];
        for (uint32_t bits = near[i]; bits; bits &= bits - 1) {
            size_t row = (size_t)__builtin_ctz(bits);
            uint32_t d = dist[i][row];
            distance[size] = d;
            position[size] = (uint32_t)(block * LANES + row);
            size += d < limit; /* the limit may have come down since the block was compared */
            nearer += d < limit;
            bins[d]++;
            while (nearer >= w->k)
                nearer -= bins[--limit];
        }
        w->list_size[p] = size;
        w->nearer[p] = nearer;
        w->base.limit[i] = limit;
    }
}

/* Counting sort by distance over all workers' lists: workers and lists are in position order, and the sort is stable.
 * No row past the lowest limit can be among the k nearest. */
static void write_nearest(worker *workers, size_t n, size_t p, uint16_t *distances, int64_t *positions)
{
    worker *w = &workers[0];
    uint32_t *slots = w->bins + p * w->bins_per_probe; /* done with as counts */
    uint32_t edge = (uint32_t)w->bins_per_probe - 2;
    for (size_t t = 0; t < n; t++)
        edge = workers[t].limits[p] < edge ? workers[t].limits[p] : edge;
    memset(slots, 0, (edge + 2) * sizeof *slots);
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < workers[t].list_size[p]; i++) {
            uint32_t d = workers[t].list_distance[p * w->room + i];
            slots[(d < edge ? d : edge) + 1]++;
        }
    for (size_t d = 1; d <= edge; d++)
        slots[d] += slots[d - 1];
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < workers[t].list_size[p]; i++) {
            uint32_t d = workers[t].list_distance[p * w->room + i];
            if (d > edge)
                continue;
            uint32_t slot = slots[d]++;
            if (slot < w->k) {
                distances[slot] = (uint16_t)d;
                positions[slot] = workers[t].list_position[p * w->room + i];
            }
        }
}

static size_t listed(const worker *workers, size_t n, size_t p)
{
    size_t sum = 0;
    for (size_t t = 0; t < n; t++)
        sum += workers[t].list_size[p];
    return sum;
}

int hm_search(const hm_job *job, size_t k, uint32_t head_radius, uint16_t *distances, int64_t *positions)
{
    size_t n = worker_count(job);
    size_t room = 4 * k > 64 ? 4 * k : 64; /* a shrink then pays for three quarters of a list */
    room = min_size(room, job->rows) + LANES;
    size_t bins = 32 * job->rows_of.steps + 2;
    size_t round = STATE_BYTES / (sizeof(uint32_t) * (2 * room + bins) * n);
    round = min_size(min_size(round ? round : 1, PROBES_PER_ROUND), job->m);
    worker *workers = make_workers(job, n, round, take_nearest);
    if (!workers)
        return HM_NO_MEMORY;
    int status = HM_OK;
    for (size_t t = 0; t < n; t++) {
        worker *w = &workers[t];
        w->head_radius = head_radius;
        w->k = k;
        w->room = room;
        w->bins_per_probe = bins;
        w->list_distance = malloc(round * room * sizeof *w->list_distance);
        w->list_position = malloc(round * room * sizeof *w->list_position);
        w->list_size = malloc(round * sizeof *w->list_size);
        w->nearer = malloc(round * sizeof *w->nearer);
        w->bins = malloc(round * bins * sizeof *w->bins);
        if (!w->list_distance || !w->list_position || !w->list_size || !w->nearer || !w->bins)
            status = HM_NO_MEMORY;
    }
    for (size_t first = 0; status == HM_OK && first < job->m; first += round) {
        size_t probes = min_size(round, job->m - first);
        begin_round(workers, n, first, probes, every_row(job));
        for (size_t t = 0; t < n; t++) {
            memset(workers[t].list_size, 0, probes * sizeof *workers[t].list_size);
            memset(workers[t].nearer, 0, probes * sizeof *workers[t].nearer);
            memset(workers[t].bins, 0, probes * bins * sizeof *workers[t].bins);
        }
        run_workers(workers, n);
        for (size_t p = 0; p < probes && status == HM_OK; p++) {
            const size_t at = (first + p) * k;
            hm_job alone = *job;
            alone.probes += (first + p) * 4 * job->rows_of.steps;
            alone.m = 1;
            if (head_radius < EVERY_HEAD && listed(workers, n, p) < k)
                status = hm_search(&alone, k, EVERY_HEAD, distances + at, positions + at);
            else
                write_nearest(workers, n, p, distances + at, positions + at);
        }
    }
    free_workers(workers, n);
    return status;
}

/* ---- distance matrix ---- */

static void take_distances(sink *self, size_t block, uint16_t (*dist)[LANES], const uint16_t *near, size_t probes)
{
    worker *w = (worker *)self;
    (void)near;
    size_t rows = w->job->rows, row = block * LANES;
    for (size_t i = 0; i < probes; i++)
        memcpy(w->distances + (w->round + w->group + i) * rows + row, dist[i],
               min_size(LANES, rows - row) * sizeof(uint16_t));
}

/* ---- histogram ---- */

static void take_tally(sink *self, size_t block, uint16_t (*dist)[LANES], const uint16_t *near, size_t probes)
{
    worker *w = (worker *)self;
    (void)block;
    size_t bins = 32 * w->job->rows_of.steps + 1;
    for (size_t i = 0; i < probes; i++) {
        if (near[i] == 0xffff) {
            for (size_t r = 0; r < LANES; r++)
                w->tally[r % HISTOGRAM_WAYS * bins + dist[i][r]]++;
        } else {
            for (uint32_t bits = near[i]; bits; bits &= bits - 1)
                w->tally[dist[i][__builtin_ctz(bits)]]++;
        }
    }
}

/* ---- range ---- */

static void take_counts(sink *self, size_t block, uint16_t (*dist)[LANES], const uint16_t *near, size_t probes)
{
    worker *w = (worker *)self;
    (void)block;
    (void)dist;
    for (size_t i = 0; i < probes; i++)
        w->counts[w->round + w->group + i] += __builtin_popcount(near[i]);
}

static void take_listed(sink *self, size_t block, uint16_t (*dist)[LANES], const uint16_t *near, size_t probes)
{
    worker *w = (worker *)self;
    for (size_t i = 0; i < probes; i++) {
        size_t p = w->round + w->group + i;
        for (uint32_t bits = near[i]; bits && w->counts[p] < w->bounds[p + 1]; bits &= bits - 1) {
            size_t row = (size_t)__builtin_ctz(bits);
            w->distances[w->counts[p]] = dist[i][row];
            w->positions[w->counts[p]++] = (int64_t)(block * LANES + row);
        }
    }
}

/* All operations but search: one limit for all probes, nothing to merge but what `finish` adds up. */
static int run_plain(const hm_job *job, size_t threads, uint32_t limit, const worker *outputs, int with_tally,
                     int64_t *counts)
{
    hm_job own = *job;
    own.threads = threads;
    size_t n = worker_count(&own), bins = 32 * job->rows_of.steps + 1;
    size_t round = min_size(PROBES_PER_ROUND, job->m);
    worker *workers = make_workers(&own, n, round, outputs->base.take);
    if (!workers)
        return HM_NO_MEMORY;
    int status = HM_OK;
    for (size_t t = 0; t < n; t++) {
        worker *w = &workers[t];
        w->head_radius = EVERY_HEAD;
        w->distances = outputs->distances;
        w->counts = outputs->counts;
        w->positions = outputs->positions;
        w->bounds = outputs->bounds;
        if (with_tally && !(w->tally = calloc(HISTOGRAM_WAYS * bins, sizeof *w->tally)))
            status = HM_NO_MEMORY;
    }
    for (size_t first = 0; status == HM_OK && first < job->m; first += round) {
        begin_round(workers, n, first, min_size(round, job->m - first), limit);
        run_workers(workers, n);
    }
    for (size_t t = 0; with_tally && status == HM_OK && t < n; t++)
        for (size_t i = 0; i < HISTOGRAM_WAYS * bins; i++)
            counts[i % bins] += (int64_t)workers[t].tally[i];
    free_workers(workers, n);
    return status;
}

int hm_distances(const hm_job *job, uint16_t *distances)
{
    worker outputs = {.base.take = take_distances, .distances = distances};
    return run_plain(job, job->threads, every_row(job), &outputs, 0, NULL);
}

int hm_histogram(const hm_job *job, int64_t *counts)
{
    worker outputs = {.base.take = take_tally};
    return run_plain(job, job->threads, every_row(job), &outputs, 1, counts);
}

int hm_count_within(const hm_job *job, uint32_t radius, int64_t *counts)
{
    worker outputs = {.base.take = take_counts, .counts = counts};
    memset(counts, 0, job->m * sizeof *counts);
    return run_plain(job, 1, radius + 1, &outputs, 0, NULL);
}

int hm_list_within(const hm_job *job, uint32_t radius, const int64_t *bounds, uint16_t *distances, int64_t *positions)
{
    int64_t *cursors = malloc((job->m + 1) * sizeof *cursors);
    if (!cursors)
        return HM_NO_MEMORY;
    memcpy(cursors, bounds, job->m * sizeof *cursors);
    worker outputs = {.base.take = take_listed,
                      .counts = cursors,
                      .bounds = bounds,
                      .distances = distances,
                      .positions = positions};
    int status = run_plain(job, 1, radius + 1, &outputs, 0, NULL);
    free(cursors);
    return status;
}

/* Compare with all parts of a gallery on several threads: each takes the next batch, so that all end together however
 * long the records are and whatever else the machine does. */
#include "compare.h"

#include <pthread.h>
#include <stdlib.h>

#define BATCH 32 /* rows: about 0.1 ms */

typedef struct {
    fg_job job;
    fg_compare compare;
    const fg_part *parts;
    size_t n_parts;
    float *evidence;
    size_t *next; /* first row nobody has taken, shared */
} worker;

static void *run_worker(void *argument)
{
    worker *w = argument;
    size_t part = 0, before = 0; /* rows of the parts before this one; a worker's batches come in order */
    for (;;) {
        size_t first = __atomic_fetch_add(w->next, BATCH, __ATOMIC_RELAXED), last = first + BATCH;
        while (part < w->n_parts) {
            const fg_part *p = &w->parts[part];
            if (first < before + p->rows) {
                w->job.records = p->records;
                w->job.starts = p->starts;
                w->job.counts = p->counts;
                w->job.evidence = w->evidence + before * N_EVIDENCE;
                w->job.first = first - before;
                w->job.last = (last < before + p->rows ? last - before : p->rows);
                w->compare(&w->job);
                first = before + w->job.last;
                if (first == last)
                    break;
            }
            before += p->rows;
            part++;
        }
        if (part == w->n_parts)
            return NULL;
    }
}

int fg_compare_parts(fg_compare compare, const fg_job *common, const fg_part *parts, size_t n_parts, size_t threads,
                     float *evidence)
{
    size_t rows = 0, next = 0;
    for (size_t i = 0; i < n_parts; i++)
        rows += parts[i].rows;
    const size_t batches = (rows + BATCH - 1) / BATCH, wanted = threads < MAX_THREADS ? threads : MAX_THREADS;
    const size_t n = batches < wanted ? (batches ? batches : 1) : wanted, table = MAX_LANES * MAX_LANES;
    int32_t *tables = aligned_alloc(64, n * table * sizeof *tables);
    if (!tables)
        return -1;
    worker workers[MAX_THREADS];
    pthread_t ids[MAX_THREADS];
    int started[MAX_THREADS] = {0};
    for (size_t t = 0; t < n; t++) {
        workers[t] = (worker){*common, compare, parts, n_parts, evidence, &next};
        workers[t].job.table = tables + t * table;
    }
    for (size_t t = 1; t < n; t++)
        started[t] = pthread_create(&ids[t], NULL, run_worker, &workers[t]) == 0;
    run_worker(&workers[0]); /* also does the share of a thread that cannot be had */
    for (size_t t = 1; t < n; t++)
        if (started[t])
            pthread_join(ids[t], NULL);
    free(tables);
    return 0;
}

/* What threads gain without Python: the comparison of the product, called from plain C.
 *
 *     fingerprint_threads FILE     commands on standard input; seconds on standard output: wall time, processor time of
 *                                  the thread that had most
 *
 * FILE holds int64 numbers (dimensions, minutiae of the probe, rows, bytes of records), then the arrays of
 * bioguard.match.fingerprint.native_backend in the order they are read here. Each line of input is a number of threads;
 * each gets an equal run of rows. */
#include "compare.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static fg_compare compare;

static void *take(FILE *file, size_t bytes)
{
    void *at = aligned_alloc(64, (bytes + 64) / 64 * 64);
    if (!at || fread(at, 1, bytes, file) != bytes)
        exit(2);
    return at;
}

typedef struct {
    fg_job job;
    double seconds;
} share;

static double now(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

static void *run(void *argument)
{
    share *own = argument;
    const double start = now(CLOCK_THREAD_CPUTIME_ID);
    compare(&own->job);
    own->seconds = now(CLOCK_THREAD_CPUTIME_ID) - start;
    return NULL;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file)
        return 2;
    const int64_t *sizes = take(file, 4 * sizeof(int64_t));
    const size_t dimensions = (size_t)sizes[0], minutiae = (size_t)sizes[1], rows = (size_t)sizes[2];
    static fg_probe probe;
    const int8_t *codes = take(file, minutiae * dimensions);
    const int16_t *places = take(file, minutiae * 8);
    fg_load_probe(&probe, codes, places, (int)minutiae, (int)dimensions);
    fg_job job = {.probe = &probe};
    job.constants = take(file, sizeof(fg_constants));
    job.kept = take(file, 256 * 4);
    job.records = take(file, (size_t)sizes[3]);
    job.starts = take(file, rows * 8);
    job.counts = take(file, rows);
    job.evidence = malloc(rows * N_EVIDENCE * sizeof(float));
    const fg_variant *list;
    fg_variants(&list);
    compare = list[0].compare;
    static share shares[MAX_THREADS];
    pthread_t ids[MAX_THREADS];
    for (size_t t = 0; t < MAX_THREADS; t++)
        if (shares[t].job = job, !(shares[t].job.table = aligned_alloc(64, MAX_LANES * MAX_LANES * 4)))
            return 2;
    for (size_t n; scanf("%zu", &n) == 1 && n >= 1 && n <= MAX_THREADS;) {
        const double start = now(CLOCK_MONOTONIC);
        double most = 0;
        for (size_t t = 0; t < n; t++) {
            shares[t].job.first = rows * t / n;
            shares[t].job.last = rows * (t + 1) / n;
            if (pthread_create(&ids[t], NULL, run, &shares[t]))
                return 2;
        }
        for (size_t t = 0; t < n; t++) {
            pthread_join(ids[t], NULL);
            most = shares[t].seconds > most ? shares[t].seconds : most;
        }
        printf("%.9f %.9f\n", now(CLOCK_MONOTONIC) - start, most);
        fflush(stdout);
    }
    return 0;
}

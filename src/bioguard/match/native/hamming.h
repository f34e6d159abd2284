/* Hamming operations over an interleaved gallery (scan.h). Plain C: no Python, no global state.
 *
 * Callers guarantee: arrays have the stated sizes, planes are 64-byte aligned, outputs alias nothing, rows < 2^31,
 * 2 <= steps <= 2046, live bits past `rows` are 0. Distances are below 65536, so they fit in uint16.
 */
#ifndef BIOGUARD_HAMMING_H
#define BIOGUARD_HAMMING_H

#include "scan.h"

enum { HM_OK = 0, HM_NO_MEMORY = -1 };

#define EVERY_HEAD (32 * HEAD) /* the radius that no row is outside of */

typedef struct {
    const scanner *scan;
    gallery rows_of;
    size_t rows;
    const unsigned char *probes; /* [m][4 * steps], need not be aligned */
    size_t m;
    size_t threads;
} hm_job;

/* Variant i, best first; NULL after the last one this processor can run. */
const scanner *hm_variant(size_t i);

/* distances[m][k] ascending, positions[m][k]; ties by lower position; 1 <= k <= number of live rows.
 * head_radius: rows whose first 32 * HEAD bits differ in more are passed over, unless fewer than k are left for a probe:
 * then all rows count for it. steps >= HEAD, or EVERY_HEAD. */
int hm_search(const hm_job *job, size_t k, uint32_t head_radius, uint16_t *distances, int64_t *positions);
/* distances[m][rows]; entries of rows that are not live are left as they are. */
int hm_distances(const hm_job *job, uint16_t *distances);
/* counts[32 * steps + 1], added to. */
int hm_histogram(const hm_job *job, int64_t *counts);
/* counts[m]: live rows at distance <= radius. One thread. */
int hm_count_within(const hm_job *job, uint32_t radius, int64_t *counts);
/* Rows at distance <= radius of probe p to [bounds[p], bounds[p + 1]), by ascending position. One thread.
 * Never writes past bounds[p + 1]. */
int hm_list_within(const hm_job *job, uint32_t radius, const int64_t *bounds, uint16_t *distances,
                   int64_t *positions);

#endif

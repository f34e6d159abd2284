/* The nearest rows of a few probes in one call: normalize, dot products, selection. Plain C: no Python, no global state. */
#ifndef BIOGUARD_BEST_H
#define BIOGUARD_BEST_H

#include <stddef.h>
#include <stdint.h>

enum { BEST_OK = 0, BEST_NO_MEMORY = -1, BEST_NO_PROBE = -2, BEST_NOT_A_NUMBER = -3 };

typedef struct {
    const char *variant; /* one of hm_variant's names */
    const float *rows;   /* [n][d] */
    size_t n, d;
    const unsigned char *live; /* [n], 0 for rows that do not count; NULL if all do */
    size_t k;                  /* 1 to the number of live rows */
} best_job;

/* out[n][d] = rows at norm 1, the same bits in every variant and on every processor. 0 if a row holds a number that is
 * not finite, or none of at least 1e-12 (arrays.MIN_NORM). */
int unit_rows(const float *rows, size_t n, size_t d, float *out);

/* scores[m][k] descending, positions[m][k]; the lower position wins a tie. Probes are brought to norm 1 first;
 * BEST_NO_PROBE if unit_rows would say 0 of one. */
int best_rows(const best_job *job, const float *probes, size_t m, float *scores, int64_t *positions);

#endif

/* Dot products of float rows with a few probes, read once from memory. Plain C: no Python, no global state. */
#ifndef BIOGUARD_DOTS_H
#define BIOGUARD_DOTS_H

#include <stddef.h>

/* out[m][n] = probes[m][d] . rows[n][d]. The variant is one of hm_variant's names; each sums in an order of its own. */
void dot_rows(const char *variant, const float *rows, size_t n, size_t d, const float *probes, size_t m, float *out);

#endif

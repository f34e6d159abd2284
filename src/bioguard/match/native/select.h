/* The k highest of a stream of scores, for several probes at once. Plain C: no Python, no global state.
 *
 * A candidate is one 64-bit key that orders as (score, earlier position): so lists are sorted and cut as integers, and
 * equal scores come by ascending position. Callers guarantee: room >= k + SELECT_SPARE, positions < 2^32.
 */
#ifndef BIOGUARD_SELECT_H
#define BIOGUARD_SELECT_H

#include <stddef.h>
#include <stdint.h>

#define SELECT_SPARE 16

/* List what beats floors[p], which follows the k-th best. scores: [m][columns]; keys: [m][room]; sizes, floors: [m].
 * Blocks must come by ascending `start`. A NaN or -inf is never listed. */
void select_scores(const float *scores, size_t m, size_t columns, size_t start, size_t k, size_t room, uint64_t *keys,
                   uint64_t *sizes, float *floors);

/* Sort the lists. scores: [m][k], descending; positions: [m][k]. Every list holds at least k keys. */
void select_finish(size_t m, size_t k, size_t room, uint64_t *keys, const uint64_t *sizes, float *scores,
                   int64_t *positions);

#endif

/* The inner loop of every Hamming operation, in one shape for every instruction set.
 *
 * Layout of a gallery: blocks of 16 rows. A block holds `steps` lines of 16 uint32; line s holds 32-bit word s of
 * each of the 16 rows. So one vector holds the same word of many rows, counts stay in their lane, and the sums of a
 * block are its distances: there is no horizontal sum.
 *
 * A scan compares up to 8 probes with each block in one pass, so the block is read once for all of them, and calls
 * the sink only for blocks where some row is nearer than that probe's limit.
 */
#ifndef BIOGUARD_SCAN_H
#define BIOGUARD_SCAN_H

#include <stddef.h>
#include <stdint.h>

#define LANES 16
#define GROUP 8 /* probes per pass */
#define BYTE_STEPS 31 /* byte counters take at most 8 a step; 31 * 8 = 248 still fits */

typedef struct sink sink;
struct sink {
    /* Called with the distances of one block. Bit r of near[p] is set if row r is live and dist[p][r] < limit[p]. */
    void (*take)(sink *self, size_t block, uint16_t (*dist)[LANES], const uint16_t *near, size_t probes);
    uint32_t limit[GROUP]; /* take may lower its own limits */
};

typedef struct {
    const uint32_t *blocks; /* [n_blocks][steps][LANES], 64-byte aligned */
    const uint16_t *live;   /* [n_blocks], bit r: row r of the block counts */
    size_t steps;
} gallery;

/* words: [steps][GROUP], word s of probe p at words[s * GROUP + p]; 1 <= probes <= GROUP. */
typedef void scan_fn(const gallery *g, size_t first_block, size_t last_block, const uint32_t *words, size_t probes,
                     sink *out);

scan_fn scan_portable;
scan_fn scan_avx2;
scan_fn scan_avx512;
scan_fn scan_neon;

#endif

/* The inner loop of every Hamming operation, in one shape for every instruction set.
 *
 * Layout of a gallery: blocks of 16 rows. A block has `steps` lines of 16 uint32; line s holds 32-bit word s of each of
 * the 16 rows. So one vector holds the same word of many rows, counts stay in their lane, and the sums of a block are
 * its distances: there is no horizontal sum. The first HEAD lines of all blocks lie together, and so do the others:
 * whoever wants the first 320 bits only reads a third of codes of 1024.
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
#define HEAD 10 /* lines of a block that lie in the first plane: 320 bits */
#define BYTE_STEPS 31 /* byte counters take at most 8 a step; 31 * 8 = 248 still fits */

typedef struct sink sink;
struct sink {
    /* Called with the distances of one block. Bit r of near[p] is set if row r is live and dist[p][r] < limit[p]. */
    void (*take)(sink *self, size_t block, uint16_t (*dist)[LANES], const uint16_t *near, size_t probes);
    uint32_t limit[GROUP]; /* take may lower its own limits */
};

typedef struct {
    const uint32_t *heads; /* [n_blocks][min(steps, HEAD)][LANES], 64-byte aligned */
    const uint32_t *tails; /* [n_blocks][steps - HEAD or 0][LANES], 64-byte aligned */
    const uint16_t *live;  /* [n_blocks], bit r: row r of the block counts */
    size_t steps;
} gallery;

/* words: [steps][GROUP], word s of probe p at words[s * GROUP + p]; 1 <= probes <= GROUP. */
typedef void scan_fn(const gallery *g, size_t first_block, size_t last_block, const uint32_t *words, size_t probes,
                     sink *out);

/* The same for one probe, words[s * GROUP], but only rows whose heads differ in fewer bits than the limit are compared
 * in full. steps >= HEAD. */
typedef void near_fn(const gallery *g, size_t first_block, size_t last_block, const uint32_t *words, uint32_t head_limit,
                     sink *out);

typedef struct {
    const char *name;
    scan_fn *all;
    near_fn *near;
} scanner;

/* For variants that count in bytes: where a run of steps from `start` ends, with the head at the latest, and its lines. */
static inline size_t run_end(size_t start, size_t steps)
{
    const size_t end = start < HEAD ? HEAD : start + BYTE_STEPS;
    return end < steps ? end : steps;
}

static inline const uint32_t *run_lines(const uint32_t *head, const uint32_t *tail, size_t start)
{
    return start < HEAD ? head + start * LANES : tail + (start - HEAD) * LANES;
}

extern const scanner scan_portable, scan_avx2, scan_avx512, scan_neon;

#endif

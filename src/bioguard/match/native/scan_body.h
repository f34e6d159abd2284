/* The loop over blocks, compiled once for each instruction set.
 *
 * The including file defines SCAN_NAME, SCAN_TARGET and
 *   static inline uint32_t SCAN_BLOCK(block, steps, words, probes, limit, live, dist, near)
 * which fills dist[0..probes) and near[0..probes) and returns the union of near; if that is 0 it may leave dist unset.
 */
#define SCAN_INLINE static inline __attribute__((always_inline)) SCAN_TARGET

SCAN_INLINE void scan_probes(const gallery *g, size_t first_block, size_t last_block, const uint32_t *words,
                             const size_t probes, const size_t steps, size_t wanted, sink *out)
{
    uint16_t dist[GROUP][LANES] __attribute__((aligned(64)));
    uint16_t near[GROUP];
    for (size_t b = first_block; b < last_block; b++) {
        const uint32_t *block = g->blocks + b * steps * LANES;
        if (SCAN_BLOCK(block, steps, words, probes, out->limit, g->live[b], dist, near))
            out->take(out, b, dist, near, wanted);
    }
}

/* The number of probes is a constant in each branch, so the compiler keeps one accumulator per probe in a register.
 * For one probe the number of steps is too where the code has 512 or 1024 bits: with so little work in a block, a loop
 * would spend as much time on its mispredicted end as on the block. Unused probes of a group have a limit of 0 and so
 * are never near. */
SCAN_TARGET void SCAN_NAME(const gallery *g, size_t first_block, size_t last_block, const uint32_t *words,
                           size_t probes, sink *out)
{
    if (probes == 1 && g->steps == 16)
        scan_probes(g, first_block, last_block, words, 1, 16, 1, out);
    else if (probes == 1 && g->steps == 32)
        scan_probes(g, first_block, last_block, words, 1, 32, 1, out);
    else if (probes == 1)
        scan_probes(g, first_block, last_block, words, 1, g->steps, 1, out);
    else if (probes <= 4)
        scan_probes(g, first_block, last_block, words, 4, g->steps, probes, out);
    else
        scan_probes(g, first_block, last_block, words, GROUP, g->steps, probes, out);
}

/* The loops over blocks, compiled once for each instruction set.
 *
 * The including file defines SCAN_NAME, SCAN_LABEL (a string), SCAN_TARGET and
 *   static inline uint32_t SCAN_BLOCK(head, tail, steps, words, probes, limit, live, dist, near)
 * which fills dist[0..probes) and near[0..probes) and returns the union of near; if that is 0 it may leave dist unset.
 * The first HEAD of its steps are lines of head, the others of tail.
 */
#define SCAN_INLINE static inline __attribute__((always_inline)) SCAN_TARGET
#define QUEUE 32 /* blocks that wait for their tails to come from memory */
#define AHEAD 16 /* blocks whose heads are asked for early: the processor does so by itself for less than one page */

SCAN_INLINE void scan_probes(const gallery *g, size_t first_block, size_t last_block, const uint32_t *words,
                             const size_t probes, const size_t steps, size_t wanted, sink *out)
{
    uint16_t dist[GROUP][LANES] __attribute__((aligned(64)));
    uint16_t near[GROUP];
    const size_t head_steps = steps < HEAD ? steps : HEAD, tail_steps = steps - head_steps;
    for (size_t b = first_block; b < last_block; b++) {
        const uint32_t *head = g->heads + b * head_steps * LANES, *tail = g->tails + b * tail_steps * LANES;
        if (SCAN_BLOCK(head, tail, steps, words, probes, out->limit, g->live[b], dist, near))
            out->take(out, b, dist, near, wanted);
    }
}

/* The number of probes is a constant in each branch, so the compiler keeps one accumulator per probe in a register.
 * For one probe the number of steps is too where the code has 512 or 1024 bits: with so little work in a block, a loop
 * would spend as much time on its mispredicted end as on the block. Unused probes of a group have a limit of 0 and so
 * are never near. */
SCAN_TARGET static void scan_all(const gallery *g, size_t first_block, size_t last_block, const uint32_t *words,
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

typedef struct {
    size_t block;
    uint16_t rows; /* live and with a near head */
} waiting;

/* Compare all of the blocks that wait. */
SCAN_INLINE void scan_tails(const gallery *g, const waiting *queue, size_t count, const uint32_t *words,
                            const size_t steps, sink *out)
{
    uint16_t dist[GROUP][LANES] __attribute__((aligned(64)));
    uint16_t near[GROUP];
    for (size_t i = 0; i < count; i++) {
        const size_t b = queue[i].block;
        const uint32_t *head = g->heads + b * HEAD * LANES, *tail = g->tails + b * (steps - HEAD) * LANES;
        if (SCAN_BLOCK(head, tail, steps, words, 1, out->limit, queue[i].rows, dist, near))
            out->take(out, b, dist, near, 1);
    }
}

SCAN_TARGET static void scan_near(const gallery *g, size_t first_block, size_t last_block, const uint32_t *words,
                                  uint32_t head_limit, sink *out)
{
    uint16_t dist[GROUP][LANES] __attribute__((aligned(64)));
    uint16_t near[GROUP];
    waiting queue[QUEUE];
    size_t count = 0;
    for (size_t b = first_block; b < last_block; b++) {
        const uint32_t *head = g->heads + b * HEAD * LANES;
        for (size_t s = 0; s < HEAD && b + AHEAD < last_block; s++)
            __builtin_prefetch(head + (AHEAD * HEAD + s) * LANES);
        if (!SCAN_BLOCK(head, head, HEAD, words, 1, &head_limit, g->live[b], dist, near))
            continue;
        const uint32_t *tail = g->tails + b * (g->steps - HEAD) * LANES;
        for (size_t s = 0; s < g->steps - HEAD; s++)
            __builtin_prefetch(tail + s * LANES);
        queue[count++] = (waiting){b, near[0]};
        if (count == QUEUE) {
            scan_tails(g, queue, count, words, g->steps, out);
            count = 0;
        }
    }
    scan_tails(g, queue, count, words, g->steps, out);
}

const scanner SCAN_NAME = {SCAN_LABEL, scan_all, scan_near};

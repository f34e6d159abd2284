/* Plain C11: every lane counts bits with shifts and masks; compilers turn the lane loop into whatever vectors exist. */
#include "scan.h"

#define SCAN_NAME scan_portable
#define SCAN_LABEL "portable"
#define SCAN_TARGET
#define SCAN_BLOCK block_portable

static inline __attribute__((always_inline)) uint32_t
block_portable(const uint32_t *head, const uint32_t *tail, size_t steps, const uint32_t *words, const size_t probes,
               const uint32_t *limit, uint16_t live, uint16_t (*dist)[LANES], uint16_t *near)
{
    uint32_t any = 0;
    for (size_t p = 0; p < probes; p++) {
        uint32_t sum[LANES] = {0};
        for (size_t start = 0, stop; start < steps; start = stop) {
            const uint32_t *lines = run_lines(head, tail, start);
            stop = run_end(start, steps);
            uint32_t bytes[LANES] = {0};
            for (size_t s = start; s < stop; s++) {
                uint32_t word = words[s * GROUP + p];
                for (int r = 0; r < LANES; r++) {
                    uint32_t x = lines[(s - start) * LANES + r] ^ word;
                    x -= (x >> 1) & 0x55555555u;
                    x = (x & 0x33333333u) + ((x >> 2) & 0x33333333u);
                    bytes[r] += (x + (x >> 4)) & 0x0f0f0f0fu;
                }
            }
            for (int r = 0; r < LANES; r++) {
                uint32_t pairs = (bytes[r] & 0x00ff00ffu) + ((bytes[r] >> 8) & 0x00ff00ffu);
                sum[r] += (pairs & 0xffffu) + (pairs >> 16);
            }
        }
        uint32_t hits = 0;
        for (int r = 0; r < LANES; r++) {
            dist[p][r] = (uint16_t)sum[r];
            hits |= (uint32_t)(sum[r] < limit[p]) << r;
        }
        near[p] = (uint16_t)(hits & live);
        any |= near[p];
    }
    return any;
}

#include "scan_body.h"

/* NEON (aarch64): CNT counts the bits of each byte; counts stay in bytes for up to 31 words. */
#include "scan.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#define SCAN_NAME scan_neon
#define SCAN_LABEL "neon"
#define SCAN_TARGET
#define SCAN_BLOCK block_neon

static inline __attribute__((always_inline)) uint32_t
block_neon(const uint32_t *head, const uint32_t *tail, size_t steps, const uint32_t *words, const size_t probes,
           const uint32_t *limit, uint16_t live, uint16_t (*dist)[LANES], uint16_t *near)
{
    for (int quarter = 0; quarter < 4; quarter++) {
        uint32x4_t sum[GROUP];
        for (size_t p = 0; p < probes; p++)
            sum[p] = vdupq_n_u32(0);
        for (size_t start = 0, stop; start < steps; start = stop) {
            const uint32_t *lines = run_lines(head, tail, start);
            stop = run_end(start, steps);
            uint8x16_t bytes[GROUP];
            for (size_t p = 0; p < probes; p++)
                bytes[p] = vdupq_n_u8(0);
            for (size_t s = start; s < stop; s++) {
                uint32x4_t line = vld1q_u32(lines + (s - start) * LANES + 4 * quarter);
                for (size_t p = 0; p < probes; p++) {
                    uint32x4_t x = veorq_u32(line, vdupq_n_u32(words[s * GROUP + p]));
                    bytes[p] = vaddq_u8(bytes[p], vcntq_u8(vreinterpretq_u8_u32(x)));
                }
            }
            for (size_t p = 0; p < probes; p++)
                sum[p] = vpadalq_u16(sum[p], vpaddlq_u8(bytes[p]));
        }
        for (size_t p = 0; p < probes; p++)
            vst1_u16(dist[p] + 4 * quarter, vmovn_u32(sum[p]));
    }
    uint32_t any = 0;
    for (size_t p = 0; p < probes; p++) {
        uint32_t hits = 0;
        for (int r = 0; r < LANES; r++)
            hits |= (uint32_t)(dist[p][r] < limit[p]) << r;
        near[p] = (uint16_t)(hits & live);
        any |= near[p];
    }
    return any;
}

#include "scan_body.h"
#endif

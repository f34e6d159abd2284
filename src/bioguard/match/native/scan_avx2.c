/* AVX2: bits of a nibble come from a table in a register (PSHUFB); counts stay in bytes for up to 31 words. */
#include "scan.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define SCAN_NAME scan_avx2
#define SCAN_LABEL "avx2"
#define SCAN_TARGET __attribute__((target("avx2")))
#define SCAN_BLOCK block_avx2

static inline __attribute__((always_inline)) SCAN_TARGET uint32_t
block_avx2(const uint32_t *head, const uint32_t *tail, size_t steps, const uint32_t *words, const size_t probes,
           const uint32_t *limit, uint16_t live, uint16_t (*dist)[LANES], uint16_t *near)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2,
                                           2, 3, 2, 3, 3, 4);
    __m256i sum[2][GROUP];
    for (int half = 0; half < 2; half++) {
        for (size_t p = 0; p < probes; p++)
            sum[half][p] = _mm256_setzero_si256();
        for (size_t start = 0, stop; start < steps; start = stop) {
            const uint32_t *lines = run_lines(head, tail, start);
            stop = run_end(start, steps);
            __m256i bytes[GROUP];
            for (size_t p = 0; p < probes; p++)
                bytes[p] = _mm256_setzero_si256();
            for (size_t s = start; s < stop; s++) {
                __m256i line = _mm256_load_si256((const __m256i *)(lines + (s - start) * LANES) + half);
                for (size_t p = 0; p < probes; p++) {
                    __m256i x = _mm256_xor_si256(line, _mm256_set1_epi32((int)words[s * GROUP + p]));
                    __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(x, nibble));
                    __m256i high =
                        _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi32(x, 4), nibble));
                    bytes[p] = _mm256_add_epi8(bytes[p], _mm256_add_epi8(low, high));
                }
            }
            for (size_t p = 0; p < probes; p++) {
                __m256i pairs = _mm256_maddubs_epi16(bytes[p], _mm256_set1_epi8(1));
                sum[half][p] = _mm256_add_epi32(sum[half][p], _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
            }
        }
    }
    uint32_t any = 0;
    for (size_t p = 0; p < probes; p++) {
        /* signed compare is exact: distances and limits stay below 2^31 */
        __m256i bound = _mm256_set1_epi32((int)limit[p]);
        int low = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(bound, sum[0][p])));
        int high = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(bound, sum[1][p])));
        near[p] = (uint16_t)((low | high << 8) & live);
        any |= near[p];
        __m256i packed = _mm256_packus_epi32(sum[0][p], sum[1][p]);
        _mm256_store_si256((__m256i *)dist[p], _mm256_permute4x64_epi64(packed, 0xd8));
    }
    return any;
}

#include "scan_body.h"
#endif

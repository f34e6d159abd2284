/* AVX-512 with VPOPCNTDQ: one vector is one word of all 16 rows; xor, count, add, nothing else. */
#include "scan.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define SCAN_NAME scan_avx512
#define SCAN_LABEL "avx512"
#define SCAN_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vpopcntdq")))
#define SCAN_BLOCK block_avx512

static inline __attribute__((always_inline)) SCAN_TARGET void
count_avx512(const uint32_t *lines, size_t steps, const uint32_t *words, const size_t probes, __m512i *sum)
{
    for (size_t s = 0; s < steps; s++) {
        __m512i line = _mm512_load_si512(lines + s * LANES);
        for (size_t p = 0; p < probes; p++) {
            __m512i word = _mm512_set1_epi32((int)words[s * GROUP + p]);
            sum[p] = _mm512_add_epi32(sum[p], _mm512_popcnt_epi32(_mm512_xor_si512(line, word)));
        }
    }
}

static inline __attribute__((always_inline)) SCAN_TARGET uint32_t
block_avx512(const uint32_t *head, const uint32_t *tail, size_t steps, const uint32_t *words, const size_t probes,
             const uint32_t *limit, uint16_t live, uint16_t (*dist)[LANES], uint16_t *near)
{
    __m512i sum[GROUP];
    for (size_t p = 0; p < probes; p++)
        sum[p] = _mm512_setzero_si512();
    count_avx512(head, steps < HEAD ? steps : HEAD, words, probes, sum);
    if (steps > HEAD)
        count_avx512(tail, steps - HEAD, words + HEAD * GROUP, probes, sum);
    uint32_t any = 0;
    for (size_t p = 0; p < probes; p++) {
        near[p] = (uint16_t)(_mm512_cmplt_epu32_mask(sum[p], _mm512_set1_epi32((int)limit[p])) & live);
        any |= near[p];
    }
    if (any)
        for (size_t p = 0; p < probes; p++)
            _mm256_store_si256((__m256i *)dist[p], _mm512_cvtepi32_epi16(sum[p]));
    return any;
}

#include "scan_body.h"
#endif

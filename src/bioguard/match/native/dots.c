/* A matrix product with few columns is bound by reading the rows. */
#include "dots.h"

#include <string.h>

#define TILE 32  /* rows that stay in the first-level cache while each probe passes */
#define LANES 16 /* independent sums of the plain version, enough for any vector unit to work on */

typedef void tile_fn(const float *rows, size_t n, size_t d, const float *probe, float *out);

static void tile_plain(const float *rows, size_t n, size_t d, const float *probe, float *out)
{
    for (size_t r = 0; r < n; r++) {
        const float *row = rows + r * d;
        float sums[LANES] = {0};
        size_t i = 0;
        for (; i + LANES <= d; i += LANES)
            for (size_t l = 0; l < LANES; l++)
                sums[l] += row[i + l] * probe[i + l];
        float total = 0;
        for (; i < d; i++)
            total += row[i] * probe[i];
        for (size_t l = 0; l < LANES; l++)
            total += sums[l];
        out[r] = total;
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

/* One row after the other, in address order: several rows side by side take half as long again, because the prefetcher
 * then has to follow as many streams. */
__attribute__((target("avx512f"))) static void tile_avx512(const float *rows, size_t n, size_t d, const float *probe,
                                                           float *out)
{
    for (size_t r = 0; r < n; r++) {
        const float *row = rows + r * d;
        __m512 sum0 = _mm512_setzero_ps(), sum1 = sum0, sum2 = sum0, sum3 = sum0;
        size_t i = 0;
        for (; i + 64 <= d; i += 64) {
            sum0 = _mm512_fmadd_ps(_mm512_loadu_ps(probe + i), _mm512_loadu_ps(row + i), sum0);
            sum1 = _mm512_fmadd_ps(_mm512_loadu_ps(probe + i + 16), _mm512_loadu_ps(row + i + 16), sum1);
            sum2 = _mm512_fmadd_ps(_mm512_loadu_ps(probe + i + 32), _mm512_loadu_ps(row + i + 32), sum2);
            sum3 = _mm512_fmadd_ps(_mm512_loadu_ps(probe + i + 48), _mm512_loadu_ps(row + i + 48), sum3);
        }
        for (; i < d; i += 16) {
            __mmask16 rest = (__mmask16)(d - i < 16 ? (1u << (d - i)) - 1 : 0xffff);
            sum0 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(rest, probe + i), _mm512_maskz_loadu_ps(rest, row + i), sum0);
        }
        out[r] = _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sum0, sum1), _mm512_add_ps(sum2, sum3)));
    }
}

__attribute__((target("avx2,fma"))) static float sum_avx2(__m256 v)
{
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

__attribute__((target("avx2,fma"))) static void tile_avx2(const float *rows, size_t n, size_t d, const float *probe,
                                                          float *out)
{
    size_t whole = d / 16 * 16;
    for (size_t r = 0; r < n; r++) {
        const float *row = rows + r * d;
        __m256 sum0 = _mm256_setzero_ps(), sum1 = sum0;
        for (size_t i = 0; i < whole; i += 16) {
            sum0 = _mm256_fmadd_ps(_mm256_loadu_ps(probe + i), _mm256_loadu_ps(row + i), sum0);
            sum1 = _mm256_fmadd_ps(_mm256_loadu_ps(probe + i + 8), _mm256_loadu_ps(row + i + 8), sum1);
        }
        float total = sum_avx2(_mm256_add_ps(sum0, sum1));
        for (size_t i = whole; i < d; i++)
            total += row[i] * probe[i];
        out[r] = total;
    }
}
#endif

static tile_fn *choose(const char *variant)
{
#if defined(__x86_64__)
    if (!strcmp(variant, "avx512"))
        return tile_avx512;
    if (!strcmp(variant, "avx2") && __builtin_cpu_supports("fma"))
        return tile_avx2;
#endif
    (void)variant;
    return tile_plain;
}

void dot_rows(const char *variant, const float *rows, size_t n, size_t d, const float *probes, size_t m, float *out)
{
    tile_fn *tile = choose(variant);
    for (size_t first = 0; first < n; first += TILE) {
        size_t count = first + TILE < n ? TILE : n - first;
        for (size_t p = 0; p < m; p++)
            tile(rows + first * d, count, d, probes + p * d, out + p * n + first);
    }
}

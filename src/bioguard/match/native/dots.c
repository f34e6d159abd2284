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

#define AVX512 __attribute__((target("avx512f"))) static inline

/* Sums of neighbors: the low half of the result holds those of a, the high half those of b, within each quarter. */
AVX512 __m512 add_pairs(__m512 a, __m512 b)
{
    return _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
}

AVX512 __m512 add_halves(__m512 a, __m512 b)
{
    __m512d x = _mm512_castps_pd(a), y = _mm512_castps_pd(b);
    return _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(x, y)), _mm512_castpd_ps(_mm512_unpackhi_pd(x, y)));
}

AVX512 __m512 add_quarters(__m512 a, __m512 b)
{
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
}

/* The products of one row, still spread over 16 lanes. */
AVX512 __m512 row_avx512(const float *row, size_t d, const float *probe)
{
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
    return _mm512_add_ps(_mm512_add_ps(sum0, sum1), _mm512_add_ps(sum2, sum3));
}

/* One row after the other, in address order: several rows side by side take half as long again, because the prefetcher
 * then has to follow as many streams. The lanes of 16 rows are added up together, in the same order for every row. */
__attribute__((target("avx512f"))) static void tile_avx512(const float *rows, size_t n, size_t d, const float *probe,
                                                           float *out)
{
    for (size_t first = 0; first < n; first += 16) {
        const size_t count = first + 16 < n ? 16 : n - first;
        __m512 sum[16];
        for (size_t r = 0; r < count; r++)
            sum[r] = row_avx512(rows + (first + r) * d, d, probe);
        for (size_t r = count; r < 16; r++)
            sum[r] = _mm512_setzero_ps();
        for (size_t r = 0; r < 8; r++)
            sum[r] = add_pairs(sum[2 * r], sum[2 * r + 1]);
        for (size_t r = 0; r < 4; r++)
            sum[r] = add_halves(sum[2 * r], sum[2 * r + 1]);
        const __m512 low = add_quarters(sum[0], sum[1]), high = add_quarters(sum[2], sum[3]);
        const __mmask16 there = (__mmask16)((1u << count) - 1);
        _mm512_mask_storeu_ps(out + first, there, add_quarters(low, high));
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

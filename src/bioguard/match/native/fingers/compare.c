/* The variants of the comparison and the choice between them at run time. */
#include "compare.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

void fg_load_probe(fg_probe *probe, const int8_t *codes, const int16_t *places, int n, int dimensions)
{
    memset(probe, 0, sizeof *probe);
    probe->n = n;
    probe->dimensions = dimensions;
    memcpy(probe->codes, codes, (size_t)n * (size_t)dimensions);
    for (int i = 0; i < n; i++) {
        int32_t sum = 0;
        for (int d = 0; d < dimensions; d++)
            sum += codes[(size_t)i * (size_t)dimensions + (size_t)d];
        probe->shift[i] = -CODE_SHIFT * sum;
        probe->x[i] = (float)places[4 * i] * POSITION_UNIT;
        probe->y[i] = (float)places[4 * i + 1] * POSITION_UNIT;
        probe->c[i] = (float)places[4 * i + 2] * DIRECTION_UNIT;
        probe->s[i] = (float)places[4 * i + 3] * DIRECTION_UNIT;
    }
}

/* ---- portable: what any C11 compiler makes of it, NEON on AArch64, SSE2 on x86-64 ---- */

#define TARGET
#define VARIANT(name) name##_portable

static void similarities_portable(const fg_probe *probe, const uint8_t *record, int lanes, int groups, int32_t *table,
                                  int stride)
{
    for (int i = 0; i < probe->n; i++) {
        const int8_t *code = probe->codes + (size_t)i * (size_t)probe->dimensions;
        int32_t sum[MAX_LANES];
        for (int j = 0; j < lanes; j++)
            sum[j] = probe->shift[i];
        for (int g = 0; g < groups; g++) {
            const uint8_t *stored = record + (size_t)g * (size_t)lanes * 4;
            const int32_t a = code[4 * g], b = code[4 * g + 1], c = code[4 * g + 2], d = code[4 * g + 3];
            for (int j = 0; j < lanes; j++)
                sum[j] += a * stored[4 * j] + b * stored[4 * j + 1] + c * stored[4 * j + 2] + d * stored[4 * j + 3];
        }
        for (int j = 0; j < stride; j++)
            table[(size_t)i * (size_t)stride + (size_t)j] = j < lanes ? sum[j] * 256 + (255 - j) : 0;
    }
}

static int32_t row_max_portable(const int32_t *row, const int32_t *free_lane, int stride)
{
    int32_t top = -1;
    for (int j = 0; j < stride; j++) {
        int32_t v = row[j] & free_lane[j];
        top = v > top ? v : top;
    }
    return top;
}

static int first_max_portable(const int32_t *best, int rows, int32_t *key)
{
    int32_t top = -1;
    for (int i = 0; i < rows; i++)
        top = best[i] > top ? best[i] : top;
    for (int i = 0; i < rows; i++)
        if (best[i] == top)
            return *key = top, i;
    return *key = -1, 0;
}

static void put_portable(int32_t *row, int at, int32_t value)
{
    row[at] = value;
}

/* Rows whose best lane has just been taken look for another. */
static void refresh_portable(const int32_t *table, int stride, int rows, int32_t taken, const int32_t *free_lane,
                             int32_t *best)
{
    for (int i = 0; i < rows; i++)
        if (best[i] >= 0 && (best[i] & 255) == taken)
            best[i] = row_max_portable(table + (size_t)i * (size_t)stride, free_lane, stride);
}

#include "align_body.h"
#include "compare_body.h"
#undef TARGET
#undef VARIANT

#if defined(__x86_64__)

/* ---- AVX2 ---- */

#define TARGET __attribute__((target("avx2")))
#define VARIANT(name) name##_avx2

static TARGET void similarities_avx2(const fg_probe *probe, const uint8_t *record, int lanes, int groups, int32_t *table,
                                     int stride)
{
    const __m256i ones = _mm256_set1_epi16(1), lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const size_t step = (size_t)lanes * 4;
    for (int i = 0; i < probe->n; i += 4) {
        const int8_t *code = probe->codes + (size_t)i * (size_t)probe->dimensions;
        for (int j = 0; j < lanes; j += 8) {
            const uint8_t *stored = record + (size_t)j * 4;
            __m256i sum[4];
            for (int r = 0; r < 4; r++)
                sum[r] = _mm256_set1_epi32(probe->shift[i + r]);
            for (int g = 0; g < groups; g += 2, stored += 2 * step) {
                const __m256i u = _mm256_loadu_si256((const __m256i *)stored);
                const __m256i v = _mm256_loadu_si256((const __m256i *)(stored + step));
                for (int r = 0; r < 4; r++) {
                    int32_t a, b;
                    memcpy(&a, code + (size_t)r * (size_t)probe->dimensions + 4 * g, 4);
                    memcpy(&b, code + (size_t)r * (size_t)probe->dimensions + 4 * g + 4, 4);
                    /* |sum of four products| <= 4 * 127 * 63 = 32004: no saturation */
                    __m256i w = _mm256_add_epi16(_mm256_maddubs_epi16(u, _mm256_set1_epi32(a)),
                                                 _mm256_maddubs_epi16(v, _mm256_set1_epi32(b)));
                    sum[r] = _mm256_add_epi32(sum[r], _mm256_madd_epi16(w, ones));
                }
            }
            const __m256i tail = _mm256_sub_epi32(_mm256_set1_epi32(255 - j), lane);
            for (int r = 0; r < 4; r++)
                _mm256_storeu_si256((__m256i *)(table + (size_t)(i + r) * (size_t)stride + j),
                                    _mm256_add_epi32(_mm256_slli_epi32(sum[r], 8), tail));
        }
        if (lanes < stride)
            for (int r = 0; r < 4; r++)
                _mm256_storeu_si256((__m256i *)(table + (size_t)(i + r) * (size_t)stride + lanes), _mm256_setzero_si256());
    }
}

static TARGET inline int32_t top_avx2(__m256i v)
{
    __m128i w = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    w = _mm_max_epi32(w, _mm_shuffle_epi32(w, 0x4e));
    w = _mm_max_epi32(w, _mm_shuffle_epi32(w, 0xb1));
    return _mm_cvtsi128_si32(w);
}

static TARGET inline int32_t row_max_avx2(const int32_t *row, const int32_t *free_lane, int stride)
{
    __m256i top = _mm256_set1_epi32(-1);
    for (int j = 0; j < stride; j += 8)
        top = _mm256_max_epi32(top, _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(row + j)),
                                                     _mm256_load_si256((const __m256i *)(free_lane + j))));
    return top_avx2(top);
}

/* A narrow store followed by a wide load of the same line would stall, so elements are put by whole vectors. */
static TARGET inline void put_avx2(int32_t *row, int at, int32_t value)
{
    __m256i *v = (__m256i *)(row + (at & ~7));
    const __m256i here = _mm256_cmpeq_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(at & 7));
    _mm256_store_si256(v, _mm256_blendv_epi8(_mm256_load_si256(v), _mm256_set1_epi32(value), here));
}

static TARGET inline int first_max_avx2(const int32_t *best, int rows, int32_t *key)
{
    __m256i top = _mm256_set1_epi32(-1);
    for (int i = 0; i < rows; i += 8)
        top = _mm256_max_epi32(top, _mm256_load_si256((const __m256i *)(best + i)));
    *key = top_avx2(top);
    const __m256i wanted = _mm256_set1_epi32(*key);
    for (int i = 0; i < rows; i += 8) {
        __m256i same = _mm256_cmpeq_epi32(wanted, _mm256_load_si256((const __m256i *)(best + i)));
        int mask = _mm256_movemask_ps(_mm256_castsi256_ps(same));
        if (mask)
            return i + __builtin_ctz((unsigned)mask);
    }
    return 0;
}

static TARGET inline void refresh_avx2(const int32_t *table, int stride, int rows, int32_t taken, const int32_t *free_lane,
                                       int32_t *best)
{
    /* the sign bit is kept in the comparison, so struck rows (-1) never look stale */
    const __m256i wanted = _mm256_set1_epi32(taken), low = _mm256_set1_epi32((int32_t)0x800000ff);
    for (int i = 0; i < rows; i += 8) {
        __m256i same = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_load_si256((const __m256i *)(best + i)), low), wanted);
        unsigned mask = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(same));
        for (; mask; mask &= mask - 1) {
            int r = i + __builtin_ctz(mask);
            put_avx2(best, r, row_max_avx2(table + (size_t)r * (size_t)stride, free_lane, stride));
        }
    }
}

#include "align_body.h"
#include "compare_body.h"
#undef TARGET
#undef VARIANT

/* ---- AVX-512 with VNNI ---- */

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,prefer-vector-width=512")))
#define VARIANT(name) name##_avx512

static TARGET void similarities_avx512(const fg_probe *probe, const uint8_t *record, int lanes, int groups, int32_t *table,
                                       int stride)
{
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const size_t step = (size_t)lanes * 4, width = (size_t)probe->dimensions;
    for (int i = 0; i < probe->n; i += 8) {
        for (int j = 0; j < stride; j += 16) {
            const uint8_t *stored = record + (size_t)j * 4;
            const int8_t *code = probe->codes + (size_t)i * width;
            const __mmask16 there = lanes - j >= 16 ? 0xffff : 0x00ff;
            __m512i sum[8];
            for (int r = 0; r < 8; r++)
                sum[r] = _mm512_set1_epi32(probe->shift[i + r]);
            for (int g = 0; g < groups; g++, stored += step, code += 4) {
                const __m512i u = _mm512_maskz_loadu_epi32(there, stored);
                for (int r = 0; r < 8; r++) {
                    int32_t a;
                    memcpy(&a, code + (size_t)r * width, 4);
                    sum[r] = _mm512_dpbusd_epi32(sum[r], u, _mm512_set1_epi32(a));
                }
            }
            const __m512i tail = _mm512_sub_epi32(_mm512_set1_epi32(255 - j), lane);
            for (int r = 0; r < 8; r++)
                _mm512_store_si512(table + (size_t)(i + r) * (size_t)stride + j,
                                   _mm512_maskz_add_epi32(there, _mm512_slli_epi32(sum[r], 8), tail));
        }
    }
}

/* The reductions of narrower registers are quicker here: rows are two to four registers long. */
#define row_max_avx512 row_max_avx2
#define first_max_avx512 first_max_avx2
#define put_avx512 put_avx2
#define refresh_avx512 refresh_avx2

#include "align_body.h"
#include "compare_body.h"
#undef TARGET
#undef VARIANT
#endif

size_t fg_variants(const fg_variant **list)
{
    static fg_variant found[3];
    size_t n = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni"))
        found[n++] = (fg_variant){"avx512vnni", compare_avx512};
    if (__builtin_cpu_supports("avx2"))
        found[n++] = (fg_variant){"avx2", compare_avx2};
#endif
#if defined(__aarch64__)
    found[n++] = (fg_variant){"neon", compare_portable};
#else
    found[n++] = (fg_variant){"portable", compare_portable};
#endif
    *list = found;
    return n;
}

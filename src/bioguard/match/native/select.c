/* Keep, cut and sort lists of (score, position) keys. */
#include "select.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 16

/* Bits of a float whose order as unsigned integers is the order of the floats; -0 counts as 0. */
static uint32_t ordered_bits(float score)
{
    uint32_t bits;
    score += 0.0f;
    memcpy(&bits, &score, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static float score_of(uint64_t key)
{
    uint32_t bits = (uint32_t)(key >> 32);
    float score;
    bits = bits & 0x80000000u ? bits & 0x7fffffffu : ~bits;
    memcpy(&score, &bits, sizeof score);
    return score;
}

static uint64_t middle(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* Move the k highest of n keys to the front, the k-th highest to keys[k - 1]. All keys differ. */
static void cut(uint64_t *keys, size_t n, size_t k)
{
    size_t first = 0, last = n;
    while (last - first > 1) {
        uint64_t pivot = middle(keys[first], keys[first + (last - first) / 2], keys[last - 1]);
        size_t low = first, high = last - 1;
        while (low <= high) {
            while (keys[low] > pivot)
                low++;
            while (keys[high] < pivot)
                high--;
            if (low <= high) {
                uint64_t swap = keys[low];
                keys[low++] = keys[high];
                keys[high] = swap;
                if (high-- == 0)
                    break;
            }
        }
        if (k - 1 < low && (k - 1 > high || high == SIZE_MAX))
            return;
        if (k - 1 >= low)
            first = low;
        else
            last = high + 1;
    }
}

static int descending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

static void select_row(const float *scores, size_t columns, size_t start, size_t k, size_t room, uint64_t *keys,
                       uint64_t *size_of, float *floor_of)
{
    size_t size = (size_t)*size_of;
    float bound = *floor_of;
    for (size_t first = 0; first < columns; first += CHUNK) {
        size_t stop = first + CHUNK < columns ? first + CHUNK : columns;
        unsigned any = 0;
        if (stop - first == CHUNK)
            for (size_t c = 0; c < CHUNK; c++)
                any |= scores[first + c] > bound;
        else
            any = 1;
        if (!any)
            continue;
        if (size + CHUNK > room) {
            cut(keys, size, k);
            size = k;
            bound = score_of(keys[k - 1]);
        }
        for (size_t c = first; c < stop; c++) {
            keys[size] = (uint64_t)ordered_bits(scores[c]) << 32 | (uint32_t)~(uint32_t)(start + c);
            size += scores[c] > bound;
        }
    }
    *size_of = size;
    *floor_of = bound;
}

void select_scores(const float *scores, size_t m, size_t columns, size_t start, size_t k, size_t room, uint64_t *keys,
                   uint64_t *sizes, float *floors)
{
    for (size_t p = 0; p < m; p++)
        select_row(scores + p * columns, columns, start, k, room, keys + p * room, &sizes[p], &floors[p]);
}

void select_finish(size_t m, size_t k, size_t room, uint64_t *keys, const uint64_t *sizes, float *scores,
                   int64_t *positions)
{
    for (size_t p = 0; p < m; p++) {
        uint64_t *list = keys + p * room;
        cut(list, (size_t)sizes[p], k);
        qsort(list, k, sizeof *list, descending);
        for (size_t i = 0; i < k; i++) {
            scores[p * k + i] = score_of(list[i]);
            positions[p * k + i] = (int64_t)(uint32_t)~(uint32_t)list[i];
        }
    }
}

/* Additions and subtractions of floats in the one order that the codes are defined by. */
#include "rotate.h"

#include <string.h>

/* Unnormalized Walsh-Hadamard transform, natural order, from x by way of spare; returns where the result is. */
static float *hadamard(float *x, float *spare, size_t size)
{
    for (size_t half = 1; half < size; half *= 2) {
        for (size_t first = 0; first < size; first += 2 * half)
            for (size_t i = first; i < first + half; i++) {
                const float a = x[i], b = x[i + half];
                spare[i] = a + b;
                spare[i + half] = a - b;
            }
        float *swap = x;
        x = spare;
        spare = swap;
    }
    return x;
}

void sign_codes(const float *rows, size_t n, size_t padded, size_t blocks, size_t bits, const float *signs, float *space,
                unsigned char *codes)
{
    memset(codes, 0, n * (bits / 8));
    for (size_t r = 0; r < n; r++, codes += bits / 8)
        for (size_t b = 0; b < blocks; b++) {
            const float *from = rows + r * padded;
            float *x = space;
            for (size_t round = 0; round < ROUNDS; round++, from = x) {
                const float *flip = signs + (b * ROUNDS + round) * padded;
                for (size_t i = 0; i < padded; i++)
                    x[i] = from[i] * flip[i];
                x = hadamard(x, x == space ? space + padded : space, padded);
            }
            for (size_t i = 0, bit = b * padded; i < padded && bit < bits; i++, bit++)
                codes[bit / 8] |= (unsigned char)((x[i] > 0) << bit % 8);
        }
}

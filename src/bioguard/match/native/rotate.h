/* Sign codes of vectors: what bioguard/match/protected/rotation.py does, bit for bit. Plain C: no Python, no global state. */
#ifndef BIOGUARD_ROTATE_H
#define BIOGUARD_ROTATE_H

#include <stddef.h>

#define ROUNDS 3 /* of sign flips and Walsh-Hadamard transforms */

/* codes[n][bits / 8] of rows[n][padded]; bit i of block b is set if component i of the row rotated by signs[b] is
 * positive. signs: [blocks][ROUNDS][padded]; padded is a power of two; blocks * padded >= bits; bits % 8 == 0.
 * space: [2 * padded]. */
void sign_codes(const float *rows, size_t n, size_t padded, size_t blocks, size_t bits, const float *signs, float *space,
                unsigned char *codes);

#endif

/* Numbers of any length (TEE Internal Core API 1.3.1, chapter 8) in memory of the application:
 *
 *     word 0    how many words the magnitude may have
 *     word 1    how many it has; the highest bit is the sign
 *     word 2... the magnitude, the lowest word first; the last word in use is not zero
 *
 * An application may have written anything there: every number is checked before it is used. Numbers for fast modular
 * multiplication have the same form. */
#ifndef TEE_SIM_API_ARITH_H
#define TEE_SIM_API_ARITH_H

#include "tee_internal_api.h"

#define BIG_HEAD_WORDS 2u
#define BIG_MOST_BITS 4096u /* gpd.tee.arith.maxBigIntSize: tee_sim/gp_api/property_sets.py */
#define BIG_MOST_WORDS (BIG_MOST_BITS / 32)
#define BIG_MOST_BYTES (BIG_MOST_BITS / 8)

/* Panics unless it is one. */
const TEE_BigInt *big_known(const TEE_BigInt *number);

static inline uint32_t big_room(const TEE_BigInt *number)
{
    return number[0];
}

static inline uint32_t big_used(const TEE_BigInt *number)
{
    return number[1] & 0x7FFFFFFFu;
}

static inline bool big_is_negative(const TEE_BigInt *number)
{
    return number[1] >> 31 != 0;
}

/* How many bytes its magnitude has, without zeros in front. */
uint32_t big_bytes(const TEE_BigInt *number);
/* Its magnitude, big-endian; `size` as of big_bytes. */
void big_write(const TEE_BigInt *number, uint8_t *bytes, uint32_t size);
/* Whether the magnitude fits, and then it is there. Zeros in front are passed over. */
bool big_read(TEE_BigInt *number, const uint8_t *bytes, size_t size, bool negative);

#endif

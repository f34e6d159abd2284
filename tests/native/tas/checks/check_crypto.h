/* What the checks of chapter 6 share. */
#ifndef CHECK_CRYPTO_H
#define CHECK_CRYPTO_H

#include "check.h"

/* A transient key of one secret; TEE_HANDLE_NULL if there is none. */
TEE_ObjectHandle secret_key(uint32_t type, const void *bytes, gp_size size);
/* An operation with a key of one secret, which is freed at once; TEE_HANDLE_NULL if there is none. */
TEE_OperationHandle keyed(uint32_t algorithm, uint32_t mode, uint32_t type, const void *key, gp_size size);
/* An RSA pair of 1024 bits, or a pair on P-256, made at random. */
TEE_ObjectHandle rsa_pair(void);
TEE_ObjectHandle p256_pair(uint32_t type);

#endif

/* Orders of bytes, sizes of digests and blocks, and the parts of an algorithm's number. */
#ifndef UTEE_DEFINES_H
#define UTEE_DEFINES_H

#include <stdint.h>

#include <tee_api_defines.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define TEE_U16_TO_BIG_ENDIAN(value) __builtin_bswap16(value)
#define TEE_U32_TO_BIG_ENDIAN(value) __builtin_bswap32(value)
#define TEE_U64_TO_BIG_ENDIAN(value) __builtin_bswap64(value)
#define TEE_U16_TO_LITTLE_ENDIAN(value) ((uint16_t)(value))
#define TEE_U32_TO_LITTLE_ENDIAN(value) ((uint32_t)(value))
#define TEE_U64_TO_LITTLE_ENDIAN(value) ((uint64_t)(value))
#else
#error "only machines whose least significant byte comes first are built for"
#endif
#define TEE_U16_FROM_BIG_ENDIAN(value) TEE_U16_TO_BIG_ENDIAN(value)
#define TEE_U32_FROM_BIG_ENDIAN(value) TEE_U32_TO_BIG_ENDIAN(value)
#define TEE_U64_FROM_BIG_ENDIAN(value) TEE_U64_TO_BIG_ENDIAN(value)
#define TEE_U16_FROM_LITTLE_ENDIAN(value) TEE_U16_TO_LITTLE_ENDIAN(value)
#define TEE_U32_FROM_LITTLE_ENDIAN(value) TEE_U32_TO_LITTLE_ENDIAN(value)
#define TEE_U64_FROM_LITTLE_ENDIAN(value) TEE_U64_TO_LITTLE_ENDIAN(value)

#define TEE_U16_BSWAP(value) __builtin_bswap16(value)
#define TEE_U32_BSWAP(value) __builtin_bswap32(value)
#define TEE_U64_BSWAP(value) __builtin_bswap64(value)

/* Bytes of a digest (FIPS 180-4, FIPS 202, RFC 1321) and of a block or a key of a cipher (FIPS 197, SP 800-67) */
#define TEE_MD5_HASH_SIZE 16
#define TEE_SHA1_HASH_SIZE 20
#define TEE_SHA224_HASH_SIZE 28
#define TEE_SHA256_HASH_SIZE 32
#define TEE_SM3_HASH_SIZE 32
#define TEE_SHA384_HASH_SIZE 48
#define TEE_SHA512_HASH_SIZE 64
#define TEE_MAX_HASH_SIZE 64
#define TEE_MD5SHA1_HASH_SIZE (TEE_MD5_HASH_SIZE + TEE_SHA1_HASH_SIZE)
#define TEE_AES_BLOCK_SIZE 16
#define TEE_DES_BLOCK_SIZE 8
#define TEE_SM4_BLOCK_SIZE 16
#define TEE_AES_MAX_KEY_SIZE 32

/* TEE Internal Core API 1.3.1, table 6-11: class in bits 31 to 28, chaining mode in 11 to 8, cipher in 7 to 0 */
#define TEE_ALG_GET_CLASS(algorithm) (((algorithm) >> 28) & 0xF)
#define TEE_ALG_GET_CHAIN_MODE(algorithm) (((algorithm) >> 8) & 0xF)
#define TEE_ALG_GET_MAIN_ALG(algorithm) ((algorithm) & 0xFF)
#define TEE_ALG_GET_DIGEST_HASH(algorithm) (((algorithm) >> 12) & 0xF)

#define TEE_MAIN_ALGO_MD5 0x01
#define TEE_MAIN_ALGO_SHA1 0x02
#define TEE_MAIN_ALGO_SHA224 0x03
#define TEE_MAIN_ALGO_SHA256 0x04
#define TEE_MAIN_ALGO_SHA384 0x05
#define TEE_MAIN_ALGO_SHA512 0x06
#define TEE_MAIN_ALGO_AES 0x10
#define TEE_MAIN_ALGO_DES 0x11
#define TEE_MAIN_ALGO_DES3 0x13
#define TEE_MAIN_ALGO_RSA 0x30
#define TEE_MAIN_ALGO_DSA 0x31
#define TEE_MAIN_ALGO_DH 0x32
#define TEE_MAIN_ALGO_ECDSA 0x41
#define TEE_MAIN_ALGO_ECDH 0x42

#endif

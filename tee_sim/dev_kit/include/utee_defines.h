/* Orders of bytes, sizes of digests and blocks, and the parts of an algorithm's number. */
#ifndef UTEE_DEFINES_H
#define UTEE_DEFINES_H

#include <compiler.h>
#include <tee_api_defines.h>
#include <types_ext.h>

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
#define TEE_ALG_GET_INTERNAL_HASH(algorithm) (((algorithm) >> 20) & 0xF)
#define TEE_ALG_GET_KEY_TYPE(algorithm, is_pair) (TEE_ALG_GET_MAIN_ALG(algorithm) | ((is_pair) ? 0xA1000000 : 0xA0000000))
#define TEE_ALG_HASH_ALGO(digest) ((uint32_t)TEE_OPERATION_DIGEST << 28 | (digest))
#define TEE_ALG_HMAC_ALGO(digest) ((uint32_t)TEE_OPERATION_MAC << 28 | (digest))
#define TEE_DIGEST_HASH_TO_ALGO(algorithm) TEE_ALG_HASH_ALGO(TEE_ALG_GET_DIGEST_HASH(algorithm))
#define TEE_INTERNAL_HASH_TO_ALGO(algorithm) TEE_ALG_HASH_ALGO(TEE_ALG_GET_INTERNAL_HASH(algorithm))

#define TEE_CHAIN_MODE_ECB_NOPAD 0x0
#define TEE_CHAIN_MODE_CBC_NOPAD 0x1
#define TEE_CHAIN_MODE_CTR 0x2
#define TEE_CHAIN_MODE_CTS 0x3
#define TEE_CHAIN_MODE_XTS 0x4
#define TEE_CHAIN_MODE_CBC_MAC_PKCS5 0x5
#define TEE_CHAIN_MODE_CMAC 0x6
#define TEE_CHAIN_MODE_CCM 0x7
#define TEE_CHAIN_MODE_GCM 0x8
#define TEE_CHAIN_MODE_PKCS1_PSS_MGF1 0x9

#define TEE_MAIN_ALGO_MD5 0x01
#define TEE_MAIN_ALGO_SHA1 0x02
#define TEE_MAIN_ALGO_SHA224 0x03
#define TEE_MAIN_ALGO_SHA256 0x04
#define TEE_MAIN_ALGO_SHA384 0x05
#define TEE_MAIN_ALGO_SHA512 0x06
#define TEE_MAIN_ALGO_SM3 0x07
#define TEE_MAIN_ALGO_SHA3_224 0x08
#define TEE_MAIN_ALGO_SHA3_256 0x09
#define TEE_MAIN_ALGO_SHA3_384 0x0A
#define TEE_MAIN_ALGO_SHA3_512 0x0B
#define TEE_MAIN_ALGO_AES 0x10
#define TEE_MAIN_ALGO_DES 0x11
#define TEE_MAIN_ALGO_DES3 0x13
#define TEE_MAIN_ALGO_SM4 0x14
#define TEE_MAIN_ALGO_RSA 0x30
#define TEE_MAIN_ALGO_DSA 0x31
#define TEE_MAIN_ALGO_DH 0x32
#define TEE_MAIN_ALGO_ECDSA 0x41
#define TEE_MAIN_ALGO_ECDH 0x42
#define TEE_MAIN_ALGO_ED25519 0x43
#define TEE_MAIN_ALGO_X25519 0x44
#define TEE_MAIN_ALGO_SM2_DSA_SM3 0x45
#define TEE_MAIN_ALGO_SM2_PKE 0x46
#define TEE_MAIN_ALGO_HKDF 0xC0
#define TEE_MAIN_ALGO_CONCAT_KDF 0xC1
#define TEE_MAIN_ALGO_PBKDF2 0xC2

/* Bytes of the digest that an algorithm is, or that it is made with; 0 where it has none */
#define TEE_ALG_GET_DIGEST_SIZE(algorithm) tee_digest_size_of(algorithm)
static inline uint32_t tee_digest_size_of(uint32_t algorithm)
{
    static const uint8_t sizes[16] = {0, 16, 20, 28, 32, 48, 64, 32, 28, 32, 48, 64};
    uint32_t digest = 0;

    switch (TEE_ALG_GET_CLASS(algorithm)) {
    case TEE_OPERATION_DIGEST:
    case TEE_OPERATION_MAC:
        digest = TEE_ALG_GET_MAIN_ALG(algorithm);
        break;
    case TEE_OPERATION_ASYMMETRIC_CIPHER:
        digest = TEE_ALG_GET_INTERNAL_HASH(algorithm);
        break;
    case TEE_OPERATION_ASYMMETRIC_SIGNATURE:
        digest = TEE_ALG_GET_DIGEST_HASH(algorithm);
        /* Table 6-11: the digests of ECDSA are counted from SHA-1, and without SM3 */
        if (TEE_ALG_GET_MAIN_ALG(algorithm) == TEE_MAIN_ALGO_ECDH)
            digest += digest < 6 ? 1 : 2;
        break;
    default:
        break;
    }
    return digest < sizeof(sizes) ? sizes[digest] : 0;
}

/* Times, section 7.1 */
#define TEE_TIME_MILLIS_BASE 1000u
#define TEE_TIME_LT(first, second) \
    ((first).seconds < (second).seconds || ((first).seconds == (second).seconds && (first).millis < (second).millis))
#define TEE_TIME_LE(first, second) (!TEE_TIME_LT(second, first))
#define TEE_TIME_ADD(first, second, sum) \
    do { \
        uint32_t add_millis = (first).millis + (second).millis; \
        (sum).seconds = (first).seconds + (second).seconds + add_millis / TEE_TIME_MILLIS_BASE; \
        (sum).millis = add_millis % TEE_TIME_MILLIS_BASE; \
    } while (0)
#define TEE_TIME_SUB(first, second, difference) \
    do { \
        uint32_t sub_millis = TEE_TIME_MILLIS_BASE + (first).millis - (second).millis; \
        (difference).seconds = (first).seconds - (second).seconds - (sub_millis < TEE_TIME_MILLIS_BASE); \
        (difference).millis = sub_millis % TEE_TIME_MILLIS_BASE; \
    } while (0)

#endif

/* Operations of any class, and digests: Internal Core API 1.3.1, sections 6.2 and 6.3. */
#include "check_crypto.h"

static const uint8_t SHA256_ABC[] = {
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
}; /* FIPS 180-4 */
static const uint8_t SHA256_ZEROS[] = {
    0x13, 0x58, 0xf4, 0xce, 0x65, 0xf0, 0xd1, 0xed, 0x48, 0x2d, 0x57, 0x2e, 0x4e, 0xac, 0x6e, 0xa9,
    0x0d, 0x46, 0x5c, 0x0a, 0xb8, 0x78, 0xf4, 0x77, 0x29, 0x74, 0x74, 0xf8, 0xf2, 0x32, 0x26, 0xc3,
}; /* of 600 000 zeros, by sha256sum */
static const uint8_t SHAKE128_EMPTY[] = {
    0x7f, 0x9c, 0x2b, 0xa4, 0xe8, 0x8f, 0x82, 0x7d, 0x61, 0x60, 0x45, 0x50, 0x76, 0x05, 0x85, 0x3e,
}; /* FIPS 202 */

#define MUCH 600000u /* more than two pieces of a frame */

static TEE_OperationHandle digest(uint32_t algorithm)
{
    TEE_OperationHandle operation = TEE_HANDLE_NULL;

    return TEE_AllocateOperation(&operation, algorithm, TEE_MODE_DIGEST, 0) == TEE_SUCCESS ? operation : TEE_HANDLE_NULL;
}

CHECK(digest_known_answer)
{
    TEE_OperationHandle operation = digest(TEE_ALG_SHA256);
    uint8_t hash[32];
    gp_size size = sizeof hash;

    TEE_DigestUpdate(operation, "a", 1);
    TEE_DigestUpdate(operation, NULL, 0);
    EXPECT_OK(TEE_DigestDoFinal(operation, "bc", 2, hash, &size));
    EXPECT(size == sizeof hash);
    EXPECT_BYTES(hash, SHA256_ABC, sizeof hash);
    EXPECT_OK(TEE_DigestDoFinal(operation, "abc", 3, hash, &size));
    EXPECT_BYTES(hash, SHA256_ABC, sizeof hash);
    TEE_FreeOperation(operation);
}

CHECK(digest_short_buffer_says_how_much_and_changes_nothing)
{
    TEE_OperationHandle operation = digest(TEE_ALG_SHA256);
    uint8_t hash[32];
    gp_size size = 31;

    TEE_DigestUpdate(operation, "ab", 2);
    EXPECT_RESULT(TEE_DigestDoFinal(operation, "c", 1, hash, &size), TEE_ERROR_SHORT_BUFFER);
    EXPECT(size == 32);
    size = 0;
    EXPECT_RESULT(TEE_DigestDoFinal(operation, "c", 1, NULL, &size), TEE_ERROR_SHORT_BUFFER);
    EXPECT(size == 32);
    EXPECT_OK(TEE_DigestDoFinal(operation, "c", 1, hash, &size));
    EXPECT_BYTES(hash, SHA256_ABC, sizeof hash);
    TEE_FreeOperation(operation);
}

CHECK(digest_of_more_than_a_frame)
{
    TEE_OperationHandle operation = digest(TEE_ALG_SHA256);
    uint8_t *much = TEE_Malloc(MUCH, TEE_MALLOC_FILL_ZERO), hash[32];
    gp_size size = 8;

    EXPECT(much != NULL);
    TEE_DigestUpdate(operation, much, MUCH);
    EXPECT_RESULT(TEE_DigestDoFinal(operation, NULL, 0, hash, &size), TEE_ERROR_SHORT_BUFFER);
    EXPECT_OK(TEE_DigestDoFinal(operation, NULL, 0, hash, &size));
    EXPECT_BYTES(hash, SHA256_ZEROS, sizeof hash);
    EXPECT_OK(TEE_DigestDoFinal(operation, much, MUCH, hash, &size));
    EXPECT_BYTES(hash, SHA256_ZEROS, sizeof hash);
    size = 8; /* checked before anything was worked on */
    EXPECT_RESULT(TEE_DigestDoFinal(operation, much, MUCH, hash, &size), TEE_ERROR_SHORT_BUFFER);
    EXPECT_OK(TEE_DigestDoFinal(operation, "abc", 3, hash, &size));
    EXPECT_BYTES(hash, SHA256_ABC, sizeof hash);
    TEE_Free(much);
    TEE_FreeOperation(operation);
}

CHECK(digest_into_a_room_of_more_than_a_frame)
{
    TEE_OperationHandle operation = digest(TEE_ALG_SHA256), xof = digest(TEE_ALG_SHAKE128);
    uint8_t *room = TEE_Malloc(MUCH, TEE_MALLOC_FILL_ZERO), *again = room + MUCH / 2;
    gp_size size = MUCH;

    EXPECT(room != NULL);
    EXPECT_OK(TEE_DigestDoFinal(operation, "abc", 3, room, &size));
    EXPECT(size == 32);
    EXPECT_BYTES(room, SHA256_ABC, 32);
    size = MUCH;
    EXPECT_OK(TEE_DigestDoFinal(xof, NULL, 0, room, &size));
    EXPECT(size == MUCH);
    EXPECT_BYTES(room, SHAKE128_EMPTY, sizeof SHAKE128_EMPTY);
    size = 16; /* the operation is initial again */
    EXPECT_OK(TEE_DigestDoFinal(xof, NULL, 0, again, &size));
    EXPECT_BYTES(again, SHAKE128_EMPTY, sizeof SHAKE128_EMPTY);
    TEE_Free(room);
    TEE_FreeOperation(operation);
    TEE_FreeOperation(xof);
}

CHECK(digest_extract_in_parts)
{
    TEE_OperationHandle operation = digest(TEE_ALG_SHA256), xof = digest(TEE_ALG_SHAKE128);
    uint8_t hash[40];
    size_t size = 20;

    TEE_DigestUpdate(operation, "abc", 3);
    EXPECT_OK(TEE_DigestExtract(operation, hash, &size));
    EXPECT(size == 20);
    EXPECT_OK(TEE_DigestExtract(operation, hash + 20, &size));
    EXPECT(size == 12);
    EXPECT_BYTES(hash, SHA256_ABC, 32);
    size = 7;
    EXPECT_OK(TEE_DigestExtract(xof, hash, &size));
    size = 9;
    EXPECT_OK(TEE_DigestExtract(xof, hash + 7, &size));
    EXPECT_BYTES(hash, SHAKE128_EMPTY, sizeof SHAKE128_EMPTY);
    TEE_FreeOperation(operation);
    TEE_FreeOperation(xof);
}

CHECK(operation_copy_forks_a_digest)
{
    TEE_OperationHandle one = digest(TEE_ALG_SHA256), two = digest(TEE_ALG_SHA256);
    uint8_t hash[32];
    gp_size size = sizeof hash;

    TEE_DigestUpdate(one, "ab", 2);
    TEE_CopyOperation(two, one);
    TEE_DigestUpdate(one, "other", 5);
    EXPECT_OK(TEE_DigestDoFinal(two, "c", 1, hash, &size));
    EXPECT_BYTES(hash, SHA256_ABC, sizeof hash);
    TEE_ResetOperation(one);
    EXPECT_OK(TEE_DigestDoFinal(one, "abc", 3, hash, &size));
    EXPECT_BYTES(hash, SHA256_ABC, sizeof hash);
    TEE_FreeOperation(one);
    TEE_FreeOperation(two);
}

CHECK(operation_info)
{
    static const uint8_t key[16];
    TEE_OperationHandle operation = keyed(TEE_ALG_AES_CMAC, TEE_MODE_MAC, TEE_TYPE_AES, key, sizeof key);
    struct {
        TEE_OperationInfoMultiple head;
        TEE_OperationInfoKey keys[2];
    } several;
    TEE_OperationInfo info;
    gp_size size = sizeof(TEE_OperationInfoMultiple);

    EXPECT(operation != TEE_HANDLE_NULL);
    TEE_GetOperationInfo(operation, &info);
    EXPECT(info.algorithm == TEE_ALG_AES_CMAC);
    EXPECT(info.operationClass == TEE_OPERATION_MAC);
    EXPECT(info.mode == TEE_MODE_MAC);
    EXPECT(info.digestLength == 16);
    EXPECT(info.maxKeySize == 128);
    EXPECT(info.keySize == 128);
    EXPECT(info.requiredKeyUsage == TEE_USAGE_MAC);
    EXPECT(info.handleState == TEE_HANDLE_FLAG_KEY_SET);
    EXPECT_RESULT(TEE_GetOperationInfoMultiple(operation, &several.head, &size), TEE_ERROR_SHORT_BUFFER);
    EXPECT(size == sizeof(TEE_OperationInfoMultiple) + sizeof(TEE_OperationInfoKey));
    size = sizeof several;
    TEE_MACInit(operation, NULL, 0);
    EXPECT_OK(TEE_GetOperationInfoMultiple(operation, &several.head, &size));
    EXPECT(size == sizeof(TEE_OperationInfoMultiple) + sizeof(TEE_OperationInfoKey));
    EXPECT(several.head.numberOfKeys == 1);
    EXPECT(several.head.operationState == TEE_OPERATION_STATE_ACTIVE);
    EXPECT(several.head.keyInformation[0].keySize == 128);
    EXPECT(several.head.keyInformation[0].requiredKeyUsage == TEE_USAGE_MAC);
    TEE_FreeOperation(operation);
}

CHECK(operation_unknown_algorithms_are_not_supported)
{
    TEE_OperationHandle operation = (TEE_OperationHandle)1;

    EXPECT_RESULT(TEE_AllocateOperation(&operation, TEE_ALG_SM2_PKE, TEE_MODE_ENCRYPT, 256), TEE_ERROR_NOT_SUPPORTED);
    EXPECT(operation == TEE_HANDLE_NULL);
    EXPECT_RESULT(TEE_AllocateOperation(&operation, TEE_ALG_AES_CTR, TEE_MODE_DIGEST, 128), TEE_ERROR_NOT_SUPPORTED);
    EXPECT_RESULT(TEE_AllocateOperation(&operation, TEE_ALG_AES_CTR, TEE_MODE_ENCRYPT, 127), TEE_ERROR_NOT_SUPPORTED);
    EXPECT_OK(TEE_IsAlgorithmSupported(TEE_ALG_AES_GCM, TEE_CRYPTO_ELEMENT_NONE));
    EXPECT_OK(TEE_IsAlgorithmSupported(TEE_ALG_ECDSA_SHA256, TEE_ECC_CURVE_NIST_P256));
    EXPECT_RESULT(TEE_IsAlgorithmSupported(TEE_ALG_SM2_PKE, TEE_ECC_CURVE_SM2), TEE_ERROR_NOT_SUPPORTED);
    EXPECT_RESULT(TEE_IsAlgorithmSupported(TEE_ALG_AES_GCM, TEE_ECC_CURVE_NIST_P256), TEE_ERROR_NOT_SUPPORTED);
}

CHECK(operation_64_at_once)
{
    static TEE_OperationHandle operations[64];
    TEE_OperationHandle one_more;

    for (int i = 0; i < 64; i++) {
        operations[i] = digest(TEE_ALG_SHA1);
        EXPECT(operations[i] != TEE_HANDLE_NULL);
    }
    EXPECT_RESULT(TEE_AllocateOperation(&one_more, TEE_ALG_SHA1, TEE_MODE_DIGEST, 0), TEE_ERROR_OUT_OF_MEMORY);
    for (int i = 0; i < 64; i++) {
        TEE_FreeOperation(operations[i]);
    }
}

CHECK(operation_free_of_null_does_nothing)
{
    TEE_FreeOperation(TEE_HANDLE_NULL);
}

CHECK(operation_keys_are_taken_away)
{
    static const uint8_t key[16];
    TEE_OperationHandle operation = keyed(TEE_ALG_AES_CTR, TEE_MODE_ENCRYPT, TEE_TYPE_AES, key, sizeof key);
    TEE_OperationInfo info;

    EXPECT_OK(TEE_SetOperationKey(operation, TEE_HANDLE_NULL));
    TEE_GetOperationInfo(operation, &info);
    EXPECT(info.keySize == 0 && info.handleState == 0);
    TEE_FreeOperation(operation);
}

CHECK(operation_two_keys_that_are_one)
{
    static const uint8_t bytes[16];
    TEE_ObjectHandle key = secret_key(TEE_TYPE_AES, bytes, sizeof bytes), other = secret_key(TEE_TYPE_AES, bytes, 16);
    TEE_OperationHandle operation;

    EXPECT_OK(TEE_AllocateOperation(&operation, TEE_ALG_AES_XTS, TEE_MODE_ENCRYPT, 256));
    EXPECT_RESULT(TEE_SetOperationKey2(operation, key, key), TEE_ERROR_SECURITY);
    EXPECT_OK(TEE_SetOperationKey2(operation, key, other));
    TEE_FreeOperation(operation);
    TEE_FreeTransientObject(key);
    TEE_FreeTransientObject(other);
}

PANICS(operation_reset_without_a_key)
{
    TEE_OperationHandle operation;

    EXPECT_OK(TEE_AllocateOperation(&operation, TEE_ALG_AES_CTR, TEE_MODE_ENCRYPT, 128));
    TEE_ResetOperation(operation);
}

PANICS(operation_that_was_freed)
{
    TEE_OperationHandle operation = digest(TEE_ALG_SHA1);

    TEE_FreeOperation(operation);
    TEE_DigestUpdate(operation, "abc", 3);
}

PANICS(operation_handle_of_no_operation)
{
    TEE_ResetOperation((TEE_OperationHandle)(uintptr_t)0x12345678);
}

PANICS(operation_key_of_another_type)
{
    static const uint8_t bytes[32];
    TEE_ObjectHandle key = secret_key(TEE_TYPE_HMAC_SHA256, bytes, sizeof bytes);
    TEE_OperationHandle operation;

    EXPECT(key != TEE_HANDLE_NULL);
    EXPECT_OK(TEE_AllocateOperation(&operation, TEE_ALG_AES_CTR, TEE_MODE_ENCRYPT, 256));
    TEE_SetOperationKey(operation, key);
}

PANICS(operation_key_while_active)
{
    static const uint8_t bytes[16];
    TEE_OperationHandle operation = keyed(TEE_ALG_AES_CTR, TEE_MODE_ENCRYPT, TEE_TYPE_AES, bytes, sizeof bytes);

    EXPECT(operation != TEE_HANDLE_NULL);
    TEE_CipherInit(operation, bytes, sizeof bytes);
    TEE_SetOperationKey(operation, TEE_HANDLE_NULL);
}

PANICS(operation_allocated_into_nothing)
{
    TEE_AllocateOperation(NULL, TEE_ALG_SHA256, TEE_MODE_DIGEST, 0);
}

PANICS(digest_update_while_extracting)
{
    TEE_OperationHandle operation = digest(TEE_ALG_SHA256);
    uint8_t hash[4];
    size_t size = sizeof hash;

    EXPECT_OK(TEE_DigestExtract(operation, hash, &size));
    TEE_DigestUpdate(operation, "abc", 3);
}

PANICS(digest_of_null_that_is_not_empty)
{
    TEE_DigestUpdate(digest(TEE_ALG_SHA256), NULL, 3);
}

/* Asymmetric functions, derivation, random bytes: Internal Core API 1.3.1, sections 6.7 to 6.9. */
#include "check_crypto.h"

static const uint8_t DIGEST[32] = "thirty-two bytes of some digest";

static TEE_OperationHandle with_key(uint32_t algorithm, uint32_t mode, TEE_ObjectHandle key, uint32_t bits)
{
    TEE_OperationHandle operation;

    if (TEE_AllocateOperation(&operation, algorithm, mode, bits) != TEE_SUCCESS ||
        TEE_SetOperationKey(operation, key) != TEE_SUCCESS) {
        return TEE_HANDLE_NULL;
    }
    return operation;
}

/* Signs, verifies, and does not verify what differs. */
static void signs(uint32_t algorithm, TEE_ObjectHandle pair, uint32_t bits, const TEE_Attribute *params, uint32_t count)
{
    TEE_OperationHandle signing = with_key(algorithm, TEE_MODE_SIGN, pair, bits);
    TEE_OperationHandle verifying = with_key(algorithm, TEE_MODE_VERIFY, pair, bits);
    uint8_t signature[128];
    gp_size size = 3;

    EXPECT(signing != TEE_HANDLE_NULL && verifying != TEE_HANDLE_NULL);
    EXPECT_RESULT(TEE_AsymmetricSignDigest(signing, params, count, DIGEST, sizeof DIGEST, signature, &size),
                  TEE_ERROR_SHORT_BUFFER);
    EXPECT(size > 3 && size <= sizeof signature);
    EXPECT_OK(TEE_AsymmetricSignDigest(signing, params, count, DIGEST, sizeof DIGEST, signature, &size));
    EXPECT_OK(TEE_AsymmetricVerifyDigest(verifying, params, count, DIGEST, sizeof DIGEST, signature, size));
    EXPECT_RESULT(TEE_AsymmetricVerifyDigest(verifying, params, count, DIGEST, sizeof DIGEST, signature, size - 1),
                  TEE_ERROR_SIGNATURE_INVALID);
    signature[size / 2] ^= 4;
    EXPECT_RESULT(TEE_AsymmetricVerifyDigest(verifying, params, count, DIGEST, sizeof DIGEST, signature, size),
                  TEE_ERROR_SIGNATURE_INVALID);
    TEE_FreeOperation(signing);
    TEE_FreeOperation(verifying);
}

CHECK(asymmetric_rsa_signatures)
{
    TEE_ObjectHandle pair = rsa_pair();
    TEE_Attribute salt;

    EXPECT(pair != TEE_HANDLE_NULL);
    signs(TEE_ALG_RSASSA_PKCS1_V1_5_SHA256, pair, 1024, NULL, 0);
    signs(TEE_ALG_RSASSA_PKCS1_PSS_MGF1_SHA256, pair, 1024, NULL, 0);
    TEE_InitValueAttribute(&salt, TEE_ATTR_RSA_PSS_SALT_LENGTH, 7, 0);
    signs(TEE_ALG_RSASSA_PKCS1_PSS_MGF1_SHA256, pair, 1024, &salt, 1);
    TEE_FreeTransientObject(pair);
}

CHECK(asymmetric_ecdsa_signatures)
{
    TEE_ObjectHandle pair = p256_pair(TEE_TYPE_ECDSA_KEYPAIR);

    EXPECT(pair != TEE_HANDLE_NULL);
    signs(TEE_ALG_ECDSA_SHA256, pair, 256, NULL, 0);
    TEE_FreeTransientObject(pair);
}

CHECK(asymmetric_ed25519_signatures)
{
    TEE_ObjectHandle pair = TEE_HANDLE_NULL;
    TEE_Attribute params[2];

    EXPECT_OK(TEE_AllocateTransientObject(TEE_TYPE_ED25519_KEYPAIR, 256, &pair));
    EXPECT_OK(TEE_GenerateKey(pair, 256, NULL, 0));
    signs(TEE_ALG_ED25519, pair, 256, NULL, 0);
    TEE_InitRefAttribute(&params[0], TEE_ATTR_EDDSA_CTX, "context", 7);
    TEE_InitValueAttribute(&params[1], TEE_ATTR_EDDSA_PREHASH, 1, 0);
    signs(TEE_ALG_ED25519, pair, 256, params, 1);
    signs(TEE_ALG_ED25519, pair, 256, params, 2);
    TEE_FreeTransientObject(pair);
}

CHECK(asymmetric_rsa_encryption)
{
    static const uint32_t algorithms[] = { TEE_ALG_RSAES_PKCS1_V1_5, TEE_ALG_RSAES_PKCS1_OAEP_MGF1_SHA256 };
    TEE_ObjectHandle pair = rsa_pair();
    TEE_Attribute label;

    EXPECT(pair != TEE_HANDLE_NULL);
    TEE_InitRefAttribute(&label, TEE_ATTR_RSA_OAEP_LABEL, "label", 5);
    for (uint32_t i = 0; i < 2; i++) {
        TEE_OperationHandle there = with_key(algorithms[i], TEE_MODE_ENCRYPT, pair, 1024);
        TEE_OperationHandle back = with_key(algorithms[i], TEE_MODE_DECRYPT, pair, 1024);
        uint8_t cipher[128], plain[128];
        gp_size size = 127;

        EXPECT_RESULT(TEE_AsymmetricEncrypt(there, &label, i, DIGEST, 32, cipher, &size), TEE_ERROR_SHORT_BUFFER);
        EXPECT(size == 128);
        EXPECT_OK(TEE_AsymmetricEncrypt(there, &label, i, DIGEST, 32, cipher, &size));
        size = 31;
        EXPECT_RESULT(TEE_AsymmetricDecrypt(back, &label, i, cipher, 128, plain, &size), TEE_ERROR_SHORT_BUFFER);
        EXPECT(size == 32);
        EXPECT_OK(TEE_AsymmetricDecrypt(back, &label, i, cipher, 128, plain, &size));
        EXPECT_BYTES(plain, DIGEST, 32);
        EXPECT_RESULT(TEE_AsymmetricDecrypt(back, &label, i, cipher, 127, plain, &size), TEE_ERROR_BAD_PARAMETERS);
        TEE_FreeOperation(there);
        TEE_FreeOperation(back);
    }
    TEE_FreeTransientObject(pair);
}

/* The cipher of another label. */
static TEE_Result decrypted_by_another_label(void)
{
    TEE_ObjectHandle pair = rsa_pair();
    TEE_OperationHandle there = with_key(TEE_ALG_RSAES_PKCS1_OAEP_MGF1_SHA1, TEE_MODE_ENCRYPT, pair, 1024);
    TEE_OperationHandle back = with_key(TEE_ALG_RSAES_PKCS1_OAEP_MGF1_SHA1, TEE_MODE_DECRYPT, pair, 1024);
    uint8_t cipher[128], plain[128];
    gp_size size = sizeof cipher;
    TEE_Attribute label;

    TEE_InitRefAttribute(&label, TEE_ATTR_RSA_OAEP_LABEL, "label", 5);
    if (TEE_AsymmetricEncrypt(there, &label, 1, DIGEST, 32, cipher, &size) != TEE_SUCCESS) {
        return TEE_ERROR_GENERIC;
    }
    return TEE_AsymmetricDecrypt(back, NULL, 0, cipher, 128, plain, &size);
}

CHECK_13(asymmetric_invalid_ciphertext)
{
    EXPECT_RESULT(decrypted_by_another_label(), TEE_ERROR_CIPHERTEXT_INVALID);
}

CHECK_11(asymmetric_invalid_ciphertext_has_an_older_name)
{
    EXPECT_RESULT(decrypted_by_another_label(), TEE_ERROR_BAD_PARAMETERS);
}

CHECK(derive_shared_secret)
{
    TEE_ObjectHandle pairs[2] = { p256_pair(TEE_TYPE_ECDH_KEYPAIR), p256_pair(TEE_TYPE_ECDH_KEYPAIR) };
    uint8_t secrets[2][32];

    for (int i = 0; i < 2; i++) {
        TEE_OperationHandle operation = with_key(TEE_ALG_ECDH_DERIVE_SHARED_SECRET, TEE_MODE_DERIVE, pairs[i], 256);
        TEE_ObjectHandle derived = TEE_HANDLE_NULL;
        uint8_t x[32], y[32];
        gp_size x_size = sizeof x, y_size = sizeof y, size = sizeof secrets[i];
        TEE_Attribute point[2];

        EXPECT(operation != TEE_HANDLE_NULL);
        EXPECT_OK(TEE_GetObjectBufferAttribute(pairs[1 - i], TEE_ATTR_ECC_PUBLIC_VALUE_X, x, &x_size));
        EXPECT_OK(TEE_GetObjectBufferAttribute(pairs[1 - i], TEE_ATTR_ECC_PUBLIC_VALUE_Y, y, &y_size));
        TEE_InitRefAttribute(&point[0], TEE_ATTR_ECC_PUBLIC_VALUE_X, x, x_size);
        TEE_InitRefAttribute(&point[1], TEE_ATTR_ECC_PUBLIC_VALUE_Y, y, y_size);
        EXPECT_OK(TEE_AllocateTransientObject(TEE_TYPE_GENERIC_SECRET, 256, &derived));
        TEE_DeriveKey(operation, point, 2, derived);
        EXPECT_OK(TEE_GetObjectBufferAttribute(derived, TEE_ATTR_SECRET_VALUE, secrets[i], &size));
        EXPECT(size == 32);
        TEE_FreeTransientObject(derived);
        TEE_FreeOperation(operation);
    }
    EXPECT_BYTES(secrets[0], secrets[1], 32);
    TEE_FreeTransientObject(pairs[0]);
    TEE_FreeTransientObject(pairs[1]);
}

CHECK(random_bytes)
{
    uint8_t *much = TEE_Malloc(200000, TEE_MALLOC_FILL_ZERO);
    unsigned ones = 0;

    EXPECT(much != NULL);
    TEE_GenerateRandom(NULL, 0);
    TEE_GenerateRandom(much, 200000);
    for (gp_size i = 0; i < 200000; i++) {
        ones += (unsigned)__builtin_popcount(much[i]);
    }
    EXPECT(ones > 795000 && ones < 805000); /* 800 000 are expected, within eight standard deviations */
    TEE_Free(much);
}

PANICS(asymmetric_digest_of_another_length)
{
    uint8_t signature[128];
    gp_size size = sizeof signature;

    TEE_AsymmetricSignDigest(with_key(TEE_ALG_RSASSA_PKCS1_V1_5_SHA1, TEE_MODE_SIGN, rsa_pair(), 1024), NULL, 0, DIGEST,
                             32, signature, &size);
}

PANICS(asymmetric_more_attributes_than_any_function_takes)
{
    static TEE_Attribute many[40];
    uint8_t signature[128];
    gp_size size = sizeof signature;

    TEE_AsymmetricSignDigest(with_key(TEE_ALG_ECDSA_SHA256, TEE_MODE_SIGN, p256_pair(TEE_TYPE_ECDSA_KEYPAIR), 256), many,
                             40, DIGEST, 32, signature, &size);
}

PANICS(derive_into_an_object_that_is_used)
{
    TEE_ObjectHandle pair = p256_pair(TEE_TYPE_ECDH_KEYPAIR);

    TEE_DeriveKey(with_key(TEE_ALG_ECDH_DERIVE_SHARED_SECRET, TEE_MODE_DERIVE, pair, 256), NULL, 0, pair);
}

PANICS(random_into_nothing)
{
    TEE_GenerateRandom(NULL, 5);
}

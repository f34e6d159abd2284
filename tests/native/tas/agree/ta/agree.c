#include <agree_ta.h>
#include <tee_internal_api.h>

#define BITS 256
#define HASH_BYTES 32

struct pairs {
    TEE_ObjectHandle agreeing;
    TEE_ObjectHandle signing;
};

static TEE_Result make_pair(uint32_t type, TEE_ObjectHandle *pair)
{
    TEE_Attribute curve;
    TEE_Result result = TEE_AllocateTransientObject(type, BITS, pair);

    if (result != TEE_SUCCESS) {
        return result;
    }
    TEE_InitValueAttribute(&curve, TEE_ATTR_ECC_CURVE, TEE_ECC_CURVE_NIST_P256, 0);
    return TEE_GenerateKey(*pair, BITS, &curve, 1);
}

static TEE_Result hash(const void *text, size_t size, uint8_t digest[HASH_BYTES])
{
    TEE_OperationHandle operation = TEE_HANDLE_NULL;
    size_t digest_bytes = HASH_BYTES;
    TEE_Result result = TEE_AllocateOperation(&operation, TEE_ALG_SHA256, TEE_MODE_DIGEST, 0);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_DigestDoFinal(operation, text, size, digest, &digest_bytes);
    TEE_FreeOperation(operation);
    return result;
}

static TEE_Result public(struct pairs *pairs, TEE_Param params[4])
{
    TEE_Result result = TEE_GetObjectBufferAttribute(pairs->agreeing, TEE_ATTR_ECC_PUBLIC_VALUE_X,
                                                     params[0].memref.buffer, &params[0].memref.size);

    if (result != TEE_SUCCESS) {
        return result;
    }
    return TEE_GetObjectBufferAttribute(pairs->agreeing, TEE_ATTR_ECC_PUBLIC_VALUE_Y, params[1].memref.buffer,
                                        &params[1].memref.size);
}

static TEE_Result derive(struct pairs *pairs, TEE_Param params[4], TEE_ObjectHandle derived)
{
    TEE_OperationHandle operation = TEE_HANDLE_NULL;
    TEE_Attribute point[2];
    TEE_Result result =
        TEE_AllocateOperation(&operation, TEE_ALG_ECDH_DERIVE_SHARED_SECRET, TEE_MODE_DERIVE, BITS);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_SetOperationKey(operation, pairs->agreeing);
    if (result == TEE_SUCCESS) {
        TEE_InitRefAttribute(&point[0], TEE_ATTR_ECC_PUBLIC_VALUE_X, params[0].memref.buffer, params[0].memref.size);
        TEE_InitRefAttribute(&point[1], TEE_ATTR_ECC_PUBLIC_VALUE_Y, params[1].memref.buffer, params[1].memref.size);
        TEE_DeriveKey(operation, point, 2, derived);
    }
    TEE_FreeOperation(operation);
    return result;
}

static TEE_Result secret(struct pairs *pairs, TEE_Param params[4])
{
    TEE_ObjectHandle derived = TEE_HANDLE_NULL;
    uint8_t bytes[BITS / 8];
    size_t size = sizeof bytes;
    TEE_Result result;

    if (params[0].memref.size != TA_AGREE_COORDINATE_BYTES || params[1].memref.size != TA_AGREE_COORDINATE_BYTES) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    if (params[2].memref.size < HASH_BYTES) {
        params[2].memref.size = HASH_BYTES;
        return TEE_ERROR_SHORT_BUFFER;
    }
    result = TEE_AllocateTransientObject(TEE_TYPE_GENERIC_SECRET, BITS, &derived);
    if (result != TEE_SUCCESS) {
        return result;
    }
    result = derive(pairs, params, derived);
    if (result == TEE_SUCCESS) {
        result = TEE_GetObjectBufferAttribute(derived, TEE_ATTR_SECRET_VALUE, bytes, &size);
    }
    if (result == TEE_SUCCESS) {
        result = hash(bytes, size, params[2].memref.buffer);
        params[2].memref.size = HASH_BYTES;
    }
    TEE_MemFill(bytes, 0, sizeof bytes);
    TEE_FreeTransientObject(derived);
    return result;
}

static TEE_Result with_signing_key(struct pairs *pairs, uint32_t mode, TEE_OperationHandle *operation)
{
    TEE_Result result = TEE_AllocateOperation(operation, TEE_ALG_ECDSA_SHA256, mode, BITS);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_SetOperationKey(*operation, pairs->signing);
    if (result != TEE_SUCCESS) {
        TEE_FreeOperation(*operation);
    }
    return result;
}

static TEE_Result sign(struct pairs *pairs, TEE_Param params[4])
{
    TEE_OperationHandle operation = TEE_HANDLE_NULL;
    uint8_t digest[HASH_BYTES];
    TEE_Result result = hash(params[0].memref.buffer, params[0].memref.size, digest);

    if (result == TEE_SUCCESS) {
        result = with_signing_key(pairs, TEE_MODE_SIGN, &operation);
    }
    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_AsymmetricSignDigest(operation, NULL, 0, digest, sizeof digest, params[1].memref.buffer,
                                      &params[1].memref.size);
    TEE_FreeOperation(operation);
    return result;
}

static TEE_Result verify(struct pairs *pairs, TEE_Param params[4])
{
    TEE_OperationHandle operation = TEE_HANDLE_NULL;
    uint8_t digest[HASH_BYTES];
    TEE_Result result = hash(params[0].memref.buffer, params[0].memref.size, digest);

    if (result == TEE_SUCCESS) {
        result = with_signing_key(pairs, TEE_MODE_VERIFY, &operation);
    }
    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_AsymmetricVerifyDigest(operation, NULL, 0, digest, sizeof digest, params[1].memref.buffer,
                                        params[1].memref.size);
    TEE_FreeOperation(operation);
    return result;
}

TEE_Result TA_CreateEntryPoint(void)
{
    return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param params[4], void **session)
{
    struct pairs *pairs = TEE_Malloc(sizeof *pairs, TEE_MALLOC_FILL_ZERO);
    TEE_Result result;

    (void)types;
    (void)params;
    if (pairs == NULL) {
        return TEE_ERROR_OUT_OF_MEMORY;
    }
    result = make_pair(TEE_TYPE_ECDH_KEYPAIR, &pairs->agreeing);
    if (result == TEE_SUCCESS) {
        result = make_pair(TEE_TYPE_ECDSA_KEYPAIR, &pairs->signing);
    }
    if (result != TEE_SUCCESS) {
        TEE_FreeTransientObject(pairs->agreeing);
        TEE_FreeTransientObject(pairs->signing);
        TEE_Free(pairs);
        return result;
    }
    *session = pairs;
    return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *session)
{
    struct pairs *pairs = session;

    TEE_FreeTransientObject(pairs->agreeing);
    TEE_FreeTransientObject(pairs->signing);
    TEE_Free(pairs);
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t command, uint32_t types, TEE_Param params[4])
{
    const uint32_t in = TEE_PARAM_TYPE_MEMREF_INPUT;
    const uint32_t out = TEE_PARAM_TYPE_MEMREF_OUTPUT;

    if (command == TA_AGREE_PUBLIC && types == TEE_PARAM_TYPES(out, out, 0, 0)) {
        return public(session, params);
    }
    if (command == TA_AGREE_SECRET && types == TEE_PARAM_TYPES(in, in, out, 0)) {
        return secret(session, params);
    }
    if (command == TA_AGREE_SIGN && types == TEE_PARAM_TYPES(in, out, 0, 0)) {
        return sign(session, params);
    }
    if (command == TA_AGREE_VERIFY && types == TEE_PARAM_TYPES(in, in, 0, 0)) {
        return verify(session, params);
    }
    return TEE_ERROR_NOT_SUPPORTED;
}

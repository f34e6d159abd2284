#include "check_crypto.h"

TEE_ObjectHandle secret_key(uint32_t type, const void *bytes, gp_size size)
{
    TEE_ObjectHandle key = TEE_HANDLE_NULL;
    TEE_Attribute secret;

    if (TEE_AllocateTransientObject(type, (uint32_t)size * 8, &key) != TEE_SUCCESS) {
        return TEE_HANDLE_NULL;
    }
    TEE_InitRefAttribute(&secret, TEE_ATTR_SECRET_VALUE, bytes, size);
    if (TEE_PopulateTransientObject(key, &secret, 1) != TEE_SUCCESS) {
        TEE_FreeTransientObject(key);
        return TEE_HANDLE_NULL;
    }
    return key;
}

TEE_OperationHandle keyed(uint32_t algorithm, uint32_t mode, uint32_t type, const void *bytes, gp_size size)
{
    TEE_OperationHandle operation = TEE_HANDLE_NULL;
    TEE_ObjectHandle key = secret_key(type, bytes, size);
    TEE_Result result;

    if (key == TEE_HANDLE_NULL) {
        return TEE_HANDLE_NULL;
    }
    result = TEE_AllocateOperation(&operation, algorithm, mode, (uint32_t)size * 8);
    if (result == TEE_SUCCESS && TEE_SetOperationKey(operation, key) != TEE_SUCCESS) {
        TEE_FreeOperation(operation);
        operation = TEE_HANDLE_NULL;
    }
    TEE_FreeTransientObject(key);
    return operation;
}

TEE_ObjectHandle rsa_pair(void)
{
    TEE_ObjectHandle pair = TEE_HANDLE_NULL;

    if (TEE_AllocateTransientObject(TEE_TYPE_RSA_KEYPAIR, 1024, &pair) != TEE_SUCCESS ||
        TEE_GenerateKey(pair, 1024, NULL, 0) != TEE_SUCCESS) {
        return TEE_HANDLE_NULL;
    }
    return pair;
}

TEE_ObjectHandle p256_pair(uint32_t type)
{
    TEE_ObjectHandle pair = TEE_HANDLE_NULL;
    TEE_Attribute curve;

    TEE_InitValueAttribute(&curve, TEE_ATTR_ECC_CURVE, TEE_ECC_CURVE_NIST_P256, 0);
    if (TEE_AllocateTransientObject(type, 256, &pair) != TEE_SUCCESS ||
        TEE_GenerateKey(pair, 256, &curve, 1) != TEE_SUCCESS) {
        return TEE_HANDLE_NULL;
    }
    return pair;
}

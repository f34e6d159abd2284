/* TEE Internal Core API 1.3.1, sections 6.7 and 6.8: asymmetric functions, and the derivation of keys. */
#include "api_crypto.h"

static TEE_Result operate(uint32_t function, TEE_OperationHandle operation, const tee13_Attribute *params,
                          uint32_t paramCount, const void *in, size_t in_size, void *out, size_t *out_size)
{
    TEE_Result result;

    ask_operation(function, operation);
    need_in(in, in_size);
    need_room(out, out_size);
    ask_attributes(params, paramCount);
    ask_bytes(in, in_size);
    ask_room(out, *out_size);
    result = ask_send();
    if (result == TEE_SUCCESS || result == TEE_ERROR_SHORT_BUFFER)
        got_into(out, out_size);
    return result;
}

TEE_Result TEE_AsymmetricEncrypt(TEE_OperationHandle operation, const tee13_Attribute *params, uint32_t paramCount,
                                 const void *srcData, size_t srcLen, void *destData, size_t *destLen)
{
    return operate(FUNCTION_ASYMMETRIC_ENCRYPT, operation, params, paramCount, srcData, srcLen, destData, destLen);
}

TEE_Result TEE_AsymmetricDecrypt(TEE_OperationHandle operation, const tee13_Attribute *params, uint32_t paramCount,
                                 const void *srcData, size_t srcLen, void *destData, size_t *destLen)
{
    return operate(FUNCTION_ASYMMETRIC_DECRYPT, operation, params, paramCount, srcData, srcLen, destData, destLen);
}

TEE_Result TEE_AsymmetricSignDigest(TEE_OperationHandle operation, const tee13_Attribute *params, uint32_t paramCount,
                                    const void *digest, size_t digestLen, void *signature, size_t *signatureLen)
{
    return operate(FUNCTION_ASYMMETRIC_SIGN_DIGEST, operation, params, paramCount, digest, digestLen, signature,
                   signatureLen);
}

TEE_Result TEE_AsymmetricVerifyDigest(TEE_OperationHandle operation, const tee13_Attribute *params,
                                      uint32_t paramCount, const void *digest, size_t digestLen,
                                      const void *signature, size_t signatureLen)
{
    ask_operation(FUNCTION_ASYMMETRIC_VERIFY_DIGEST, operation);
    need_in(digest, digestLen);
    need_in(signature, signatureLen);
    ask_attributes(params, paramCount);
    ask_bytes(digest, digestLen);
    ask_bytes(signature, signatureLen);
    return ask_send();
}

void TEE_DeriveKey(TEE_OperationHandle operation, const tee13_Attribute *params, uint32_t paramCount,
                   TEE_ObjectHandle derivedKey)
{
    ask_operation(FUNCTION_DERIVE_KEY, operation);
    ask_attributes(params, paramCount);
    ask_u64(number_of(derivedKey));
    ask_send();
}

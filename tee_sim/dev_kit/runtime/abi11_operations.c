/* TEE Internal Core API 1.1, section 6: the same functions with sizes of 32 bits. */
#include "api_crypto.h"

TEE_Result tee11_TEE_GetOperationInfoMultiple(TEE_OperationHandle operation, TEE_OperationInfoMultiple *info,
                                              uint32_t *size)
{
    TEE_Result result;
    size_t wide;

    NEED_OUT(size);
    wide = *size;
    result = TEE_GetOperationInfoMultiple(operation, info, &wide);
    *size = (uint32_t)wide;
    return result;
}

void tee11_TEE_DigestUpdate(TEE_OperationHandle operation, const void *chunk, uint32_t chunkSize)
{
    TEE_DigestUpdate(operation, chunk, chunkSize);
}

/* The functions that turn an input into an output all look alike. */
typedef TEE_Result transforming(TEE_OperationHandle operation, const void *in, size_t in_size, void *out,
                                size_t *out_size);

static TEE_Result narrow(transforming *function, TEE_OperationHandle operation, const void *in, uint32_t in_size,
                         void *out, uint32_t *out_size)
{
    TEE_Result result;
    size_t wide;

    NEED_OUT(out_size);
    wide = *out_size;
    result = function(operation, in, in_size, out, &wide);
    *out_size = (uint32_t)wide;
    return result;
}

TEE_Result tee11_TEE_DigestDoFinal(TEE_OperationHandle operation, const void *chunk, uint32_t chunkLen, void *hash,
                                   uint32_t *hashLen)
{
    return narrow(TEE_DigestDoFinal, operation, chunk, chunkLen, hash, hashLen);
}

void tee11_TEE_CipherInit(TEE_OperationHandle operation, const void *IV, uint32_t IVLen)
{
    TEE_CipherInit(operation, IV, IVLen);
}

TEE_Result tee11_TEE_CipherUpdate(TEE_OperationHandle operation, const void *srcData, uint32_t srcLen, void *destData,
                                  uint32_t *destLen)
{
    return narrow(TEE_CipherUpdate, operation, srcData, srcLen, destData, destLen);
}

TEE_Result tee11_TEE_CipherDoFinal(TEE_OperationHandle operation, const void *srcData, uint32_t srcLen, void *destData,
                                   uint32_t *destLen)
{
    if (destLen == NULL)
        return TEE_CipherDoFinal(operation, srcData, srcLen, destData, NULL);
    return narrow(TEE_CipherDoFinal, operation, srcData, srcLen, destData, destLen);
}

void tee11_TEE_MACInit(TEE_OperationHandle operation, const void *IV, uint32_t IVLen)
{
    TEE_MACInit(operation, IV, IVLen);
}

void tee11_TEE_MACUpdate(TEE_OperationHandle operation, const void *chunk, uint32_t chunkSize)
{
    TEE_MACUpdate(operation, chunk, chunkSize);
}

TEE_Result tee11_TEE_MACComputeFinal(TEE_OperationHandle operation, const void *message, uint32_t messageLen,
                                     void *mac, uint32_t *macLen)
{
    return narrow(TEE_MACComputeFinal, operation, message, messageLen, mac, macLen);
}

TEE_Result tee11_TEE_MACCompareFinal(TEE_OperationHandle operation, const void *message, uint32_t messageLen,
                                     const void *mac, uint32_t macLen)
{
    return TEE_MACCompareFinal(operation, message, messageLen, mac, macLen);
}

TEE_Result tee11_TEE_AEInit(TEE_OperationHandle operation, const void *nonce, uint32_t nonceLen, uint32_t tagLen,
                            uint32_t AADLen, uint32_t payloadLen)
{
    return TEE_AEInit(operation, nonce, nonceLen, tagLen, AADLen, payloadLen);
}

void tee11_TEE_AEUpdateAAD(TEE_OperationHandle operation, const void *AADdata, uint32_t AADdataLen)
{
    TEE_AEUpdateAAD(operation, AADdata, AADdataLen);
}

TEE_Result tee11_TEE_AEUpdate(TEE_OperationHandle operation, const void *srcData, uint32_t srcLen, void *destData,
                              uint32_t *destLen)
{
    return narrow(TEE_AEUpdate, operation, srcData, srcLen, destData, destLen);
}

/* A size that may be NULL together with its buffer. */
static size_t *widened(const uint32_t *size, size_t *wide)
{
    if (size == NULL)
        return NULL;
    NEED_OUT(size);
    *wide = *size;
    return wide;
}

TEE_Result tee11_TEE_AEEncryptFinal(TEE_OperationHandle operation, const void *srcData, uint32_t srcLen,
                                    void *destData, uint32_t *destLen, void *tag, uint32_t *tagLen)
{
    size_t dest = 0, wide;
    TEE_Result result;

    NEED_OUT(tagLen);
    wide = *tagLen;
    result = TEE_AEEncryptFinal(operation, srcData, srcLen, destData, widened(destLen, &dest), tag, &wide);
    if (destLen != NULL)
        *destLen = (uint32_t)dest;
    *tagLen = (uint32_t)wide;
    return result;
}

TEE_Result tee11_TEE_AEDecryptFinal(TEE_OperationHandle operation, const void *srcData, uint32_t srcLen,
                                    void *destData, uint32_t *destLen, void *tag, uint32_t tagLen)
{
    size_t dest = 0;
    TEE_Result result;

    result = TEE_AEDecryptFinal(operation, srcData, srcLen, destData, widened(destLen, &dest), tag, tagLen);
    if (destLen != NULL)
        *destLen = (uint32_t)dest;
    return result;
}

typedef TEE_Result operating(TEE_OperationHandle operation, const tee13_Attribute *params, uint32_t paramCount,
                             const void *in, size_t in_size, void *out, size_t *out_size);

static TEE_Result operate_11(operating *function, TEE_OperationHandle operation, const tee11_Attribute *params,
                             uint32_t paramCount, const void *in, uint32_t in_size, void *out, uint32_t *out_size)
{
    tee13_Attribute room[MAX_ATTRIBUTES];
    TEE_Result result;
    size_t wide;

    NEED_OUT(out_size);
    wide = *out_size;
    result = function(operation, attributes_of_11(params, paramCount, room), paramCount, in, in_size, out, &wide);
    *out_size = (uint32_t)wide;
    /* What 1.1 has no name for: there, section 6.7.1 knows SHORT_BUFFER and BAD_PARAMETERS alone. */
    return result == TEE_ERROR_CIPHERTEXT_INVALID || result == TEE_ERROR_NOT_SUPPORTED ? TEE_ERROR_BAD_PARAMETERS
                                                                                      : result;
}

TEE_Result tee11_TEE_AsymmetricEncrypt(TEE_OperationHandle operation, const tee11_Attribute *params,
                                       uint32_t paramCount, const void *srcData, uint32_t srcLen, void *destData,
                                       uint32_t *destLen)
{
    return operate_11(TEE_AsymmetricEncrypt, operation, params, paramCount, srcData, srcLen, destData, destLen);
}

TEE_Result tee11_TEE_AsymmetricDecrypt(TEE_OperationHandle operation, const tee11_Attribute *params,
                                       uint32_t paramCount, const void *srcData, uint32_t srcLen, void *destData,
                                       uint32_t *destLen)
{
    return operate_11(TEE_AsymmetricDecrypt, operation, params, paramCount, srcData, srcLen, destData, destLen);
}

TEE_Result tee11_TEE_AsymmetricSignDigest(TEE_OperationHandle operation, const tee11_Attribute *params,
                                          uint32_t paramCount, const void *digest, uint32_t digestLen,
                                          void *signature, uint32_t *signatureLen)
{
    return operate_11(TEE_AsymmetricSignDigest, operation, params, paramCount, digest, digestLen, signature,
                      signatureLen);
}

TEE_Result tee11_TEE_AsymmetricVerifyDigest(TEE_OperationHandle operation, const tee11_Attribute *params,
                                            uint32_t paramCount, const void *digest, uint32_t digestLen,
                                            const void *signature, uint32_t signatureLen)
{
    tee13_Attribute room[MAX_ATTRIBUTES];

    return TEE_AsymmetricVerifyDigest(operation, attributes_of_11(params, paramCount, room), paramCount, digest,
                                      digestLen, signature, signatureLen);
}

void tee11_TEE_DeriveKey(TEE_OperationHandle operation, const tee11_Attribute *params, uint32_t paramCount,
                         TEE_ObjectHandle derivedKey)
{
    tee13_Attribute room[MAX_ATTRIBUTES];

    TEE_DeriveKey(operation, attributes_of_11(params, paramCount, room), paramCount, derivedKey);
}

void tee11_TEE_GenerateRandom(void *randomBuffer, uint32_t randomBufferLen)
{
    TEE_GenerateRandom(randomBuffer, randomBufferLen);
}

/* TEE Internal Core API 1.3.1, section 6.4: symmetric ciphers. */
#include "api_crypto.h"

void TEE_CipherInit(TEE_OperationHandle operation, const void *IV, size_t IVLen)
{
    ask_operation(FUNCTION_CIPHER_INIT, operation);
    need_in(IV, IVLen);
    ask_bytes(IV, IVLen);
    ask_send();
}

TEE_Result TEE_CipherUpdate(TEE_OperationHandle operation, const void *srcData, size_t srcLen, void *destData,
                            size_t *destLen)
{
    return transform(FUNCTION_CIPHER_UPDATE, operation, srcData, srcLen, destData, destLen, NULL, NULL);
}

TEE_Result TEE_CipherDoFinal(TEE_OperationHandle operation, const void *srcData, size_t srcLen, void *destData,
                             size_t *destLen)
{
    size_t nothing = 0;

    /* [outbufopt]: both may be NULL where nothing is left to come out. */
    return transform(FUNCTION_CIPHER_DO_FINAL, operation, srcData, srcLen, destData,
                     destLen == NULL && destData == NULL ? &nothing : destLen, NULL, NULL);
}

/* TEE Internal Core API 1.3.1, section 6.6: authenticated encryption. */
#include "api_crypto.h"

TEE_Result TEE_AEInit(TEE_OperationHandle operation, const void *nonce, size_t nonceLen, uint32_t tagLen,
                      size_t AADLen, size_t payloadLen)
{
    ask_operation(FUNCTION_AE_INIT, operation);
    need_in(nonce, nonceLen);
    ask_bytes(nonce, nonceLen);
    ask_u64(tagLen);
    ask_u64(AADLen);
    ask_u64(payloadLen);
    return ask_send();
}

void TEE_AEUpdateAAD(TEE_OperationHandle operation, const void *AADdata, size_t AADdataLen)
{
    feed_chunks(FUNCTION_AE_UPDATE_AAD, operation, AADdata, AADdataLen);
}

TEE_Result TEE_AEUpdate(TEE_OperationHandle operation, const void *srcData, size_t srcLen, void *destData,
                        size_t *destLen)
{
    return transform(FUNCTION_AE_UPDATE, operation, srcData, srcLen, destData, destLen, NULL, NULL);
}

struct tag {
    const void *data;
    size_t size;
};

static void ask_tag_room(const void *rest)
{
    const struct tag *tag = rest;

    ask_room(tag->data, tag->size);
}

static void ask_tag(const void *rest)
{
    const struct tag *tag = rest;

    ask_bytes(tag->data, tag->size);
}

TEE_Result TEE_AEEncryptFinal(TEE_OperationHandle operation, const void *srcData, size_t srcLen, void *destData,
                              size_t *destLen, void *tag, size_t *tagLen)
{
    struct tag room;
    size_t nothing = 0;
    TEE_Result result;

    need_room(tag, tagLen);
    room = (struct tag){.data = tag, .size = *tagLen};
    result = transform(FUNCTION_AE_ENCRYPT_FINAL, operation, srcData, srcLen, destData,
                       destLen == NULL && destData == NULL ? &nothing : destLen, ask_tag_room, &room);
    if (result == TEE_SUCCESS || result == TEE_ERROR_SHORT_BUFFER)
        got_into(tag, tagLen);
    return result;
}

TEE_Result TEE_AEDecryptFinal(TEE_OperationHandle operation, const void *srcData, size_t srcLen, void *destData,
                              size_t *destLen, void *tag, size_t tagLen)
{
    struct tag given = {.data = tag, .size = tagLen};
    size_t nothing = 0;

    need_in(tag, tagLen);
    return transform(FUNCTION_AE_DECRYPT_FINAL, operation, srcData, srcLen, destData,
                     destLen == NULL && destData == NULL ? &nothing : destLen, ask_tag, &given);
}

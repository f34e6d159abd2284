/* TEE Internal Core API 1.3.1, section 6.3: message digests. */
#include "api_crypto.h"

void TEE_DigestUpdate(TEE_OperationHandle operation, const void *chunk, size_t chunkSize)
{
    feed_chunks(FUNCTION_DIGEST_UPDATE, operation, chunk, chunkSize);
}

/* As much as there is room for: of an output that ends nowhere, in as many questions as it takes. */
TEE_Result TEE_DigestExtract(TEE_OperationHandle operation, void *hash, size_t *hashLen)
{
    size_t written = 0, room, got;

    do {
        ask_next(FUNCTION_DIGEST_EXTRACT, operation, written);
        if (written == 0)
            need_room(hash, hashLen);
        room = hash == NULL ? 0 : piece_of(*hashLen - written);
        ask_u64(room);
        ask_send();
        got = room;
        got_into(hash == NULL ? NULL : (uint8_t *)hash + written, &got);
        written += got;
    } while (got == room && got > 0 && written < *hashLen);
    *hashLen = written;
    return TEE_SUCCESS;
}

TEE_Result TEE_DigestDoFinal(TEE_OperationHandle operation, const void *chunk, size_t chunkLen, void *hash,
                             size_t *hashLen)
{
    size_t extracted = 0, room;
    TEE_Result result;

    NEED_OUT(hashLen);
    if (hash != NULL && *hashLen > PIECE_BYTES) { /* more than any hash: what comes first may as well be extracted */
        if (chunkLen > 0)
            TEE_DigestUpdate(operation, chunk, chunkLen);
        chunkLen = 0;
        extracted = *hashLen - PIECE_BYTES;
        TEE_DigestExtract(operation, hash, &extracted);
    }
    room = *hashLen - extracted;
    room = piece_of(room);
    result = transform(FUNCTION_DIGEST_DO_FINAL, operation, chunk, chunkLen,
                       hash == NULL ? NULL : (uint8_t *)hash + extracted, &room, NULL, NULL);
    if (result == TEE_SUCCESS || result == TEE_ERROR_SHORT_BUFFER)
        *hashLen = extracted + room;
    return result;
}

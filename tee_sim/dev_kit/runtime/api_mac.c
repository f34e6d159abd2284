/* TEE Internal Core API 1.3.1, section 6.5: message authentication codes. */
#include "api_crypto.h"

void TEE_MACInit(TEE_OperationHandle operation, const void *IV, size_t IVLen)
{
    ask_operation(FUNCTION_MAC_INIT, operation);
    need_in(IV, IVLen);
    ask_bytes(IV, IVLen);
    ask_send();
}

void TEE_MACUpdate(TEE_OperationHandle operation, const void *chunk, size_t chunkSize)
{
    feed_chunks(FUNCTION_MAC_UPDATE, operation, chunk, chunkSize);
}

TEE_Result TEE_MACComputeFinal(TEE_OperationHandle operation, const void *message, size_t messageLen, void *mac,
                               size_t *macLen)
{
    return transform(FUNCTION_MAC_COMPUTE_FINAL, operation, message, messageLen, mac, macLen, NULL, NULL);
}

TEE_Result TEE_MACCompareFinal(TEE_OperationHandle operation, const void *message, size_t messageLen, const void *mac,
                               size_t macLen)
{
    size_t done = 0;
    TEE_Result result;

    do {
        size_t piece = piece_of(messageLen - done);

        ask_next(FUNCTION_MAC_COMPARE_FINAL, operation, done);
        if (done == 0) {
            need_in(message, messageLen);
            need_in(mac, macLen);
        }
        ask_piece(message == NULL ? NULL : (const uint8_t *)message + done, piece, messageLen - done - piece);
        ask_bytes(mac, macLen);
        result = ask_send();
        done += piece;
    } while (result == TEE_SUCCESS && done < messageLen);
    return result;
}

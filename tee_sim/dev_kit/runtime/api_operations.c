/* TEE Internal Core API 1.3.1, section 6.2: operations of any class; and what all of section 6 shares. */
#include "api_crypto.h"

#include <string.h>

#include "panic.h"

void feed_chunks(uint32_t function, TEE_OperationHandle operation, const void *chunk, size_t size)
{
    size_t done = 0;

    do {
        size_t piece = piece_of(size - done);

        ask_next(function, operation, done);
        if (done == 0)
            need_in(chunk, size);
        ask_bytes(chunk == NULL ? NULL : (const uint8_t *)chunk + done, piece);
        ask_send();
        done += piece;
    } while (done < size);
}

TEE_Result transform(uint32_t function, TEE_OperationHandle operation, const void *in, size_t in_size, void *out,
                     size_t *out_size, ask_rest *ask, const void *rest)
{
    size_t done = 0, written = 0;
    TEE_Result result;

    do {
        size_t piece = piece_of(in_size - done), room;

        ask_next(function, operation, done);
        if (done == 0) {
            need_in(in, in_size);
            need_room(out, out_size);
        }
        room = out == NULL ? 0 : *out_size - written;
        ask_piece(in == NULL ? NULL : (const uint8_t *)in + done, piece, in_size - done - piece);
        ask_u64(room);
        if (ask != NULL)
            ask(rest);
        result = ask_send();
        if (result == TEE_ERROR_SHORT_BUFFER)
            got_into(NULL, out_size);
        if (result != TEE_SUCCESS) {
            if (written > 0) /* plaintext that turned out to be nobody's */
                memset(out, 0, written);
            return result;
        }
        got_into(out == NULL ? NULL : (uint8_t *)out + written, &room);
        written += room;
        done += piece;
    } while (done < in_size);
    *out_size = written;
    return TEE_SUCCESS;
}

TEE_Result TEE_AllocateOperation(TEE_OperationHandle *operation, uint32_t algorithm, uint32_t mode,
                                 uint32_t maxKeySize)
{
    TEE_Result result;

    ask_begin(FUNCTION_ALLOCATE_OPERATION);
    NEED_OUT(operation);
    ask_u64(algorithm);
    ask_u64(mode);
    ask_u64(maxKeySize);
    result = ask_send();
    *operation = result == TEE_SUCCESS ? handle_of(got_u64()) : TEE_HANDLE_NULL;
    return result;
}

static void ask_alone(uint32_t function, TEE_OperationHandle operation)
{
    ask_operation(function, operation);
    ask_send();
}

void TEE_FreeOperation(TEE_OperationHandle operation)
{
    ask_alone(FUNCTION_FREE_OPERATION, operation);
}

void TEE_ResetOperation(TEE_OperationHandle operation)
{
    ask_alone(FUNCTION_RESET_OPERATION, operation);
}

void TEE_GetOperationInfo(TEE_OperationHandle operation, TEE_OperationInfo *operationInfo)
{
    ask_operation(FUNCTION_GET_OPERATION_INFO, operation);
    NEED_OUT(operationInfo);
    ask_send();
    operationInfo->algorithm = (uint32_t)got_u64();
    operationInfo->operationClass = (uint32_t)got_u64();
    operationInfo->mode = (uint32_t)got_u64();
    operationInfo->digestLength = (uint32_t)got_u64();
    operationInfo->maxKeySize = (uint32_t)got_u64();
    operationInfo->keySize = (uint32_t)got_u64();
    operationInfo->requiredKeyUsage = (uint32_t)got_u64();
    operationInfo->handleState = (uint32_t)got_u64();
}

TEE_Result TEE_GetOperationInfoMultiple(TEE_OperationHandle operation, TEE_OperationInfoMultiple *info, size_t *size)
{
    size_t keys, room;
    TEE_Result result;

    ask_operation(FUNCTION_GET_OPERATION_INFO_MULTIPLE, operation);
    need_room(info, size);
    room = info == NULL ? 0 : *size;
    ask_u64(room);
    result = ask_send();
    if (result == TEE_ERROR_SHORT_BUFFER) {
        *size = (size_t)got_u64();
        return result;
    }
    info->algorithm = (uint32_t)got_u64();
    info->operationClass = (uint32_t)got_u64();
    info->mode = (uint32_t)got_u64();
    info->digestLength = (uint32_t)got_u64();
    info->maxKeySize = (uint32_t)got_u64();
    info->handleState = (uint32_t)got_u64();
    info->operationState = (uint32_t)got_u64();
    keys = got_array();
    if (keys > (room - sizeof(*info)) / sizeof(info->keyInformation[0]))
        host_fail();
    info->numberOfKeys = (uint32_t)keys;
    for (size_t i = 0; i < keys; i++) {
        got_array();
        info->keyInformation[i].keySize = (uint32_t)got_u64();
        info->keyInformation[i].requiredKeyUsage = (uint32_t)got_u64();
    }
    *size = sizeof(*info) + keys * sizeof(info->keyInformation[0]);
    return result;
}

TEE_Result TEE_SetOperationKey(TEE_OperationHandle operation, TEE_ObjectHandle key)
{
    ask_operation(FUNCTION_SET_OPERATION_KEY, operation);
    ask_u64(number_of(key));
    return ask_send();
}

TEE_Result TEE_SetOperationKey2(TEE_OperationHandle operation, TEE_ObjectHandle key1, TEE_ObjectHandle key2)
{
    ask_operation(FUNCTION_SET_OPERATION_KEY2, operation);
    ask_u64(number_of(key1));
    ask_u64(number_of(key2));
    return ask_send();
}

void TEE_CopyOperation(TEE_OperationHandle dstOperation, TEE_OperationHandle srcOperation)
{
    ask_operation(FUNCTION_COPY_OPERATION, dstOperation);
    ask_u64(number_of(srcOperation));
    ask_send();
}

TEE_Result TEE_IsAlgorithmSupported(uint32_t algId, uint32_t element)
{
    ask_begin(FUNCTION_IS_ALGORITHM_SUPPORTED);
    ask_u64(algId);
    ask_u64(element);
    return ask_send();
}

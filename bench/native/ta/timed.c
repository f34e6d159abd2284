/* The application that is timed (bench/commands/native.py). */
#include <tee_internal_api.h>

#include "timed.h"

static TEE_OperationHandle digest;
static TEE_ObjectHandle object;

TEE_Result TA_CreateEntryPoint(void)
{
    TEE_Result result = TEE_AllocateOperation(&digest, TEE_ALG_SHA256, TEE_MODE_DIGEST, 0);

    if (result == TEE_SUCCESS)
        result = TEE_CreatePersistentObject(TEE_STORAGE_PRIVATE, "timed", 5,
                                            TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_ACCESS_WRITE |
                                                TEE_DATA_FLAG_OVERWRITE,
                                            TEE_HANDLE_NULL, "", 0, &object);
    return result;
}

void TA_DestroyEntryPoint(void)
{
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param params[4], void **session)
{
    (void)types;
    (void)params;
    (void)session;
    return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *session)
{
    (void)session;
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t command, uint32_t types, TEE_Param params[4])
{
    TEE_Time now;
    TEE_Result result;

    (void)session;
    (void)types;
    switch (command) {
    case TIMED_ECHO:
    case TIMED_NONE:
        return TEE_SUCCESS;
    case TIMED_UP:
        for (uint32_t i = params[0].value.a; i > 0; i--)
            TEE_GetSystemTime(&now);
        return TEE_SUCCESS;
    case TIMED_DIGEST:
        return TEE_DigestDoFinal(digest, params[0].memref.buffer, params[0].memref.size, params[1].memref.buffer,
                                 &params[1].memref.size);
    case TIMED_WRITE:
        result = TEE_SeekObjectData(object, 0, TEE_DATA_SEEK_SET);
        if (result == TEE_SUCCESS)
            result = TEE_WriteObjectData(object, params[0].memref.buffer, params[0].memref.size);
        return result;
    default:
        return TEE_ERROR_NOT_SUPPORTED;
    }
}

#include <greet_ta.h>
#include <string.h>
#include <tee_internal_api.h>
#include <tee_internal_api_extensions.h>

TEE_Result TA_CreateEntryPoint(void)
{
    DMSG("created");
    return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
    DMSG("destroyed");
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param params[4], void **session)
{
    (void)params;
    (void)session;
    IMSG("a session is opened, types %#x", types);
    return types == TEE_PARAM_TYPES(0, 0, 0, 0) ? TEE_SUCCESS : TEE_ERROR_BAD_PARAMETERS;
}

void TA_CloseSessionEntryPoint(void *session)
{
    (void)session;
    IMSG("goodbye");
}

static TEE_Result step(uint32_t types, TEE_Param params[4], uint32_t by)
{
    if (types != TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INOUT, TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE,
                                 TEE_PARAM_TYPE_NONE)) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    IMSG("got %u", params[0].value.a);
    params[0].value.a += by;
    return TEE_SUCCESS;
}

static TEE_Result hello(uint32_t types, TEE_Param params[4])
{
    static const char greeting[] = "hello, ";
    size_t size = params[0].memref.size;
    const char *end;
    char *copy;

    if (TEE_PARAM_TYPE_GET(types, 0) != TEE_PARAM_TYPE_MEMREF_INOUT) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    end = memchr(params[0].memref.buffer, '\0', size);
    if (end == NULL) {
        EMSG("no zero at the end");
        return TEE_ERROR_BAD_FORMAT;
    }
    size = (size_t)(end - (const char *)params[0].memref.buffer) + 1;
    if (sizeof greeting - 1 + size > params[0].memref.size) {
        params[0].memref.size = sizeof greeting - 1 + size;
        return TEE_ERROR_SHORT_BUFFER;
    }
    copy = TEE_Malloc(size, TEE_MALLOC_FILL_ZERO);
    if (copy == NULL) {
        return TEE_ERROR_OUT_OF_MEMORY;
    }
    memcpy(copy, params[0].memref.buffer, size);
    memcpy(params[0].memref.buffer, greeting, sizeof greeting - 1);
    memcpy((char *)params[0].memref.buffer + sizeof greeting - 1, copy, size);
    params[0].memref.size = sizeof greeting - 1 + size;
    TEE_Free(copy);
    return TEE_SUCCESS;
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t command, uint32_t types, TEE_Param params[4])
{
    (void)session;
    switch (command) {
    case TA_GREET_INCREMENT:
        return step(types, params, 1);
    case TA_GREET_DECREMENT:
        return step(types, params, UINT32_MAX);
    case TA_GREET_HELLO:
        return hello(types, params);
    default:
        return TEE_ERROR_BAD_PARAMETERS;
    }
}

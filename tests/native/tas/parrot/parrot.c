/* The application of tests/native/client/parrot, in C. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <tee_internal_api.h>

enum { SAY = 1, FILL, NEED, REFUSE, WAIT, PANIC, SEE, COUNT, LOOK, WRITE };

static uint32_t calls;

TEE_Result TA_CreateEntryPoint(void)
{
    return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
}

static bool is_output(uint32_t type)
{
    return type == TEE_PARAM_TYPE_MEMREF_OUTPUT || type == TEE_PARAM_TYPE_MEMREF_INOUT;
}

static TEE_Result put(TEE_Param *param, const void *data, size_t size)
{
    bool fits = size <= param->memref.size;

    param->memref.size = size;
    if (!fits)
        return TEE_ERROR_SHORT_BUFFER;
    TEE_MemMove(param->memref.buffer, data, size);
    return TEE_SUCCESS;
}

static TEE_Result say_who(TEE_Param *param)
{
    TEE_Identity who;
    TEE_Result result = TEE_GetPropertyAsIdentity(TEE_PROPSET_CURRENT_CLIENT, "gpd.client.identity", &who);
    const uint8_t *node = who.uuid.clockSeqAndNode;
    char text[64];
    int size;

    if (result != TEE_SUCCESS)
        return result;
    size = snprintf(text, sizeof(text), "%u:%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", who.login,
                    who.uuid.timeLow, who.uuid.timeMid, who.uuid.timeHiAndVersion, node[0], node[1], node[2], node[3],
                    node[4], node[5], node[6], node[7]);
    return put(param, text, (size_t)size);
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param params[4], void **session)
{
    (void)session;
    if (is_output(TEE_PARAM_TYPE_GET(types, 0)))
        return say_who(&params[0]);
    return TEE_PARAM_TYPE_GET(types, 0) == TEE_PARAM_TYPE_VALUE_INPUT ? params[0].value.a : TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *session)
{
    (void)session;
}

static TEE_Result fill(uint32_t types, TEE_Param params[4])
{
    TEE_Result result = TEE_SUCCESS;

    for (unsigned i = 1; i < 4 && result == TEE_SUCCESS; i++) {
        if (!is_output(TEE_PARAM_TYPE_GET(types, i)))
            continue;
        if (params[0].value.a > params[i].memref.size)
            result = TEE_ERROR_SHORT_BUFFER;
        else
            TEE_MemFill(params[i].memref.buffer, (uint8_t)i, params[0].value.a);
        params[i].memref.size = params[0].value.a;
    }
    return result;
}

static TEE_Result see(uint32_t types, TEE_Param params[4])
{
    char text[128] = "";
    size_t at = 0;

    for (unsigned i = 0; i < 3; i++) {
        uint32_t type = TEE_PARAM_TYPE_GET(types, i);
        bool memory = type >= TEE_PARAM_TYPE_MEMREF_INPUT;
        const uint8_t *bytes = memory ? params[i].memref.buffer : NULL;
        size_t size = memory ? params[i].memref.size : 0;

        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u:%u:%d:", i > 0 ? " " : "", type, (unsigned)size,
                               memory && bytes == NULL);
        for (size_t j = 0; bytes != NULL && type != TEE_PARAM_TYPE_MEMREF_OUTPUT && j < size && j < 4; j++)
            at += (size_t)snprintf(text + at, sizeof(text) - at, "%02x", bytes[j]);
    }
    return put(&params[3], text, at);
}

static TEE_Result write_number(uint32_t number)
{
    TEE_ObjectHandle object;
    TEE_Result result = TEE_CreatePersistentObject(TEE_STORAGE_PRIVATE, "n", 1, TEE_DATA_FLAG_OVERWRITE,
                                                   TEE_HANDLE_NULL, &number, sizeof(number), &object);

    if (result == TEE_SUCCESS)
        TEE_CloseObject(object);
    return result;
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t command, uint32_t types, TEE_Param params[4])
{
    TEE_Result result;

    (void)session;
    calls++;
    switch (command) {
    case FILL:
        return fill(types, params);
    case NEED:
        params[1].memref.size = params[0].value.a;
        return TEE_ERROR_SHORT_BUFFER;
    case REFUSE:
        result = put(&params[1], "left", 4);
        return result == TEE_SUCCESS ? params[0].value.a : result;
    case WAIT:
        TEE_UnmaskCancellation();
        return TEE_Wait(params[0].value.a);
    case PANIC:
        TEE_Panic(0);
        return TEE_SUCCESS;
    case SEE:
        return see(types, params);
    case COUNT:
        params[0].value.b = calls;
        return TEE_SUCCESS;
    case LOOK:
        TEE_UnmaskCancellation();
        params[1].value.b = TEE_GetCancellationFlag();
        return TEE_SUCCESS;
    case WRITE:
        return write_number(params[0].value.a);
    default:
        return TEE_SUCCESS;
    }
}

/*
 * Called by tests/native/tas/relay: bytes in and out, a value in and out, bytes out.
 */
#include <tee_internal_api.h>

enum command {
    ANSWER = 1,
    REFUSE = 2,
    PANIC = 3,
    WAIT = 4,
    CALL_BACK = 5,
    WHO = 6,
};

#define OWN_RESULT 0xC0DE0001

static TEE_Result answer(TEE_Param params[4])
{
    uint8_t *bytes = params[0].memref.buffer;

    for (uint32_t i = 0; i < params[0].memref.size; i++)
        bytes[i] ^= 0x20;
    params[1].value.a += 1000;
    params[1].value.b = 0xFFFFFFFF;
    TEE_MemMove(params[2].memref.buffer, "answered", 8);
    params[2].memref.size = 8;
    return TEE_SUCCESS;
}

static TEE_Result refuse(TEE_Param params[4])
{
    params[1].value.a = 1;
    params[1].value.b = 2;
    params[2].memref.size = 900;
    return OWN_RESULT;
}

/* Its caller waits for this very call, so it is busy. */
static TEE_Result call_back(void)
{
    static const TEE_UUID caller = { 0x2f7b1c90, 0x63d4, 0x4c1a, { 0xb6, 0xe8, 0x95, 0xa0, 0xd3, 0xf1, 0x8c, 0x27 } };
    TEE_TASessionHandle session;

    return TEE_OpenTASession(&caller, TEE_TIMEOUT_INFINITE, 0, NULL, &session, NULL);
}

/* Login and the first bytes of the caller's UUID. */
static TEE_Result who(TEE_Param params[4])
{
    TEE_Identity identity;
    TEE_Result result = TEE_GetPropertyAsIdentity(TEE_PROPSET_CURRENT_CLIENT, "gpd.client.identity", &identity);

    params[1].value.a = identity.login;
    params[1].value.b = identity.uuid.timeLow;
    return result;
}

TEE_Result TA_CreateEntryPoint(void)
{
    return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t paramTypes, TEE_Param params[4], void **sessionContext)
{
    (void)sessionContext;
    if (paramTypes != TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INOUT, 0, 0, 0))
        return TEE_ERROR_BAD_PARAMETERS;
    params[0].value.a++;
    return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *sessionContext)
{
    (void)sessionContext;
}

TEE_Result TA_InvokeCommandEntryPoint(void *sessionContext, uint32_t commandID, uint32_t paramTypes,
                                      TEE_Param params[4])
{
    (void)sessionContext;
    if (paramTypes != TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INOUT, TEE_PARAM_TYPE_VALUE_INOUT,
                                      TEE_PARAM_TYPE_MEMREF_OUTPUT, TEE_PARAM_TYPE_NONE))
        return TEE_ERROR_BAD_PARAMETERS;
    if (commandID != ANSWER)
        params[2].memref.size = 0;
    switch (commandID) {
    case ANSWER: return answer(params);
    case REFUSE: return refuse(params);
    case PANIC: TEE_Panic(5);
    case WAIT:
        TEE_UnmaskCancellation();
        return TEE_Wait(20000);
    case CALL_BACK: return call_back();
    case WHO: return who(params);
    default: return TEE_ERROR_NOT_SUPPORTED;
    }
}

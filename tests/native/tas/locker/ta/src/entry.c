#include "locker.h"

struct call {
    struct locker_words words;
    struct session *session;
    struct object *object;
    TEE_Param *in;
    TEE_Param *out;
};

static TEE_Result init_token(void *client, struct call *call)
{
    return call->words.first < LOCKER_SLOTS ? token_init(call->words.first, call->in) : LOCKER_SLOT_INVALID;
}

static TEE_Result open(void *client, struct call *call)
{
    struct session *session;

    if (call->words.first >= LOCKER_SLOTS) {
        return LOCKER_SLOT_INVALID;
    }
    session = session_open(client, call->words.first);
    if (session == NULL) {
        return TEE_ERROR_OUT_OF_MEMORY;
    }
    call->words.first = session->number;
    return TEE_SUCCESS;
}

static TEE_Result close(void *client, struct call *call)
{
    session_close(call->session);
    return TEE_SUCCESS;
}

static TEE_Result login(void *client, struct call *call)
{
    TEE_Result result = token_check(call->session->slot, call->in);

    if (result == TEE_SUCCESS) {
        call->session->logged_in = true;
    }
    return result;
}

static TEE_Result make_key(void *client, struct call *call)
{
    bool stays = call->words.second == 1;

    if (stays && !call->session->logged_in) {
        return LOCKER_NOT_LOGGED_IN;
    }
    return object_make(call->session, stays, &call->words.first);
}

static TEE_Result begin(const struct object *object, TEE_OperationHandle *operation)
{
    TEE_Result result =
        TEE_AllocateOperation(operation, TEE_ALG_HMAC_SHA256, TEE_MODE_MAC, 8 * LOCKER_MAC_BYTES);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_SetOperationKey(*operation, object->key);
    if (result != TEE_SUCCESS) {
        TEE_FreeOperation(*operation);
        return result;
    }
    TEE_MACInit(*operation, NULL, 0);
    return TEE_SUCCESS;
}

static TEE_Result sign(void *client, struct call *call)
{
    TEE_OperationHandle operation;
    TEE_Result result = begin(call->object, &operation);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_MACComputeFinal(operation, call->in->memref.buffer, call->in->memref.size, call->out->memref.buffer,
                                 &call->out->memref.size);
    TEE_FreeOperation(operation);
    return result;
}

static TEE_Result verify(void *client, struct call *call)
{
    const uint8_t *bytes = call->in->memref.buffer;
    TEE_OperationHandle operation;
    TEE_Result result;

    if (call->in->memref.size < LOCKER_MAC_BYTES) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    result = begin(call->object, &operation);
    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_MACCompareFinal(operation, bytes + LOCKER_MAC_BYTES, call->in->memref.size - LOCKER_MAC_BYTES, bytes,
                                 LOCKER_MAC_BYTES);
    TEE_FreeOperation(operation);
    return result == TEE_ERROR_MAC_INVALID ? LOCKER_SIGNATURE_INVALID : result;
}

static TEE_Result find(void *client, struct call *call)
{
    uint32_t most = (uint32_t)(call->out->memref.size / sizeof(uint32_t));
    uint32_t count = objects_list(call->session, call->out->memref.buffer, most);

    call->words.first = count;
    call->out->memref.size = count * sizeof(uint32_t);
    return count > most ? TEE_ERROR_SHORT_BUFFER : TEE_SUCCESS;
}

static TEE_Result destroy(void *client, struct call *call)
{
    return object_destroy(call->object);
}

static const struct command {
    TEE_Result (*run)(void *client, struct call *call);
    bool session;
    bool object;
    bool in;
    bool out;
} commands[] = {
    [LOCKER_INIT_TOKEN] = { init_token, .in = true },
    [LOCKER_OPEN] = { open },
    [LOCKER_CLOSE] = { close, .session = true },
    [LOCKER_LOGIN] = { login, .session = true, .in = true },
    [LOCKER_MAKE_KEY] = { make_key, .session = true },
    [LOCKER_SIGN] = { sign, .session = true, .object = true, .in = true, .out = true },
    [LOCKER_VERIFY] = { verify, .session = true, .object = true, .in = true },
    [LOCKER_FIND] = { find, .session = true, .out = true },
    [LOCKER_DESTROY] = { destroy, .session = true, .object = true },
};

static TEE_Result run(void *client, const struct command *command, struct call *call)
{
    if (command->session) {
        call->session = session_find(client, call->words.first);
        if (call->session == NULL) {
            return LOCKER_SESSION_INVALID;
        }
    }
    if (command->object) {
        call->object = object_find(call->session, call->words.second);
        if (call->object == NULL) {
            return LOCKER_OBJECT_INVALID;
        }
    }
    return command->run(client, call);
}

TEE_Result TA_CreateEntryPoint(void)
{
    return objects_load();
}

void TA_DestroyEntryPoint(void)
{
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param params[4], void **session)
{
    *session = TEE_Malloc(1, TEE_MALLOC_FILL_ZERO);
    return *session == NULL ? TEE_ERROR_OUT_OF_MEMORY : TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *session)
{
    sessions_close_all(session);
    TEE_Free(session);
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t number, uint32_t types, TEE_Param params[4])
{
    struct call call = { .in = &params[1], .out = &params[2] };
    const struct command *command;
    TEE_Result result;

    if (number >= sizeof commands / sizeof commands[0] || commands[number].run == NULL) {
        return TEE_ERROR_NOT_SUPPORTED;
    }
    command = &commands[number];
    if (types != TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INOUT, command->in ? TEE_PARAM_TYPE_MEMREF_INPUT : 0,
                                 command->out ? TEE_PARAM_TYPE_MEMREF_OUTPUT : 0, 0) ||
        params[0].memref.size != sizeof call.words) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    TEE_MemMove(&call.words, params[0].memref.buffer, sizeof call.words);
    result = run(session, command, &call);
    TEE_MemMove(params[0].memref.buffer, &call.words, sizeof call.words);
    return result;
}

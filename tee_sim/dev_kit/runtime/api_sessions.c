/* TEE Internal Core API 1.3.1, section 4.9: sessions with other applications.
 *
 * Parameters go as `tee_sim.shared.params.Param` has them: [kind, a, b, bytes, size, is_null]. */
#include <string.h>

#include "api_words.h"
#include "functions.h"
#include "panic.h"
#include "runtime.h"

#define MOST_PARAM_BYTES (512u << 10)          /* tee_sim.shared.limits.MAX_PARAM_BYTES */
#define MOST_OPERATION_BYTES ((1u << 20) - 256) /* all that goes one way: MAX_ANSWER_BYTES */
#define ORIGIN_OF_MISTAKES TEE_ORIGIN_API       /* the core says so of a handle that is none */

static unsigned type_of(uint32_t types, unsigned i)
{
    return TEE_PARAM_TYPE_GET(types, i);
}

static bool is_memref(unsigned type)
{
    return type >= TEE_PARAM_TYPE_MEMREF_INPUT && type <= TEE_PARAM_TYPE_MEMREF_INOUT;
}

static bool goes_in(unsigned type)
{
    return type == TEE_PARAM_TYPE_MEMREF_INPUT || type == TEE_PARAM_TYPE_MEMREF_INOUT;
}

static bool comes_out(unsigned type)
{
    return type == TEE_PARAM_TYPE_MEMREF_OUTPUT || type == TEE_PARAM_TYPE_MEMREF_INOUT;
}

/* Whether they may be sent: types that exist, and sizes within the bounds. Panics for memory that is not the caller's. */
static bool may_send(uint32_t types, const tee13_Param *params)
{
    size_t in = 0, out = 0;

    if (types >> 16 != 0)
        return false;
    for (unsigned i = 0; i < 4; i++) {
        unsigned type = type_of(types, i);

        if (type > TEE_PARAM_TYPE_MEMREF_INOUT || type == 4)
            return false;
        if (!is_memref(type) || params[i].memref.buffer == NULL)
            continue;
        if (params[i].memref.size > MOST_PARAM_BYTES)
            return false;
        need_access(params[i].memref.buffer, params[i].memref.size,
                    (goes_in(type) ? MEMORY_READ : 0) | (comes_out(type) ? MEMORY_WRITE : 0));
        in += goes_in(type) ? params[i].memref.size : 0;
        out += comes_out(type) ? params[i].memref.size : 0;
    }
    return in <= MOST_OPERATION_BYTES && out <= MOST_OPERATION_BYTES;
}

static void ask_param(unsigned type, const tee13_Param *param)
{
    bool has_value = type == TEE_PARAM_TYPE_VALUE_INPUT || type == TEE_PARAM_TYPE_VALUE_INOUT;
    bool is_null = is_memref(type) && param->memref.buffer == NULL;
    size_t size = is_memref(type) && !is_null ? param->memref.size : 0;

    ask_array(6);
    ask_u64(type);
    ask_u64(has_value ? param->value.a : 0);
    ask_u64(has_value ? param->value.b : 0);
    ask_bytes(size > 0 ? param->memref.buffer : NULL, goes_in(type) ? size : 0);
    ask_u64(size);
    ask_bool(is_null);
}

static void ask_params(uint32_t types, const tee13_Param *params)
{
    ask_array(4);
    for (unsigned i = 0; i < 4; i++)
        ask_param(type_of(types, i), params == NULL ? &(tee13_Param){0} : &params[i]);
}

static void got_param(unsigned type, tee13_Param *param)
{
    uint64_t a, b, needed;
    size_t size;
    const void *data;

    if (got_array() != 6)
        tee_panic(TEE_ERROR_COMMUNICATION);
    got_u64();
    a = got_u64();
    b = got_u64();
    data = got_bytes(&size);
    needed = got_u64();
    got_bool();
    if (type == TEE_PARAM_TYPE_VALUE_OUTPUT || type == TEE_PARAM_TYPE_VALUE_INOUT) {
        param->value.a = (uint32_t)a;
        param->value.b = (uint32_t)b;
    } else if (comes_out(type)) {
        if (size > 0 && (param->memref.buffer == NULL || size > param->memref.size))
            tee_panic(TEE_ERROR_COMMUNICATION);
        if (size > 0)
            memcpy(param->memref.buffer, data, size);
        param->memref.size = size > 0 ? size : (size_t)needed;
    }
}

static void got_params(uint32_t types, tee13_Param *params)
{
    for (unsigned i = 0; i < 4; i++)
        got_param(type_of(types, i), params == NULL ? &(tee13_Param){0} : &params[i]);
}

/* What is left of an answer with a result of another application, or of the core. */
static void got_refusal(uint32_t types, tee13_Param *params, uint32_t *origin)
{
    uint32_t from = (uint32_t)got_u64();

    if (from == ORIGIN_OF_MISTAKES)
        panic_because(TEE_ERROR_BAD_PARAMETERS, "no such session");
    if (got_array() == 4)
        got_params(types, params);
    if (origin != NULL)
        *origin = from;
}

static TEE_Result refuse(uint32_t *origin)
{
    if (origin != NULL)
        *origin = TEE_ORIGIN_API;
    return TEE_ERROR_BAD_PARAMETERS;
}

static void check_origin(uint32_t *origin)
{
    if (origin == NULL)
        return;
    NEED_OUT(origin);
    *origin = TEE_ORIGIN_TRUSTED_APP;
}

/* A question that is begun and not sent counts the call; its words are dropped by the next. */

TEE_Result TEE_OpenTASession(const TEE_UUID *destination, uint32_t cancellationRequestTimeout, uint32_t paramTypes,
                             tee13_Param params[4], TEE_TASessionHandle *session, uint32_t *returnOrigin)
{
    uint8_t uuid[16];
    TEE_Result result;

    ask_begin_question(QUESTION_OPEN_PEER, FUNCTION_OPEN_TA_SESSION);
    need_access(destination, sizeof(*destination), MEMORY_READ);
    NEED_OUT(session);
    check_origin(returnOrigin);
    *session = TEE_HANDLE_NULL;
    if (params != NULL)
        need_access(params, 4 * sizeof(*params), MEMORY_READ | MEMORY_WRITE);
    if ((params == NULL && paramTypes != 0) || !may_send(paramTypes, params))
        return refuse(returnOrigin);
    uuid_to_bytes(destination, uuid);
    ask_bytes(uuid, sizeof(uuid));
    ask_params(paramTypes, params);
    ask_u64(cancellationRequestTimeout);
    result = ask_send();
    if (result != TEE_SUCCESS) {
        got_refusal(paramTypes, params, returnOrigin);
        return result;
    }
    *session = handle_of(got_u64());
    if (got_array() == 4)
        got_params(paramTypes, params);
    return TEE_SUCCESS;
}

TEE_Result TEE_InvokeTACommand(TEE_TASessionHandle session, uint32_t cancellationRequestTimeout, uint32_t commandID,
                               uint32_t paramTypes, tee13_Param params[4], uint32_t *returnOrigin)
{
    TEE_Result result;

    ask_begin_question(QUESTION_INVOKE_PEER, FUNCTION_INVOKE_TA_COMMAND);
    check_origin(returnOrigin);
    if (params != NULL)
        need_access(params, 4 * sizeof(*params), MEMORY_READ | MEMORY_WRITE);
    if ((params == NULL && paramTypes != 0) || !may_send(paramTypes, params))
        return refuse(returnOrigin);
    ask_u64(number_of(session));
    ask_u64(commandID);
    ask_params(paramTypes, params);
    ask_u64(cancellationRequestTimeout);
    result = ask_send();
    if (result != TEE_SUCCESS)
        got_refusal(paramTypes, params, returnOrigin);
    else
        got_params(paramTypes, params);
    return result;
}

void TEE_CloseTASession(TEE_TASessionHandle session)
{
    uint32_t origin;

    if (session == TEE_HANDLE_NULL)
        return;
    ask_begin_question(QUESTION_CLOSE_PEER, FUNCTION_CLOSE_TA_SESSION);
    ask_u64(number_of(session));
    if (ask_send() != TEE_SUCCESS)
        got_refusal(0, NULL, &origin);
}

/* 1.1: sizes of 32 bits. */

static void params_of_11(uint32_t types, const tee11_Param *from, tee13_Param to[4])
{
    for (unsigned i = 0; i < 4; i++) {
        to[i] = (tee13_Param){0};
        if (is_memref(type_of(types, i))) {
            to[i].memref.buffer = from[i].memref.buffer;
            to[i].memref.size = from[i].memref.size;
        } else {
            to[i].value.a = from[i].value.a;
            to[i].value.b = from[i].value.b;
        }
    }
}

static void params_to_11(uint32_t types, const tee13_Param from[4], tee11_Param *to)
{
    for (unsigned i = 0; i < 4; i++) {
        if (comes_out(type_of(types, i))) {
            to[i].memref.size = (uint32_t)from[i].memref.size;
        } else if (!is_memref(type_of(types, i))) {
            to[i].value.a = from[i].value.a;
            to[i].value.b = from[i].value.b;
        }
    }
}

TEE_Result tee11_TEE_OpenTASession(const TEE_UUID *destination, uint32_t cancellationRequestTimeout,
                                   uint32_t paramTypes, tee11_Param params[4], TEE_TASessionHandle *session,
                                   uint32_t *returnOrigin)
{
    tee13_Param wide[4];
    TEE_Result result;

    if (params == NULL)
        return TEE_OpenTASession(destination, cancellationRequestTimeout, paramTypes, NULL, session, returnOrigin);
    need_access(params, 4 * sizeof(*params), MEMORY_READ | MEMORY_WRITE);
    params_of_11(paramTypes, params, wide);
    result = TEE_OpenTASession(destination, cancellationRequestTimeout, paramTypes, wide, session, returnOrigin);
    params_to_11(paramTypes, wide, params);
    return result;
}

TEE_Result tee11_TEE_InvokeTACommand(TEE_TASessionHandle session, uint32_t cancellationRequestTimeout,
                                     uint32_t commandID, uint32_t paramTypes, tee11_Param params[4],
                                     uint32_t *returnOrigin)
{
    tee13_Param wide[4];
    TEE_Result result;

    if (params == NULL)
        return TEE_InvokeTACommand(session, cancellationRequestTimeout, commandID, paramTypes, NULL, returnOrigin);
    need_access(params, 4 * sizeof(*params), MEMORY_READ | MEMORY_WRITE);
    params_of_11(paramTypes, params, wide);
    result = TEE_InvokeTACommand(session, cancellationRequestTimeout, commandID, paramTypes, wide, returnOrigin);
    params_to_11(paramTypes, wide, params);
    return result;
}

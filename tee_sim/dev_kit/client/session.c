/* Contexts, sessions and commands (TEE Client API 1.0, sections 4.5.2, 4.5.3 and 4.5.7 to 4.5.9). */
#include <stdlib.h>
#include <string.h>

#include "../runtime/cbor.h"
#include "../runtime/frame.h"
#include "teec.h"

struct context {
    struct context *next;
    uint64_t id;
    struct machine *machine;
};

struct session {
    struct session *next;
    uint64_t id, context;
    uint32_t number; /* of the machine */
    struct machine *machine;
};

static struct context *contexts;
static struct session *sessions;

uint64_t new_id(void)
{
    static uint64_t last;

    return ++last;
}

static struct context *context_of(uint64_t id)
{
    struct context *context = contexts;

    while (context != NULL && context->id != id)
        context = context->next;
    return context;
}

bool context_is_open(uint64_t id)
{
    return context_of(id) != NULL;
}

static struct session *session_of(const TEEC_Session *given)
{
    struct session *session = given == NULL ? NULL : sessions;

    while (session != NULL && session->id != given->imp.id)
        session = session->next;
    return session;
}

bool message_begin(struct message *message, size_t most_bytes)
{
    size_t room = FRAME_HEAD_BYTES + most_bytes;

    *message = (struct message){.frames = malloc(HEAD_ROOM + room)};
    if (message->frames == NULL)
        return false;
    message->body = (struct cbor_out){.data = message->frames + HEAD_ROOM + FRAME_HEAD_BYTES, .room = most_bytes};
    return true;
}

static TEEC_Result ended(uint32_t *where, uint32_t origin, TEEC_Result result)
{
    if (where != NULL)
        *where = origin;
    return result;
}

/* --- Contexts --- */

TEEC_Result TEEC_InitializeContext(const char *name, TEEC_Context *given)
{
    struct context *context;
    TEEC_Result result;

    if (given == NULL)
        return TEEC_ERROR_BAD_PARAMETERS;
    given->imp.id = 0;
    /* A name is a machine's directory; without a slash it is the name of a TEE, and there is no other here. */
    if (name != NULL && strchr(name, '/') == NULL) {
        if (name[0] != '\0' && strcmp(name, "tee-sim") != 0)
            return TEEC_ERROR_ITEM_NOT_FOUND;
        name = NULL;
    }
    context = calloc(1, sizeof(*context));
    if (context == NULL)
        return TEEC_ERROR_OUT_OF_MEMORY;
    pthread_mutex_lock(&teec_lock);
    result = machine_find(name, &context->machine);
    if (result == TEEC_SUCCESS) {
        context->id = given->imp.id = new_id();
        context->next = contexts;
        contexts = context;
    }
    pthread_mutex_unlock(&teec_lock);
    if (result != TEEC_SUCCESS)
        free(context);
    return result;
}

static void close_session(struct session *session)
{
    struct request request = {.machine = session->machine};
    struct answer answer = {0};
    struct message message;

    pthread_mutex_lock(&teec_lock);
    request_begin(&request, NULL);
    pthread_mutex_unlock(&teec_lock);
    if (message_begin(&message, 16)) {
        cbor_put_array(&message.body, 2);
        cbor_put_u64(&message.body, 8); /* tee_sim.shared.wire.CloseSession */
        cbor_put_u64(&message.body, session->number);
        machine_exchange(&request, &message, &answer);
        free(message.frames);
    }
    pthread_mutex_lock(&teec_lock);
    request_end(&request);
    answer_end(&answer);
    pthread_mutex_unlock(&teec_lock);
    machine_drop(session->machine);
    free(session);
}

/* Called with teec_lock: takes a session out of the list, of this id, or else of this context. */
static struct session *taken_out(uint64_t id, uint64_t context)
{
    struct session **at = &sessions, *session;

    while (*at != NULL && (id != 0 ? (*at)->id != id : (*at)->context != context))
        at = &(*at)->next;
    session = *at;
    if (session != NULL)
        *at = session->next;
    return session;
}

void TEEC_FinalizeContext(TEEC_Context *given)
{
    struct context **at = &contexts, *context;
    struct session *session;

    if (given == NULL)
        return;
    pthread_mutex_lock(&teec_lock);
    while (*at != NULL && (*at)->id != given->imp.id)
        at = &(*at)->next;
    context = *at;
    if (context != NULL)
        *at = context->next;
    given->imp.id = 0;
    /* Section 4.5.3: the caller has closed them; what he has not, a driver closes. */
    while (context != NULL && (session = taken_out(0, context->id)) != NULL) {
        pthread_mutex_unlock(&teec_lock);
        close_session(session);
        pthread_mutex_lock(&teec_lock);
    }
    pthread_mutex_unlock(&teec_lock);
    if (context != NULL)
        machine_drop(context->machine);
    free(context);
}

/* --- Operations --- */

/* What a call of OpenSession or InvokeCommand is made of. */
struct call {
    TEEC_Operation *operation;
    struct parameters params;
    struct request request;
    struct message message;
    struct answer answer;
};

/* Called with teec_lock: looks at the operation, and lists it. The machine is kept until the call's end. */
static TEEC_Result call_begin(struct call *call, struct machine *machine, uint64_t context)
{
    TEEC_Result result = params_take(call->operation, context, &call->params);

    if (result != TEEC_SUCCESS) {
        params_leave(&call->params);
        return result;
    }
    call->request.machine = machine;
    machine_keep(machine);
    request_begin(&call->request, call->operation);
    return TEEC_SUCCESS;
}

/* Most bytes of a request without the contents of its references. */
enum { REQUEST_BYTES = 256 };

static TEEC_Result call_carry_out(struct call *call, void (*put)(const struct call *, const void *, struct cbor_out *),
                                  const void *what, uint32_t *where)
{
    TEEC_Result result = TEEC_ERROR_OUT_OF_MEMORY;
    const struct login *login = call->message.login;

    if (!message_begin(&call->message, REQUEST_BYTES + call->params.in_bytes))
        return ended(where, TEEC_ORIGIN_API, result);
    call->message.login = login;
    put(call, what, &call->message.body);
    result = machine_exchange(&call->request, &call->message, &call->answer);
    free(call->message.frames);
    if (result != TEEC_SUCCESS)
        return ended(where, call->answer.origin, result);
    if (!params_get(call->operation, &call->params, &call->answer))
        return ended(where, TEEC_ORIGIN_COMMS, TEEC_ERROR_COMMUNICATION);
    return ended(where, call->answer.origin, call->answer.result);
}

static void call_end(struct call *call)
{
    pthread_mutex_lock(&teec_lock);
    request_end(&call->request);
    params_leave(&call->params);
    answer_end(&call->answer);
    pthread_mutex_unlock(&teec_lock);
    machine_drop(call->request.machine);
}

static void put_open(const struct call *call, const void *what, struct cbor_out *out)
{
    const TEEC_UUID *uuid = what;
    uint8_t bytes[16] = {
        (uint8_t)(uuid->timeLow >> 24), (uint8_t)(uuid->timeLow >> 16), (uint8_t)(uuid->timeLow >> 8),
        (uint8_t)uuid->timeLow, (uint8_t)(uuid->timeMid >> 8), (uint8_t)uuid->timeMid,
        (uint8_t)(uuid->timeHiAndVersion >> 8), (uint8_t)uuid->timeHiAndVersion,
    };

    memcpy(bytes + 8, uuid->clockSeqAndNode, 8);
    cbor_put_array(out, 5);
    cbor_put_u64(out, 6); /* tee_sim.shared.wire.OpenSession */
    cbor_put_bytes(out, bytes, sizeof(bytes));
    params_put(call->operation, &call->params, out);
    cbor_put_array(out, 2); /* a public client: the machine puts the identity there that the login makes */
    cbor_put_u64(out, TEEC_LOGIN_PUBLIC);
    cbor_put_bytes(out, (const uint8_t[16]){0}, 16);
    cbor_put_bool(out, true);
}

static void put_invoke(const struct call *call, const void *what, struct cbor_out *out)
{
    const uint32_t *numbers = what;

    cbor_put_array(out, 5);
    cbor_put_u64(out, 7); /* tee_sim.shared.wire.Invoke */
    cbor_put_u64(out, numbers[0]);
    cbor_put_u64(out, numbers[1]);
    params_put(call->operation, &call->params, out);
    cbor_put_bool(out, true);
}

TEEC_Result TEEC_OpenSession(TEEC_Context *given, TEEC_Session *opened, const TEEC_UUID *destination, uint32_t method,
                             const void *data, TEEC_Operation *operation, uint32_t *where)
{
    struct call call = {.operation = operation};
    struct session *session;
    struct context *context;
    struct login login;
    TEEC_Result result;

    if (given == NULL || opened == NULL || destination == NULL)
        return ended(where, TEEC_ORIGIN_API, TEEC_ERROR_BAD_PARAMETERS);
    opened->imp.id = 0;
    result = login_take(method, data, &login);
    if (result != TEEC_SUCCESS)
        return ended(where, TEEC_ORIGIN_API, result);
    call.message.login = method == TEEC_LOGIN_PUBLIC ? NULL : &login;
    session = calloc(1, sizeof(*session));
    if (session == NULL)
        return ended(where, TEEC_ORIGIN_API, TEEC_ERROR_OUT_OF_MEMORY);
    pthread_mutex_lock(&teec_lock);
    context = context_of(given->imp.id);
    result = context == NULL ? TEEC_ERROR_BAD_PARAMETERS : call_begin(&call, context->machine, context->id);
    pthread_mutex_unlock(&teec_lock);
    if (result != TEEC_SUCCESS) {
        free(session);
        return ended(where, TEEC_ORIGIN_API, result);
    }
    result = call_carry_out(&call, put_open, destination, where);
    *session = (struct session){
        .number = call.answer.session,
        .context = given->imp.id,
        .machine = call.request.machine,
    };
    if (result == TEEC_SUCCESS) {
        pthread_mutex_lock(&teec_lock);
        machine_keep(session->machine);
        session->id = opened->imp.id = new_id();
        session->next = sessions;
        sessions = session;
        pthread_mutex_unlock(&teec_lock);
    } else {
        free(session);
    }
    call_end(&call);
    return result;
}

TEEC_Result TEEC_InvokeCommand(TEEC_Session *given, uint32_t command, TEEC_Operation *operation, uint32_t *where)
{
    struct call call = {.operation = operation};
    struct session *session;
    uint32_t numbers[2] = {0, command};
    TEEC_Result result = TEEC_ERROR_BAD_PARAMETERS;

    pthread_mutex_lock(&teec_lock);
    session = session_of(given);
    if (session != NULL) {
        numbers[0] = session->number;
        result = call_begin(&call, session->machine, session->context);
    }
    pthread_mutex_unlock(&teec_lock);
    if (result != TEEC_SUCCESS)
        return ended(where, TEEC_ORIGIN_API, result);
    result = call_carry_out(&call, put_invoke, numbers, where);
    call_end(&call);
    return result;
}

void TEEC_CloseSession(TEEC_Session *given)
{
    struct session *session;

    if (given == NULL)
        return;
    pthread_mutex_lock(&teec_lock);
    session = given->imp.id == 0 ? NULL : taken_out(given->imp.id, 0);
    given->imp.id = 0;
    pthread_mutex_unlock(&teec_lock);
    if (session != NULL)
        close_session(session);
}

/*
 * A client of other applications, as its own client tells it.
 *
 * Every command has four parameters: bytes in (what to send, or the UUID of whom to call), a value in (a: a command or a
 * size, b: a timeout), bytes out (what came back), a value out (a: the result, b: its origin).
 */
#include <tee_internal_api.h>

enum command {
    OPEN = 1,
    CALL = 2,
    CLOSE = 3,
    CALL_NOBODY = 4,
    CLOSE_NOBODY = 5,
    INTO_INPUT = 6,
    NULL_REFERENCE = 7,
    OF_SIZE = 8,
    BAD_TYPES = 9,
    OPEN_NULL = 10,
    WITHOUT_PARAMETERS = 11,
};

#define ROOM 32

#ifdef __OPTEE_CORE_API_COMPAT_1_1
typedef uint32_t gp_size;
#else
typedef size_t gp_size;
#endif

static TEE_TASessionHandle session;

static void read_uuid(const uint8_t *from, TEE_UUID *uuid)
{
    uuid->timeLow = (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
    uuid->timeMid = (uint16_t)(from[4] << 8 | from[5]);
    uuid->timeHiAndVersion = (uint16_t)(from[6] << 8 | from[7]);
    TEE_MemMove(uuid->clockSeqAndNode, from + 8, 8);
}

/* What comes back: a number of 64 bits as a value that went in and out, the sizes of both references, their bytes. */
static void report(TEE_Param *out, const TEE_Param inner[4], const uint8_t *first, const uint8_t *third)
{
    uint32_t words[4] = { inner[1].value.a, inner[1].value.b, (uint32_t)inner[0].memref.size,
                          (uint32_t)inner[2].memref.size };
    uint8_t *to = out->memref.buffer;

    if (out->memref.size < sizeof(words) + 2 * ROOM)
        TEE_Panic(7);
    TEE_MemMove(to, words, sizeof(words));
    TEE_MemMove(to + sizeof(words), first, ROOM);
    TEE_MemMove(to + sizeof(words) + ROOM, third, ROOM);
    out->memref.size = sizeof(words) + 2 * ROOM;
}

/* Bytes in and out, a value in and out, bytes out. */
static TEE_Result call(const TEE_Param *in, const TEE_Param *value, TEE_Param *out, uint32_t *origin,
                       TEE_TASessionHandle with)
{
    static uint8_t first[ROOM], third[ROOM];
    TEE_Param inner[4];
    TEE_Result result;
    gp_size size = in->memref.size < ROOM ? in->memref.size : ROOM;

    TEE_MemFill(inner, 0, sizeof(inner));
    TEE_MemFill(first, 0xEE, ROOM);
    TEE_MemFill(third, 0xEE, ROOM);
    TEE_MemMove(first, in->memref.buffer, size);
    inner[0].memref.buffer = first;
    inner[0].memref.size = size;
    inner[1].value.a = 70;
    inner[1].value.b = 71;
    inner[2].memref.buffer = third;
    inner[2].memref.size = 8;
    result = TEE_InvokeTACommand(with, value->value.b, value->value.a,
                                 TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INOUT, TEE_PARAM_TYPE_VALUE_INOUT,
                                                 TEE_PARAM_TYPE_MEMREF_OUTPUT, TEE_PARAM_TYPE_NONE),
                                 inner, origin);
    report(out, inner, first, third);
    return result;
}

static TEE_Result open(const TEE_Param *in, const TEE_Param *value, uint32_t *origin)
{
    TEE_Param inner[4];
    TEE_Result result;
    TEE_UUID uuid;

    read_uuid(in->memref.buffer, &uuid);
    TEE_MemFill(inner, 0, sizeof(inner));
    inner[0].value.a = 5;
    result = TEE_OpenTASession(&uuid, value->value.b,
                               TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INOUT, TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE,
                                               TEE_PARAM_TYPE_NONE),
                               inner, &session, origin);
    return result == TEE_SUCCESS && inner[0].value.a != 6 ? TEE_ERROR_GENERIC : result;
}

/* One memory reference that is out of the ordinary. */
static TEE_Result call_with(uint32_t type, void *buffer, gp_size size, uint32_t *origin)
{
    TEE_Param inner[4];

    TEE_MemFill(inner, 0, sizeof(inner));
    inner[0].memref.buffer = buffer;
    inner[0].memref.size = size;
    return TEE_InvokeTACommand(session, TEE_TIMEOUT_INFINITE, 1, TEE_PARAM_TYPES(type, 0, 0, 0), inner, origin);
}

static TEE_Result call_of_size(gp_size size, uint32_t *origin)
{
    void *buffer = TEE_Malloc(size, TEE_MALLOC_FILL_ZERO);
    TEE_Result result = call_with(TEE_PARAM_TYPE_MEMREF_INPUT, buffer, size, origin);

    TEE_Free(buffer);
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
    if (TEE_PARAM_TYPE_GET(paramTypes, 0) == TEE_PARAM_TYPE_VALUE_INOUT)
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
    TEE_Param *in = &params[0], *value = &params[1], *out = &params[2];
    const TEE_TASessionHandle nobody = (TEE_TASessionHandle)(uintptr_t)4711;
    uint32_t origin = 99;
    TEE_Result result = TEE_SUCCESS;

    (void)sessionContext;
    if (paramTypes != TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_VALUE_INPUT,
                                      TEE_PARAM_TYPE_MEMREF_OUTPUT, TEE_PARAM_TYPE_VALUE_OUTPUT))
        return TEE_ERROR_BAD_PARAMETERS;
    switch (commandID) {
    case OPEN: result = open(in, value, &origin); break;
    case CALL: result = call(in, value, out, &origin, session); break;
    case CLOSE: TEE_CloseTASession(session); break;
    case CALL_NOBODY: result = call(in, value, out, &origin, nobody); break;
    case CLOSE_NOBODY: TEE_CloseTASession(nobody); break;
    case INTO_INPUT:
        result = call_with(TEE_PARAM_TYPE_MEMREF_OUTPUT, in->memref.buffer, in->memref.size, &origin);
        break;
    case NULL_REFERENCE: result = call_with(value->value.a, NULL, 0, &origin); break;
    case OF_SIZE: result = call_of_size(value->value.a, &origin); break;
    case BAD_TYPES: result = call_with(4, NULL, 0, &origin); break;
    case OPEN_NULL: TEE_CloseTASession(TEE_HANDLE_NULL); break;
    case WITHOUT_PARAMETERS: result = TEE_InvokeTACommand(session, 0, 5, 0, NULL, NULL); break;
    default: return TEE_ERROR_NOT_SUPPORTED;
    }
    if (commandID != CALL)
        out->memref.size = 0;
    params[3].value.a = result;
    params[3].value.b = origin;
    return TEE_SUCCESS;
}

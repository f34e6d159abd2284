/* Reads its input once, or twice. The message: a length, and so many bytes. */
#include <string.h>

#include <tee_internal_api.h>

#include "fetch.h"

enum { MOST = 16 };

struct message {
    uint32_t size;
    uint8_t data[];
};

TEE_Result TA_CreateEntryPoint(void)
{
    return TEE_SUCCESS;
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

static TEE_Result sum(const uint8_t *bytes, size_t size, TEE_Param *out)
{
    uint32_t total = 0;

    for (size_t i = 0; i < size; i++)
        total += bytes[i];
    out->value.a = total;
    return TEE_SUCCESS;
}

/* The length is looked at, and then read again where it is used. */
static TEE_Result twice(volatile struct message *given, TEE_Param *out)
{
    uint8_t own[MOST];

    if (given->size > MOST)
        return TEE_ERROR_BAD_PARAMETERS;
    TEE_MemMove(own, (void *)given->data, given->size);
    return sum(own, MOST, out);
}

static TEE_Result once(volatile struct message *given, TEE_Param *out)
{
    uint8_t own[MOST];
    uint32_t size = given->size;

    if (size > MOST)
        return TEE_ERROR_BAD_PARAMETERS;
    TEE_MemMove(own, (void *)given->data, size);
    return sum(own, size, out);
}

static TEE_Result copied(const void *given, size_t size, TEE_Param *out)
{
    uint8_t own[4 + MOST];
    uint32_t length;

    if (size > sizeof(own))
        return TEE_ERROR_BAD_PARAMETERS;
    memcpy(own, given, size);
    memcpy(&length, own, sizeof(length));
    memcpy(&length, own, sizeof(length));
    return length > MOST ? TEE_ERROR_BAD_PARAMETERS : sum(own + 4, length, out);
}

static TEE_Result copied_twice(const void *given, size_t size, TEE_Param *out, bool by_memcpy)
{
    uint8_t own[4 + MOST];

    if (size > sizeof(own))
        return TEE_ERROR_BAD_PARAMETERS;
    TEE_MemMove(own, given, 4);
    if (own[0] > MOST)
        return TEE_ERROR_BAD_PARAMETERS;
    if (by_memcpy)
        memcpy(own, given, size);
    else
        TEE_MemMove(own, given, size);
    return sum(own, size, out);
}

static TEE_Result written(volatile uint8_t *given, TEE_Param *out)
{
    given[0] = 1;
    out->value.a = given[0];
    given[0] = 2;
    out->value.a += given[0];
    return TEE_SUCCESS;
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t command, uint32_t types, TEE_Param params[4])
{
    void *given = params[0].memref.buffer;
    size_t size = params[0].memref.size;

    (void)session;
    if (TEE_PARAM_TYPE_GET(types, 1) != TEE_PARAM_TYPE_VALUE_OUTPUT || size < 8)
        return TEE_ERROR_BAD_PARAMETERS;
    switch (command) {
    case READS_LENGTH_TWICE:
        return twice(given, &params[1]);
    case READS_LENGTH_ONCE:
        return once(given, &params[1]);
    case COPIES_AND_READS_ITS_COPY:
        return copied(given, size, &params[1]);
    case COPIES_TWICE:
        return copied_twice(given, size, &params[1], false);
    case COMPARES_TWICE:
        params[1].value.a = (uint32_t)TEE_MemCompare(given, "\4\0\0\0\1\2\3\4", 8);
        params[1].value.a |= (uint32_t)memcmp(given, "\4\0\0\0\1\2\3\4", 8);
        return TEE_SUCCESS;
    case WRITES_AND_READS_ITS_OWN:
        return written(given, &params[1]);
    case PEEKS_AND_COPIES_WITH_MEMCPY:
        return copied_twice(given, size, &params[1], true);
    case READS_ALL_TWICE_BY_BYTE:
        sum(given, size, &params[1]);
        return sum(given, size, &params[1]);
    default:
        return TEE_ERROR_NOT_SUPPORTED;
    }
}

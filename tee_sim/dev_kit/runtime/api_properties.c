/* TEE Internal Core API 1.3.1, section 4.4: properties. */
#include <string.h>

#include "api_words.h"
#include "functions.h"
#include "host.h"
#include "panic.h"
#include "runtime.h"

#define MOST_NAME_BYTES 1024u /* a longer name is that of no property, and no string perhaps */

/* Begins the question: of a set and a name, or of an enumerator where the name is NULL. */
static void begin(uint32_t function, TEE_PropSetHandle properties, const char *name)
{
    ask_begin(function);
    ask_u64(number_of(properties));
    if (name == NULL) {
        ask_null();
    } else {
        need_access(name, 1, MEMORY_READ);
        ask_bytes(name, strnlen(name, MOST_NAME_BYTES));
    }
}

/* The rest of a question whose answer goes into the caller's room. */
static TEE_Result into(void *buffer, size_t *size)
{
    TEE_Result result;

    NEED_OUT(size);
    if (buffer != NULL)
        need_access(buffer, *size, MEMORY_WRITE);
    ask_room(buffer, *size);
    result = ask_send();
    if (result == TEE_SUCCESS || result == TEE_ERROR_SHORT_BUFFER)
        got_into(buffer, size);
    return result;
}

TEE_Result TEE_GetPropertyAsString(TEE_PropSetHandle propsetOrEnumerator, const char *name, char *valueBuffer,
                                   size_t *valueBufferLen)
{
    begin(FUNCTION_GET_PROPERTY_AS_STRING, propsetOrEnumerator, name);
    return into(valueBuffer, valueBufferLen);
}

TEE_Result TEE_GetPropertyAsBinaryBlock(TEE_PropSetHandle propsetOrEnumerator, const char *name, void *valueBuffer,
                                        size_t *valueBufferLen)
{
    begin(FUNCTION_GET_PROPERTY_AS_BINARY_BLOCK, propsetOrEnumerator, name);
    return into(valueBuffer, valueBufferLen);
}

TEE_Result TEE_GetPropertyAsBool(TEE_PropSetHandle propsetOrEnumerator, const char *name, bool *value)
{
    TEE_Result result;

    begin(FUNCTION_GET_PROPERTY_AS_BOOL, propsetOrEnumerator, name);
    NEED_OUT(value);
    result = ask_send();
    if (result == TEE_SUCCESS)
        *value = got_bool();
    return result;
}

TEE_Result TEE_GetPropertyAsU32(TEE_PropSetHandle propsetOrEnumerator, const char *name, uint32_t *value)
{
    TEE_Result result;

    begin(FUNCTION_GET_PROPERTY_AS_U32, propsetOrEnumerator, name);
    NEED_OUT(value);
    result = ask_send();
    if (result == TEE_SUCCESS)
        *value = (uint32_t)got_u64();
    return result;
}

TEE_Result TEE_GetPropertyAsU64(TEE_PropSetHandle propsetOrEnumerator, const char *name, uint64_t *value)
{
    TEE_Result result;

    begin(FUNCTION_GET_PROPERTY_AS_U64, propsetOrEnumerator, name);
    NEED_OUT(value);
    result = ask_send();
    if (result == TEE_SUCCESS)
        *value = got_u64();
    return result;
}

static void got_uuid(TEE_UUID *value)
{
    size_t size;
    const uint8_t *bytes = got_bytes(&size);

    if (size != 16)
        host_fail();
    uuid_of_bytes(bytes, value);
}

TEE_Result TEE_GetPropertyAsUUID(TEE_PropSetHandle propsetOrEnumerator, const char *name, TEE_UUID *value)
{
    TEE_Result result;

    begin(FUNCTION_GET_PROPERTY_AS_UUID, propsetOrEnumerator, name);
    NEED_OUT(value);
    result = ask_send();
    if (result == TEE_SUCCESS)
        got_uuid(value);
    return result;
}

TEE_Result TEE_GetPropertyAsIdentity(TEE_PropSetHandle propsetOrEnumerator, const char *name, TEE_Identity *value)
{
    TEE_Result result;

    begin(FUNCTION_GET_PROPERTY_AS_IDENTITY, propsetOrEnumerator, name);
    NEED_OUT(value);
    result = ask_send();
    if (result == TEE_SUCCESS) {
        value->login = (uint32_t)got_u64();
        got_uuid(&value->uuid);
    }
    return result;
}

TEE_Result TEE_AllocatePropertyEnumerator(TEE_PropSetHandle *enumerator)
{
    TEE_Result result;

    ask_begin(FUNCTION_ALLOCATE_PROPERTY_ENUMERATOR);
    NEED_OUT(enumerator);
    result = ask_send();
    *enumerator = result == TEE_SUCCESS ? handle_of(got_u64()) : TEE_HANDLE_NULL;
    return result;
}

static TEE_Result ask_enumerator(uint32_t function, TEE_PropSetHandle enumerator)
{
    ask_begin(function);
    ask_u64(number_of(enumerator));
    return ask_send();
}

void TEE_FreePropertyEnumerator(TEE_PropSetHandle enumerator)
{
    ask_enumerator(FUNCTION_FREE_PROPERTY_ENUMERATOR, enumerator);
}

void TEE_StartPropertyEnumerator(TEE_PropSetHandle enumerator, TEE_PropSetHandle propSet)
{
    ask_begin(FUNCTION_START_PROPERTY_ENUMERATOR);
    ask_u64(number_of(enumerator));
    ask_u64(number_of(propSet));
    ask_send();
}

void TEE_ResetPropertyEnumerator(TEE_PropSetHandle enumerator)
{
    ask_enumerator(FUNCTION_RESET_PROPERTY_ENUMERATOR, enumerator);
}

TEE_Result TEE_GetPropertyName(TEE_PropSetHandle enumerator, void *nameBuffer, size_t *nameBufferLen)
{
    ask_begin(FUNCTION_GET_PROPERTY_NAME);
    ask_u64(number_of(enumerator));
    return into(nameBuffer, nameBufferLen);
}

TEE_Result TEE_GetNextProperty(TEE_PropSetHandle enumerator)
{
    return ask_enumerator(FUNCTION_GET_NEXT_PROPERTY, enumerator);
}

/* 1.1: sizes of 32 bits. */

TEE_Result tee11_TEE_GetPropertyAsString(TEE_PropSetHandle propsetOrEnumerator, const char *name, char *valueBuffer,
                                         uint32_t *valueBufferLen)
{
    TEE_Result result;
    size_t wide;

    NEED_OUT(valueBufferLen);
    wide = *valueBufferLen;
    result = TEE_GetPropertyAsString(propsetOrEnumerator, name, valueBuffer, &wide);
    *valueBufferLen = (uint32_t)wide;
    return result;
}

TEE_Result tee11_TEE_GetPropertyAsBinaryBlock(TEE_PropSetHandle propsetOrEnumerator, const char *name,
                                              void *valueBuffer, uint32_t *valueBufferLen)
{
    TEE_Result result;
    size_t wide;

    NEED_OUT(valueBufferLen);
    wide = *valueBufferLen;
    result = TEE_GetPropertyAsBinaryBlock(propsetOrEnumerator, name, valueBuffer, &wide);
    *valueBufferLen = (uint32_t)wide;
    return result;
}

TEE_Result tee11_TEE_GetPropertyName(TEE_PropSetHandle enumerator, void *nameBuffer, uint32_t *nameBufferLen)
{
    TEE_Result result;
    size_t wide;

    NEED_OUT(nameBufferLen);
    wide = *nameBufferLen;
    result = TEE_GetPropertyName(enumerator, nameBuffer, &wide);
    *nameBufferLen = (uint32_t)wide;
    return result;
}

/* TEE Internal Core API 1.3.1, sections 5.5 and 5.6: objects of any kind, and transient ones. */
#include "api_objects.h"
#include "api_words.h"
#include "functions.h"
#include "host.h"
#include "panic.h"
#include "runtime.h"

void got_object_info(tee13_ObjectInfo *info)
{
    info->objectType = (uint32_t)got_u64();
    info->objectSize = (uint32_t)got_u64();
    info->maxObjectSize = (uint32_t)got_u64();
    info->objectUsage = (uint32_t)got_u64();
    info->dataSize = (size_t)got_u64();
    info->dataPosition = (size_t)got_u64();
    info->handleFlags = (uint32_t)got_u64();
}

static TEE_Result ask_info(uint32_t function, TEE_ObjectHandle object, tee13_ObjectInfo *info)
{
    TEE_Result result;

    ask_begin(function);
    NEED_OUT(info);
    ask_u64(number_of(object));
    result = ask_send();
    if (result == TEE_SUCCESS)
        got_object_info(info);
    return result;
}

TEE_Result TEE_GetObjectInfo1(TEE_ObjectHandle object, tee13_ObjectInfo *objectInfo)
{
    return ask_info(FUNCTION_GET_OBJECT_INFO1, object, objectInfo);
}

void TEE_GetObjectInfo(TEE_ObjectHandle object, tee13_ObjectInfo *objectInfo)
{
    ask_info(FUNCTION_GET_OBJECT_INFO, object, objectInfo);
}

static TEE_Result ask_two(uint32_t function, uint64_t first, uint64_t second)
{
    ask_begin(function);
    ask_u64(first);
    ask_u64(second);
    return ask_send();
}

static void ask_one(uint32_t function, const void *handle)
{
    ask_begin(function);
    ask_u64(number_of(handle));
    ask_send();
}

TEE_Result TEE_RestrictObjectUsage1(TEE_ObjectHandle object, uint32_t objectUsage)
{
    return ask_two(FUNCTION_RESTRICT_OBJECT_USAGE1, number_of(object), objectUsage);
}

void TEE_RestrictObjectUsage(TEE_ObjectHandle object, uint32_t objectUsage)
{
    ask_two(FUNCTION_RESTRICT_OBJECT_USAGE, number_of(object), objectUsage);
}

TEE_Result TEE_GetObjectBufferAttribute(TEE_ObjectHandle object, uint32_t attributeID, void *buffer, size_t *size)
{
    TEE_Result result;

    ask_begin(FUNCTION_GET_OBJECT_BUFFER_ATTRIBUTE);
    NEED_OUT(size);
    if (buffer != NULL)
        need_access(buffer, *size, MEMORY_WRITE);
    ask_u64(number_of(object));
    ask_u64(attributeID);
    ask_room(buffer, *size);
    result = ask_send();
    if (result == TEE_SUCCESS || result == TEE_ERROR_SHORT_BUFFER)
        got_into(buffer, size);
    return result;
}

TEE_Result TEE_GetObjectValueAttribute(TEE_ObjectHandle object, uint32_t attributeID, uint32_t *a, uint32_t *b)
{
    uint32_t first, second;
    TEE_Result result;

    if (a != NULL)
        NEED_OUT(a);
    if (b != NULL)
        NEED_OUT(b);
    result = ask_two(FUNCTION_GET_OBJECT_VALUE_ATTRIBUTE, number_of(object), attributeID);
    if (result != TEE_SUCCESS)
        return result;
    first = (uint32_t)got_u64();
    second = (uint32_t)got_u64();
    if (a != NULL)
        *a = first;
    if (b != NULL)
        *b = second;
    return TEE_SUCCESS;
}

void TEE_CloseObject(TEE_ObjectHandle object)
{
    ask_one(FUNCTION_CLOSE_OBJECT, object);
}

TEE_Result TEE_AllocateTransientObject(TEE_ObjectType objectType, uint32_t maxObjectSize, TEE_ObjectHandle *object)
{
    TEE_Result result;

    NEED_OUT(object);
    result = ask_two(FUNCTION_ALLOCATE_TRANSIENT_OBJECT, objectType, maxObjectSize);
    *object = result == TEE_SUCCESS ? handle_of(got_u64()) : TEE_HANDLE_NULL;
    return result;
}

void TEE_FreeTransientObject(TEE_ObjectHandle object)
{
    ask_one(FUNCTION_FREE_TRANSIENT_OBJECT, object);
}

void TEE_ResetTransientObject(TEE_ObjectHandle object)
{
    ask_one(FUNCTION_RESET_TRANSIENT_OBJECT, object);
}

TEE_Result TEE_PopulateTransientObject(TEE_ObjectHandle object, const tee13_Attribute *attrs, uint32_t attrCount)
{
    ask_begin(FUNCTION_POPULATE_TRANSIENT_OBJECT);
    ask_u64(number_of(object));
    ask_attributes(attrs, attrCount);
    return ask_send();
}

void TEE_InitRefAttribute(tee13_Attribute *attr, uint32_t attributeID, const void *buffer, size_t length)
{
    count_call(FUNCTION_INIT_REF_ATTRIBUTE);
    NEED_OUT(attr);
    if ((attributeID & TEE_ATTR_FLAG_VALUE) != 0)
        panic_because(ERROR_BAD_PARAMETERS, "the attribute is a value");
    attr->attributeID = attributeID;
    attr->content.ref.buffer = (void *)(uintptr_t)buffer;
    attr->content.ref.length = length;
}

void TEE_InitValueAttribute(tee13_Attribute *attr, uint32_t attributeID, uint32_t a, uint32_t b)
{
    count_call(FUNCTION_INIT_VALUE_ATTRIBUTE);
    NEED_OUT(attr);
    if ((attributeID & TEE_ATTR_FLAG_VALUE) == 0)
        panic_because(ERROR_BAD_PARAMETERS, "the attribute is no value");
    attr->attributeID = attributeID;
    attr->content.value.a = a;
    attr->content.value.b = b;
}

TEE_Result TEE_CopyObjectAttributes1(TEE_ObjectHandle destObject, TEE_ObjectHandle srcObject)
{
    return ask_two(FUNCTION_COPY_OBJECT_ATTRIBUTES1, number_of(destObject), number_of(srcObject));
}

void TEE_CopyObjectAttributes(TEE_ObjectHandle destObject, TEE_ObjectHandle srcObject)
{
    ask_two(FUNCTION_COPY_OBJECT_ATTRIBUTES, number_of(destObject), number_of(srcObject));
}

TEE_Result TEE_GenerateKey(TEE_ObjectHandle object, uint32_t keySize, const tee13_Attribute *params,
                           uint32_t paramCount)
{
    ask_begin(FUNCTION_GENERATE_KEY);
    ask_u64(number_of(object));
    ask_u64(keySize);
    ask_attributes(params, paramCount);
    return ask_send();
}

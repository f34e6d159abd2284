/* TEE Internal Core API 1.3.1, sections 5.7 to 5.9: persistent objects, their enumerators and their data. */
#include <string.h>

#include "api_objects.h"
#include "api_words.h"
#include "functions.h"
#include "host.h"
#include "panic.h"
#include "runtime.h"

#define MOST_DATA_BYTES (768u << 10) /* more than an object holds: the core refuses its size, and needs no bytes */
#define READ_BYTES (512u << 10)      /* of one answer */

static void ask_object_id(const void *id, size_t size)
{
    if (size > TEE_OBJECT_ID_MAX_LEN)
        panic_because(ERROR_BAD_PARAMETERS, "an object id of more than 64 bytes");
    /* Section 5.7.1: it cannot reside in shared memory, where it could change meanwhile. */
    if (!may_access(id, size, MEMORY_READ))
        panic_because(ERROR_BAD_PARAMETERS, "an object id in memory that the client shares, or in none");
    ask_bytes(id, size);
}

TEE_Result TEE_OpenPersistentObject(uint32_t storageID, const void *objectID, size_t objectIDLen, uint32_t flags,
                                    TEE_ObjectHandle *object)
{
    TEE_Result result;

    ask_begin(FUNCTION_OPEN_PERSISTENT_OBJECT);
    NEED_OUT(object);
    ask_u64(storageID);
    ask_object_id(objectID, objectIDLen);
    ask_u64(flags);
    result = ask_send();
    *object = result == TEE_SUCCESS ? handle_of(got_u64()) : TEE_HANDLE_NULL;
    return result;
}

TEE_Result TEE_CreatePersistentObject(uint32_t storageID, const void *objectID, size_t objectIDLen, uint32_t flags,
                                      TEE_ObjectHandle attributes, const void *initialData, size_t initialDataLen,
                                      TEE_ObjectHandle *object)
{
    TEE_ObjectHandle made = TEE_HANDLE_NULL;
    TEE_Result result;

    ask_begin(FUNCTION_CREATE_PERSISTENT_OBJECT);
    if (object != NULL)
        NEED_OUT(object);
    ask_u64(storageID);
    ask_object_id(objectID, objectIDLen);
    ask_u64(flags);
    ask_u64(number_of(attributes));
    if (initialData == NULL || initialDataLen > MOST_DATA_BYTES) {
        ask_null();
    } else {
        need_access(initialData, initialDataLen, MEMORY_READ);
        ask_bytes(initialData, initialDataLen);
    }
    ask_u64(initialDataLen);
    result = ask_send();
    if (result == TEE_SUCCESS)
        made = handle_of(got_u64());
    if (object != NULL)
        *object = made;
    else if (result == TEE_SUCCESS)
        TEE_CloseObject(made);
    return result;
}

static TEE_Result ask_handle(uint32_t function, const void *handle)
{
    ask_begin(function);
    ask_u64(number_of(handle));
    return ask_send();
}

TEE_Result TEE_CloseAndDeletePersistentObject1(TEE_ObjectHandle object)
{
    return ask_handle(FUNCTION_CLOSE_AND_DELETE_PERSISTENT_OBJECT1, object);
}

void TEE_CloseAndDeletePersistentObject(TEE_ObjectHandle object)
{
    ask_handle(FUNCTION_CLOSE_AND_DELETE_PERSISTENT_OBJECT, object);
}

TEE_Result TEE_RenamePersistentObject(TEE_ObjectHandle object, const void *newObjectID, size_t newObjectIDLen)
{
    ask_begin(FUNCTION_RENAME_PERSISTENT_OBJECT);
    ask_u64(number_of(object));
    ask_object_id(newObjectID, newObjectIDLen);
    return ask_send();
}

TEE_Result TEE_AllocatePersistentObjectEnumerator(TEE_ObjectEnumHandle *objectEnumerator)
{
    TEE_Result result;

    ask_begin(FUNCTION_ALLOCATE_PERSISTENT_OBJECT_ENUMERATOR);
    NEED_OUT(objectEnumerator);
    result = ask_send();
    *objectEnumerator = result == TEE_SUCCESS ? handle_of(got_u64()) : TEE_HANDLE_NULL;
    return result;
}

void TEE_FreePersistentObjectEnumerator(TEE_ObjectEnumHandle objectEnumerator)
{
    ask_handle(FUNCTION_FREE_PERSISTENT_OBJECT_ENUMERATOR, objectEnumerator);
}

void TEE_ResetPersistentObjectEnumerator(TEE_ObjectEnumHandle objectEnumerator)
{
    ask_handle(FUNCTION_RESET_PERSISTENT_OBJECT_ENUMERATOR, objectEnumerator);
}

TEE_Result TEE_StartPersistentObjectEnumerator(TEE_ObjectEnumHandle objectEnumerator, uint32_t storageID)
{
    ask_begin(FUNCTION_START_PERSISTENT_OBJECT_ENUMERATOR);
    ask_u64(number_of(objectEnumerator));
    ask_u64(storageID);
    return ask_send();
}

TEE_Result TEE_GetNextPersistentObject(TEE_ObjectEnumHandle objectEnumerator, tee13_ObjectInfo *objectInfo,
                                       void *objectID, size_t *objectIDLen)
{
    tee13_ObjectInfo info;
    const void *id;
    size_t size;
    TEE_Result result;

    ask_begin(FUNCTION_GET_NEXT_PERSISTENT_OBJECT);
    if (objectInfo != NULL)
        NEED_OUT(objectInfo);
    NEED_OUT(objectIDLen);
    ask_u64(number_of(objectEnumerator));
    result = ask_send();
    if (result != TEE_SUCCESS)
        return result;
    got_object_info(&info);
    id = got_bytes(&size);
    need_access(objectID, size, MEMORY_WRITE);
    if (size > 0)
        memcpy(objectID, id, size);
    *objectIDLen = size;
    if (objectInfo != NULL)
        *objectInfo = info;
    return TEE_SUCCESS;
}

TEE_Result TEE_ReadObjectData(TEE_ObjectHandle object, void *buffer, size_t size, size_t *count)
{
    uint8_t *next = buffer;
    TEE_Result result;
    size_t asked, had;

    NEED_OUT(count);
    need_access(buffer, size, MEMORY_WRITE);
    *count = 0;
    do { /* also for no byte at all: the core judges the handle */
        asked = size < READ_BYTES ? size : READ_BYTES;
        had = asked;
        ask_begin(FUNCTION_READ_OBJECT_DATA);
        ask_u64(number_of(object));
        ask_u64(asked);
        result = ask_send();
        if (result != TEE_SUCCESS)
            return result;
        got_into(next, &had);
        *count += had;
        size -= had;
        next = next == NULL ? NULL : next + had;
    } while (size > 0 && had == asked);
    return TEE_SUCCESS;
}

TEE_Result TEE_WriteObjectData(TEE_ObjectHandle object, const void *buffer, size_t size)
{
    ask_begin(FUNCTION_WRITE_OBJECT_DATA);
    need_access(buffer, size, MEMORY_READ);
    ask_u64(number_of(object));
    ask_bytes(buffer, size > MOST_DATA_BYTES ? 0 : size);
    ask_u64(size);
    return ask_send();
}

TEE_Result TEE_TruncateObjectData(TEE_ObjectHandle object, size_t size)
{
    ask_begin(FUNCTION_TRUNCATE_OBJECT_DATA);
    ask_u64(number_of(object));
    ask_u64(size);
    return ask_send();
}

TEE_Result TEE_SeekObjectData(TEE_ObjectHandle object, intmax_t offset, TEE_Whence whence)
{
    ask_begin(FUNCTION_SEEK_OBJECT_DATA);
    ask_u64(number_of(object));
    ask_i64(offset);
    ask_u64(whence);
    return ask_send();
}

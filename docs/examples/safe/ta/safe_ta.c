/*
 * Keeps named objects in the secure store, in C for GlobalPlatform's TEE Internal Core API 1.1: sizes of 32 bits.
 *
 * Every command is one write to the store, so that a power cut leaves what was there before or what it was to become.
 */
#include <safe_ta.h>
#include <tee_internal_api.h>

#define READING (TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_SHARE_READ)
#define CHANGING (TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_ACCESS_WRITE)
#define OWNING TEE_DATA_FLAG_ACCESS_WRITE_META
#define HEAD_BYTES 5

struct name {
    uint8_t bytes[SAFE_NAME_BYTES];
    uint32_t size;
};

/* The identifier of an object must not lie in memory that the client shares (sections 5.7.1, 5.7.2 and 5.7.5). */
static TEE_Result take_name(const TEE_Param *given, struct name *name)
{
    if (given->memref.size == 0 || given->memref.size > SAFE_NAME_BYTES) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    name->size = given->memref.size;
    TEE_MemMove(name->bytes, given->memref.buffer, name->size);
    return TEE_SUCCESS;
}

static TEE_Result open_object(const TEE_Param *given, uint32_t flags, TEE_ObjectHandle *object)
{
    struct name name;
    TEE_Result result = take_name(given, &name);

    if (result != TEE_SUCCESS) {
        return result;
    }
    return TEE_OpenPersistentObject(TEE_STORAGE_PRIVATE, name.bytes, name.size, flags, object);
}

static TEE_Result put(TEE_Param params[4], uint32_t flags)
{
    TEE_ObjectHandle object = TEE_HANDLE_NULL;
    struct name name;
    TEE_Result result = take_name(&params[0], &name);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_CreatePersistentObject(TEE_STORAGE_PRIVATE, name.bytes, name.size, flags | TEE_DATA_FLAG_ACCESS_WRITE,
                                        TEE_HANDLE_NULL, params[1].memref.buffer, params[1].memref.size, &object);
    if (result == TEE_SUCCESS) {
        TEE_CloseObject(object);
    }
    return result;
}

static TEE_Result create(TEE_Param params[4])
{
    return put(params, 0);
}

static TEE_Result replace(TEE_Param params[4])
{
    return put(params, TEE_DATA_FLAG_OVERWRITE);
}

static TEE_Result read_object(TEE_Param params[4])
{
    TEE_ObjectHandle object = TEE_HANDLE_NULL;
    TEE_ObjectInfo info;
    uint32_t read = 0;
    TEE_Result result = open_object(&params[0], READING, &object);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_GetObjectInfo1(object, &info);
    if (result == TEE_SUCCESS && info.dataSize > params[1].memref.size) {
        result = TEE_ERROR_SHORT_BUFFER;
        read = info.dataSize;
    } else if (result == TEE_SUCCESS) {
        result = TEE_ReadObjectData(object, params[1].memref.buffer, params[1].memref.size, &read);
    }
    TEE_CloseObject(object);
    params[1].memref.size = read;
    return result;
}

static TEE_Result write_object(TEE_Param params[4])
{
    TEE_ObjectHandle object = TEE_HANDLE_NULL;
    TEE_Result result;

    if (params[2].value.a > INT32_MAX) {
        return TEE_ERROR_OVERFLOW;
    }
    result = open_object(&params[0], CHANGING, &object);
    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_SeekObjectData(object, (int32_t)params[2].value.a, TEE_DATA_SEEK_SET);
    if (result == TEE_SUCCESS) {
        result = TEE_WriteObjectData(object, params[1].memref.buffer, params[1].memref.size);
    }
    TEE_CloseObject(object);
    return result;
}

static TEE_Result resize(TEE_Param params[4])
{
    TEE_ObjectHandle object = TEE_HANDLE_NULL;
    TEE_Result result = open_object(&params[0], CHANGING, &object);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_TruncateObjectData(object, params[1].value.a);
    TEE_CloseObject(object);
    return result;
}

static TEE_Result rename_object(TEE_Param params[4])
{
    TEE_ObjectHandle object = TEE_HANDLE_NULL;
    struct name name;
    TEE_Result result = take_name(&params[1], &name);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = open_object(&params[0], OWNING, &object);
    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_RenamePersistentObject(object, name.bytes, name.size);
    TEE_CloseObject(object);
    return result;
}

static TEE_Result delete_object(TEE_Param params[4])
{
    TEE_ObjectHandle object = TEE_HANDLE_NULL;
    TEE_Result result = open_object(&params[0], OWNING, &object);

    if (result != TEE_SUCCESS) {
        return result;
    }
    return TEE_CloseAndDeletePersistentObject1(object);
}

/* One line of the list. `used` goes on counting where there is no room any more, so that it ends as the size needed. */
static void add_line(TEE_Param *list, uint32_t *used, uint32_t size, const uint8_t *name, uint32_t name_bytes)
{
    uint8_t *at = (uint8_t *)list->memref.buffer + *used;

    *used += HEAD_BYTES + name_bytes;
    if (*used > list->memref.size) {
        return;
    }
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(size >> 8 * i);
    }
    at[4] = (uint8_t)name_bytes;
    TEE_MemMove(at + HEAD_BYTES, name, name_bytes);
}

static TEE_Result list_objects(TEE_Param params[4])
{
    TEE_ObjectEnumHandle all = TEE_HANDLE_NULL;
    uint8_t name[TEE_OBJECT_ID_MAX_LEN];
    uint32_t name_bytes = sizeof name;
    uint32_t used = 0;
    TEE_ObjectInfo info;
    TEE_Result result = TEE_AllocatePersistentObjectEnumerator(&all);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_StartPersistentObjectEnumerator(all, TEE_STORAGE_PRIVATE);
    while (result == TEE_SUCCESS) {
        name_bytes = sizeof name;
        result = TEE_GetNextPersistentObject(all, &info, name, &name_bytes);
        if (result == TEE_SUCCESS) {
            add_line(&params[0], &used, info.dataSize, name, name_bytes);
        }
    }
    TEE_FreePersistentObjectEnumerator(all);
    if (result != TEE_ERROR_ITEM_NOT_FOUND) {
        return result;
    }
    result = used > params[0].memref.size ? TEE_ERROR_SHORT_BUFFER : TEE_SUCCESS;
    params[0].memref.size = used;
    return result;
}

#define TYPES(a, b, c) \
    TEE_PARAM_TYPES(TEE_PARAM_TYPE_##a, TEE_PARAM_TYPE_##b, TEE_PARAM_TYPE_##c, TEE_PARAM_TYPE_NONE)

static const struct command {
    uint32_t types;
    TEE_Result (*run)(TEE_Param params[4]);
} commands[] = {
    [SAFE_CREATE] = { TYPES(MEMREF_INPUT, MEMREF_INPUT, NONE), create },
    [SAFE_READ] = { TYPES(MEMREF_INPUT, MEMREF_OUTPUT, NONE), read_object },
    [SAFE_REPLACE] = { TYPES(MEMREF_INPUT, MEMREF_INPUT, NONE), replace },
    [SAFE_WRITE] = { TYPES(MEMREF_INPUT, MEMREF_INPUT, VALUE_INPUT), write_object },
    [SAFE_RESIZE] = { TYPES(MEMREF_INPUT, VALUE_INPUT, NONE), resize },
    [SAFE_RENAME] = { TYPES(MEMREF_INPUT, MEMREF_INPUT, NONE), rename_object },
    [SAFE_DELETE] = { TYPES(MEMREF_INPUT, NONE, NONE), delete_object },
    [SAFE_LIST] = { TYPES(MEMREF_OUTPUT, NONE, NONE), list_objects },
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
    (void)params;
    *session = NULL;
    return types == 0 ? TEE_SUCCESS : TEE_ERROR_BAD_PARAMETERS;
}

void TA_CloseSessionEntryPoint(void *session)
{
    (void)session;
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t number, uint32_t types, TEE_Param params[4])
{
    (void)session;
    if (number >= sizeof commands / sizeof commands[0]) {
        return TEE_ERROR_NOT_SUPPORTED;
    }
    if (commands[number].types != types) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    return commands[number].run(params);
}

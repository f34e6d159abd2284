#include "records.h"

#define KEY_BITS 256

static const char KEY_NAME[] = "key of handles";
static const char RECORD_PREFIX[] = "failures of ";

struct name {
    char prefix[sizeof RECORD_PREFIX - 1];
    uint32_t user;
};

static void name_of(uint32_t user, struct name *name)
{
    TEE_MemMove(name->prefix, RECORD_PREFIX, sizeof name->prefix);
    name->user = user;
}

TEE_Result record_read(uint32_t user, struct record *record)
{
    TEE_ObjectHandle object = TEE_HANDLE_NULL;
    struct name name;
    size_t read = 0;
    TEE_Result result;

    name_of(user, &name);
    result = TEE_OpenPersistentObject(TEE_STORAGE_PRIVATE, &name, sizeof name, TEE_DATA_FLAG_ACCESS_READ, &object);
    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_ReadObjectData(object, record, sizeof *record, &read);
    TEE_CloseObject(object);
    if (result == TEE_SUCCESS && (read != sizeof *record || record->user != user)) {
        return TEE_ERROR_CORRUPT_OBJECT;
    }
    return result;
}

TEE_Result record_write(const struct record *record)
{
    TEE_ObjectHandle object = TEE_HANDLE_NULL;
    struct name name;
    TEE_Result result;

    name_of(record->user, &name);
    result = TEE_CreatePersistentObject(TEE_STORAGE_PRIVATE, &name, sizeof name,
                                        TEE_DATA_FLAG_ACCESS_WRITE | TEE_DATA_FLAG_OVERWRITE, TEE_HANDLE_NULL, record,
                                        sizeof *record, &object);
    if (result == TEE_SUCCESS) {
        TEE_CloseObject(object);
    }
    return result;
}

static TEE_Result make_key(TEE_ObjectHandle *key)
{
    TEE_ObjectHandle made = TEE_HANDLE_NULL;
    TEE_Result result = TEE_AllocateTransientObject(TEE_TYPE_HMAC_SHA256, KEY_BITS, &made);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_GenerateKey(made, KEY_BITS, NULL, 0);
    if (result == TEE_SUCCESS) {
        result = TEE_CreatePersistentObject(TEE_STORAGE_PRIVATE, KEY_NAME, sizeof KEY_NAME - 1,
                                            TEE_DATA_FLAG_ACCESS_READ, made, NULL, 0, key);
    }
    TEE_FreeTransientObject(made);
    return result;
}

TEE_Result device_key(TEE_ObjectHandle *key)
{
    TEE_Result result = TEE_OpenPersistentObject(TEE_STORAGE_PRIVATE, KEY_NAME, sizeof KEY_NAME - 1,
                                                 TEE_DATA_FLAG_ACCESS_READ, key);

    return result == TEE_ERROR_ITEM_NOT_FOUND ? make_key(key) : result;
}

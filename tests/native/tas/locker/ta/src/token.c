/* A PIN for each slot: salt and digest, in an object of the secure store. */
#include "locker.h"

#define SALT_BYTES 16
#define DIGEST_BYTES 32

struct token {
    uint8_t salt[SALT_BYTES];
    uint8_t digest[DIGEST_BYTES];
};

static TEE_Result digest(const uint8_t salt[SALT_BYTES], const TEE_Param *pin, uint8_t out[DIGEST_BYTES])
{
    TEE_OperationHandle operation;
    size_t size = DIGEST_BYTES;
    TEE_Result result = TEE_AllocateOperation(&operation, TEE_ALG_SHA256, TEE_MODE_DIGEST, 0);

    if (result != TEE_SUCCESS) {
        return result;
    }
    TEE_DigestUpdate(operation, salt, SALT_BYTES);
    result = TEE_DigestDoFinal(operation, pin->memref.buffer, pin->memref.size, out, &size);
    TEE_FreeOperation(operation);
    return result;
}

TEE_Result token_init(uint32_t slot, const TEE_Param *pin)
{
    char name[] = "token 0";
    TEE_ObjectHandle object;
    struct token token;
    TEE_Result result;

    name[6] = (char)('0' + slot);
    TEE_GenerateRandom(token.salt, sizeof token.salt);
    result = digest(token.salt, pin, token.digest);
    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_CreatePersistentObject(TEE_STORAGE_PRIVATE, name, sizeof name - 1,
                                        TEE_DATA_FLAG_ACCESS_WRITE | TEE_DATA_FLAG_OVERWRITE, TEE_HANDLE_NULL, &token,
                                        sizeof token, &object);
    if (result == TEE_SUCCESS) {
        TEE_CloseObject(object);
    }
    return result;
}

TEE_Result token_check(uint32_t slot, const TEE_Param *pin)
{
    char name[] = "token 0";
    uint8_t given[DIGEST_BYTES];
    TEE_ObjectHandle object;
    struct token token;
    size_t size = 0;
    TEE_Result result;

    name[6] = (char)('0' + slot);
    result = TEE_OpenPersistentObject(TEE_STORAGE_PRIVATE, name, sizeof name - 1,
                                      TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_SHARE_READ, &object);
    if (result == TEE_ERROR_ITEM_NOT_FOUND) {
        return LOCKER_TOKEN_MISSING;
    }
    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_ReadObjectData(object, &token, sizeof token, &size);
    TEE_CloseObject(object);
    if (result != TEE_SUCCESS || size != sizeof token) {
        return result != TEE_SUCCESS ? result : TEE_ERROR_CORRUPT_OBJECT;
    }
    result = digest(token.salt, pin, given);
    if (result != TEE_SUCCESS) {
        return result;
    }
    return TEE_MemCompare(given, token.digest, DIGEST_BYTES) == 0 ? TEE_SUCCESS : LOCKER_PIN_INCORRECT;
}

/* Sections 5.7 to 5.9: persistent objects, their enumerators and their data. */
#include "check.h"

#define PRIVATE TEE_STORAGE_PRIVATE
#define ALL_ACCESS (TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_ACCESS_WRITE | TEE_DATA_FLAG_ACCESS_WRITE_META)
#define OVERWRITE (ALL_ACCESS | TEE_DATA_FLAG_OVERWRITE)

static TEE_ObjectHandle made(const char *id, const char *data)
{
    TEE_ObjectHandle object = TEE_HANDLE_NULL;
    gp_size id_size = 0, size = 0;

    while (id[id_size] != '\0')
        id_size++;
    while (data[size] != '\0')
        size++;
    if (TEE_CreatePersistentObject(PRIVATE, id, id_size, OVERWRITE, TEE_HANDLE_NULL, data, size, &object)
        != TEE_SUCCESS)
        return TEE_HANDLE_NULL;
    return object;
}

CHECK(storage_write_seek_read_truncate)
{
    TEE_ObjectHandle object = made("data", "0123456789");
    TEE_ObjectInfo info;
    char read[16];
    gp_size count = 99;

    EXPECT_OK(TEE_ReadObjectData(object, read, 4, &count));
    EXPECT(count == 4);
    EXPECT_BYTES(read, "0123", 4);
    EXPECT_OK(TEE_SeekObjectData(object, -2, TEE_DATA_SEEK_END));
    EXPECT_OK(TEE_ReadObjectData(object, read, sizeof(read), &count));
    EXPECT(count == 2);
    EXPECT_BYTES(read, "89", 2);
    EXPECT_OK(TEE_ReadObjectData(object, read, sizeof(read), &count));
    EXPECT(count == 0);
    EXPECT_OK(TEE_SeekObjectData(object, 12, TEE_DATA_SEEK_SET));
    EXPECT_OK(TEE_WriteObjectData(object, "ab", 2));
    EXPECT_OK(TEE_GetObjectInfo1(object, &info));
    EXPECT(info.objectType == TEE_TYPE_DATA && info.dataSize == 14 && info.dataPosition == 14);
    EXPECT(info.handleFlags == (TEE_HANDLE_FLAG_PERSISTENT | TEE_HANDLE_FLAG_INITIALIZED | ALL_ACCESS));
    EXPECT_OK(TEE_SeekObjectData(object, -100, TEE_DATA_SEEK_CUR));
    EXPECT_OK(TEE_ReadObjectData(object, read, sizeof(read), &count));
    EXPECT(count == 14);
    EXPECT_BYTES(read, "0123456789\0\0ab", 14);
    EXPECT_OK(TEE_TruncateObjectData(object, 3));
    EXPECT_OK(TEE_GetObjectInfo1(object, &info));
    EXPECT(info.dataSize == 3 && info.dataPosition == 14);
    EXPECT_OK(TEE_WriteObjectData(object, NULL, 0));
    EXPECT_OK(TEE_CloseAndDeletePersistentObject1(object));
    EXPECT_RESULT(TEE_OpenPersistentObject(PRIVATE, "data", 4, ALL_ACCESS, &object), TEE_ERROR_ITEM_NOT_FOUND);
    EXPECT(object == TEE_HANDLE_NULL);
}

CHECK(storage_survives_a_handle_and_is_shared_as_its_flags_say)
{
    const uint32_t shared = TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_SHARE_READ;
    TEE_ObjectHandle one, other;

    TEE_CloseObject(made("kept", "x"));
    EXPECT_OK(TEE_OpenPersistentObject(PRIVATE, "kept", 4, shared, &one));
    EXPECT_OK(TEE_OpenPersistentObject(PRIVATE, "kept", 4, shared, &other));
    TEE_CloseObject(other);
    EXPECT_RESULT(TEE_OpenPersistentObject(PRIVATE, "kept", 4, ALL_ACCESS, &other), TEE_ERROR_ACCESS_CONFLICT);
    TEE_CloseObject(one);
    EXPECT_OK(TEE_OpenPersistentObject(PRIVATE, "kept", 4, ALL_ACCESS, &one));
    TEE_CloseAndDeletePersistentObject(one);
}

CHECK(storage_create_without_overwrite_meets_what_is_there)
{
    TEE_ObjectHandle object = made("there", "x"), other;

    TEE_CloseObject(object);
    EXPECT_RESULT(TEE_CreatePersistentObject(PRIVATE, "there", 5, ALL_ACCESS, TEE_HANDLE_NULL, "y", 1, &other),
                  TEE_ERROR_ACCESS_CONFLICT);
    EXPECT_OK(TEE_CreatePersistentObject(PRIVATE, "there", 5, OVERWRITE, TEE_HANDLE_NULL, NULL, 4, &other));
    TEE_CloseAndDeletePersistentObject(other);
    EXPECT_RESULT(TEE_CreatePersistentObject(0x77, "there", 5, OVERWRITE, TEE_HANDLE_NULL, "y", 1, &other),
                  TEE_ERROR_ITEM_NOT_FOUND);
}

CHECK(storage_create_without_a_handle_is_closed)
{
    TEE_ObjectHandle object;

    EXPECT_OK(TEE_CreatePersistentObject(PRIVATE, "shut", 4, OVERWRITE, TEE_HANDLE_NULL, "y", 1, NULL));
    EXPECT_OK(TEE_OpenPersistentObject(PRIVATE, "shut", 4, ALL_ACCESS, &object));
    TEE_CloseAndDeletePersistentObject(object);
}

CHECK(storage_names_of_no_byte_and_of_the_most)
{
    uint8_t id[TEE_OBJECT_ID_MAX_LEN];
    TEE_ObjectHandle object;

    TEE_MemFill(id, 0xFF, sizeof(id));
    EXPECT_OK(TEE_CreatePersistentObject(PRIVATE, id, sizeof(id), OVERWRITE, TEE_HANDLE_NULL, "y", 1, &object));
    EXPECT_OK(TEE_RenamePersistentObject(object, NULL, 0));
    EXPECT_RESULT(TEE_RenamePersistentObject(object, NULL, 0), TEE_ERROR_ACCESS_CONFLICT);
    EXPECT_OK(TEE_CloseAndDeletePersistentObject1(object));
}

CHECK(storage_key_object_keeps_its_attributes)
{
    TEE_ObjectHandle key, object;
    TEE_ObjectInfo info;
    TEE_Attribute secret;
    uint8_t read[32];
    gp_size size = sizeof(read);

    EXPECT_OK(TEE_AllocateTransientObject(TEE_TYPE_HMAC_SHA256, 256, &key));
    TEE_InitRefAttribute(&secret, TEE_ATTR_SECRET_VALUE, "0123456789abcdef0123456789abcdef", 32);
    EXPECT_OK(TEE_PopulateTransientObject(key, &secret, 1));
    EXPECT_OK(TEE_CreatePersistentObject(PRIVATE, "key", 3, OVERWRITE, key, "beside", 6, &object));
    TEE_FreeTransientObject(key);
    EXPECT_OK(TEE_RestrictObjectUsage1(object, TEE_USAGE_MAC | TEE_USAGE_EXTRACTABLE));
    TEE_CloseObject(object);
    EXPECT_OK(TEE_OpenPersistentObject(PRIVATE, "key", 3, ALL_ACCESS, &object));
    EXPECT_OK(TEE_GetObjectInfo1(object, &info));
    EXPECT(info.objectType == TEE_TYPE_HMAC_SHA256 && info.objectSize == 256 && info.dataSize == 6);
    EXPECT(info.objectUsage == (TEE_USAGE_MAC | TEE_USAGE_EXTRACTABLE));
    EXPECT_OK(TEE_GetObjectBufferAttribute(object, TEE_ATTR_SECRET_VALUE, read, &size));
    EXPECT_BYTES(read, "0123456789abcdef0123456789abcdef", 32);
    EXPECT_OK(TEE_CloseAndDeletePersistentObject1(object));
}

/* How many objects there are, and how many bytes in them: other checks may have left some. */
static void counted(gp_size *objects, gp_size *bytes)
{
    TEE_ObjectEnumHandle enumerator;
    TEE_ObjectInfo info;
    uint8_t id[TEE_OBJECT_ID_MAX_LEN];
    gp_size size;

    *objects = *bytes = 0;
    if (TEE_AllocatePersistentObjectEnumerator(&enumerator) != TEE_SUCCESS)
        TEE_Panic(1);
    if (TEE_StartPersistentObjectEnumerator(enumerator, PRIVATE) == TEE_SUCCESS) {
        while (TEE_GetNextPersistentObject(enumerator, &info, id, &size) == TEE_SUCCESS) {
            *objects += 1;
            *bytes += info.dataSize;
        }
    }
    TEE_FreePersistentObjectEnumerator(enumerator);
}

CHECK(storage_enumerator_lists_what_is_there)
{
    gp_size objects, bytes, objects_before, bytes_before;
    TEE_ObjectHandle first, second;

    counted(&objects_before, &bytes_before);
    first = made("one", "1");
    second = made("two", "22");
    counted(&objects, &bytes);
    EXPECT(objects == objects_before + 2 && bytes == bytes_before + 3);
    EXPECT_OK(TEE_CloseAndDeletePersistentObject1(first));
    EXPECT_OK(TEE_CloseAndDeletePersistentObject1(second));
    counted(&objects, &bytes);
    EXPECT(objects == objects_before && bytes == bytes_before);
}

CHECK(storage_enumerator_begins_and_begins_again)
{
    TEE_ObjectHandle object = made("", "1");
    TEE_ObjectEnumHandle enumerator;
    TEE_ObjectInfo info;
    uint8_t id[TEE_OBJECT_ID_MAX_LEN];
    gp_size size = 99;

    EXPECT_OK(TEE_AllocatePersistentObjectEnumerator(&enumerator));
    EXPECT_RESULT(TEE_GetNextPersistentObject(enumerator, &info, id, &size), TEE_ERROR_ITEM_NOT_FOUND);
    for (int turn = 0; turn < 2; turn++) { /* the shortest name comes first */
        EXPECT_OK(TEE_StartPersistentObjectEnumerator(enumerator, PRIVATE));
        EXPECT_OK(TEE_GetNextPersistentObject(enumerator, turn == 0 ? &info : NULL, id, &size));
        EXPECT(size == 0 && info.dataSize == 1 && info.objectType == TEE_TYPE_DATA);
    }
    TEE_ResetPersistentObjectEnumerator(enumerator);
    EXPECT_RESULT(TEE_GetNextPersistentObject(enumerator, &info, id, &size), TEE_ERROR_ITEM_NOT_FOUND);
    TEE_FreePersistentObjectEnumerator(enumerator);
    TEE_FreePersistentObjectEnumerator(TEE_HANDLE_NULL);
    EXPECT_OK(TEE_CloseAndDeletePersistentObject1(object));
}

CHECK(storage_of_more_than_a_frame_is_refused_by_its_size)
{
    TEE_ObjectHandle object = made("big", "");
    uint8_t *data = TEE_Malloc(900 * 1024, TEE_MALLOC_FILL_ZERO);

    EXPECT(data != NULL);
    EXPECT_RESULT(TEE_WriteObjectData(object, data, 900 * 1024), TEE_ERROR_STORAGE_NO_SPACE);
    EXPECT_RESULT(TEE_TruncateObjectData(object, 900 * 1024), TEE_ERROR_STORAGE_NO_SPACE);
    EXPECT_RESULT(TEE_CreatePersistentObject(PRIVATE, "more", 4, OVERWRITE, TEE_HANDLE_NULL, data, 900 * 1024, NULL),
                  TEE_ERROR_STORAGE_NO_SPACE);
    TEE_Free(data);
    EXPECT_OK(TEE_CloseAndDeletePersistentObject1(object));
}

CHECK(storage_positions_end)
{
    TEE_ObjectHandle object = made("far", "x");

    EXPECT_OK(TEE_SeekObjectData(object, 0x7FFFFFFF, TEE_DATA_SEEK_SET));
    EXPECT_OK(TEE_SeekObjectData(object, 0x7FFFFFFF, TEE_DATA_SEEK_CUR));
    EXPECT_RESULT(TEE_SeekObjectData(object, 2, TEE_DATA_SEEK_CUR), TEE_ERROR_OVERFLOW);
    EXPECT_RESULT(TEE_WriteObjectData(object, "abcd", 4), TEE_ERROR_OVERFLOW);
    EXPECT_OK(TEE_CloseAndDeletePersistentObject1(object));
}

PANICS(storage_name_that_is_too_long)
{
    uint8_t id[65] = { 0 };
    TEE_ObjectHandle object;

    TEE_OpenPersistentObject(PRIVATE, id, sizeof(id), ALL_ACCESS, &object);
}

PANICS(storage_name_in_memory_that_is_not_there)
{
    TEE_ObjectHandle object;

    TEE_OpenPersistentObject(PRIVATE, (const void *)(uintptr_t)64, 8, ALL_ACCESS, &object);
}

PANICS(storage_flags_that_do_not_exist)
{
    TEE_ObjectHandle object;

    TEE_CreatePersistentObject(PRIVATE, "flag", 4, 0x80000000, TEE_HANDLE_NULL, NULL, 0, &object);
}

PANICS(storage_read_without_the_right)
{
    TEE_ObjectHandle object;
    gp_size count;
    char read[4];

    TEE_CreatePersistentObject(PRIVATE, "right", 5, TEE_DATA_FLAG_ACCESS_WRITE | TEE_DATA_FLAG_OVERWRITE,
                               TEE_HANDLE_NULL, "abcd", 4, &object);
    TEE_ReadObjectData(object, read, sizeof(read), &count);
}

PANICS(storage_read_into_memory_that_is_not_there)
{
    gp_size count;

    TEE_ReadObjectData(made("wild", "abcd"), (void *)(uintptr_t)8, 4, &count);
}

PANICS(storage_written_to_a_transient_object)
{
    TEE_ObjectHandle key;

    TEE_AllocateTransientObject(TEE_TYPE_AES, 256, &key);
    TEE_WriteObjectData(key, "x", 1);
}

PANICS(storage_seek_from_nowhere)
{
    TEE_SeekObjectData(made("seek", "abcd"), 0, 3);
}

PANICS(storage_deleted_without_the_right)
{
    TEE_ObjectHandle object;

    TEE_CreatePersistentObject(PRIVATE, "del", 3, TEE_DATA_FLAG_ACCESS_WRITE | TEE_DATA_FLAG_OVERWRITE,
                               TEE_HANDLE_NULL, "abcd", 4, &object);
    TEE_CloseAndDeletePersistentObject1(object);
}

PANICS(storage_enumerator_that_is_none)
{
    TEE_ResetPersistentObjectEnumerator((TEE_ObjectEnumHandle)(uintptr_t)4711);
}

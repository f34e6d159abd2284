/* TEE Internal Core API 1.1, sections 5.5 to 5.9: the same functions with sizes of 32 bits. */
#include "api_objects.h"
#include "api_words.h"
#include "runtime.h"

void object_info_to_11(const tee13_ObjectInfo *from, tee11_ObjectInfo *to)
{
    to->objectType = from->objectType;
    to->objectSize = from->objectSize;
    to->maxObjectSize = from->maxObjectSize;
    to->objectUsage = from->objectUsage;
    to->dataSize = (uint32_t)from->dataSize;
    to->dataPosition = (uint32_t)from->dataPosition;
    to->handleFlags = from->handleFlags;
}

TEE_Result tee11_TEE_GetObjectInfo1(TEE_ObjectHandle object, tee11_ObjectInfo *objectInfo)
{
    tee13_ObjectInfo info;
    TEE_Result result;

    NEED_OUT(objectInfo);
    result = TEE_GetObjectInfo1(object, &info);
    if (result == TEE_SUCCESS)
        object_info_to_11(&info, objectInfo);
    return result;
}

void tee11_TEE_GetObjectInfo(TEE_ObjectHandle object, tee11_ObjectInfo *objectInfo)
{
    tee13_ObjectInfo info;

    NEED_OUT(objectInfo);
    TEE_GetObjectInfo(object, &info);
    object_info_to_11(&info, objectInfo);
}

TEE_Result tee11_TEE_GetObjectBufferAttribute(TEE_ObjectHandle object, uint32_t attributeID, void *buffer,
                                              uint32_t *size)
{
    TEE_Result result;
    size_t wide;

    NEED_OUT(size);
    wide = *size;
    result = TEE_GetObjectBufferAttribute(object, attributeID, buffer, &wide);
    *size = (uint32_t)wide;
    return result;
}

TEE_Result tee11_TEE_PopulateTransientObject(TEE_ObjectHandle object, const tee11_Attribute *attrs,
                                             uint32_t attrCount)
{
    tee13_Attribute room[MAX_ATTRIBUTES];

    return TEE_PopulateTransientObject(object, attributes_of_11(attrs, attrCount, room), attrCount);
}

void tee11_TEE_InitRefAttribute(tee11_Attribute *attr, uint32_t attributeID, const void *buffer, uint32_t length)
{
    tee13_Attribute wide;

    NEED_OUT(attr);
    TEE_InitRefAttribute(&wide, attributeID, buffer, length);
    attr->attributeID = attributeID;
    attr->content.ref.buffer = wide.content.ref.buffer;
    attr->content.ref.length = length;
}

void tee11_TEE_InitValueAttribute(tee11_Attribute *attr, uint32_t attributeID, uint32_t a, uint32_t b)
{
    tee13_Attribute wide;

    NEED_OUT(attr);
    TEE_InitValueAttribute(&wide, attributeID, a, b);
    attr->attributeID = attributeID;
    attr->content.value.a = a;
    attr->content.value.b = b;
}

TEE_Result tee11_TEE_GenerateKey(TEE_ObjectHandle object, uint32_t keySize, const tee11_Attribute *params,
                                 uint32_t paramCount)
{
    tee13_Attribute room[MAX_ATTRIBUTES];

    return TEE_GenerateKey(object, keySize, attributes_of_11(params, paramCount, room), paramCount);
}

TEE_Result tee11_TEE_OpenPersistentObject(uint32_t storageID, const void *objectID, uint32_t objectIDLen,
                                          uint32_t flags, TEE_ObjectHandle *object)
{
    return TEE_OpenPersistentObject(storageID, objectID, objectIDLen, flags, object);
}

TEE_Result tee11_TEE_CreatePersistentObject(uint32_t storageID, const void *objectID, uint32_t objectIDLen,
                                            uint32_t flags, TEE_ObjectHandle attributes, const void *initialData,
                                            uint32_t initialDataLen, TEE_ObjectHandle *object)
{
    return TEE_CreatePersistentObject(storageID, objectID, objectIDLen, flags, attributes, initialData,
                                      initialDataLen, object);
}

TEE_Result tee11_TEE_RenamePersistentObject(TEE_ObjectHandle object, const void *newObjectID, uint32_t newObjectIDLen)
{
    return TEE_RenamePersistentObject(object, newObjectID, newObjectIDLen);
}

TEE_Result tee11_TEE_GetNextPersistentObject(TEE_ObjectEnumHandle objectEnumerator, tee11_ObjectInfo *objectInfo,
                                             void *objectID, uint32_t *objectIDLen)
{
    tee13_ObjectInfo info;
    TEE_Result result;
    size_t wide = 0;

    if (objectInfo != NULL)
        NEED_OUT(objectInfo);
    NEED_OUT(objectIDLen);
    result = TEE_GetNextPersistentObject(objectEnumerator, &info, objectID, &wide);
    if (result != TEE_SUCCESS)
        return result;
    if (objectInfo != NULL)
        object_info_to_11(&info, objectInfo);
    *objectIDLen = (uint32_t)wide;
    return TEE_SUCCESS;
}

TEE_Result tee11_TEE_ReadObjectData(TEE_ObjectHandle object, void *buffer, uint32_t size, uint32_t *count)
{
    TEE_Result result;
    size_t wide = 0;

    NEED_OUT(count);
    result = TEE_ReadObjectData(object, buffer, size, &wide);
    *count = (uint32_t)wide;
    return result;
}

TEE_Result tee11_TEE_WriteObjectData(TEE_ObjectHandle object, const void *buffer, uint32_t size)
{
    return TEE_WriteObjectData(object, buffer, size);
}

TEE_Result tee11_TEE_TruncateObjectData(TEE_ObjectHandle object, uint32_t size)
{
    return TEE_TruncateObjectData(object, size);
}

TEE_Result tee11_TEE_SeekObjectData(TEE_ObjectHandle object, int32_t offset, TEE_Whence whence)
{
    return TEE_SeekObjectData(object, offset, whence);
}

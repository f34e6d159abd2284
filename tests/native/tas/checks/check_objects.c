/* Sections 5.5 and 5.6: objects of any kind, and transient ones. */
#include "check.h"

static const uint8_t aes_key[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

/* FIPS 186-4, D.1.2.3: the base point of P-256, which is the public key of the secret 1. */
static const uint8_t base_x[32] = {
    0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6, 0xE5, 0x63, 0xA4, 0x40, 0xF2,
    0x77, 0x03, 0x7D, 0x81, 0x2D, 0xEB, 0x33, 0xA0, 0xF4, 0xA1, 0x39, 0x45, 0xD8, 0x98, 0xC2, 0x96,
};
static const uint8_t base_y[32] = {
    0x4F, 0xE3, 0x42, 0xE2, 0xFE, 0x1A, 0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A, 0x7C, 0x0F, 0x9E, 0x16,
    0x2B, 0xCE, 0x33, 0x57, 0x6B, 0x31, 0x5E, 0xCE, 0xCB, 0xB6, 0x40, 0x68, 0x37, 0xBF, 0x51, 0xF5,
};
static const uint8_t one[1] = { 1 };

static TEE_ObjectHandle allocated(uint32_t type, uint32_t bits)
{
    TEE_ObjectHandle object = TEE_HANDLE_NULL;

    if (TEE_AllocateTransientObject(type, bits, &object) != TEE_SUCCESS)
        return TEE_HANDLE_NULL;
    return object;
}

static TEE_ObjectHandle aes(void)
{
    TEE_ObjectHandle object = allocated(TEE_TYPE_AES, 256);
    TEE_Attribute secret;

    TEE_InitRefAttribute(&secret, TEE_ATTR_SECRET_VALUE, aes_key, sizeof(aes_key));
    return TEE_PopulateTransientObject(object, &secret, 1) == TEE_SUCCESS ? object : TEE_HANDLE_NULL;
}

CHECK(object_info_of_a_transient_object)
{
    TEE_ObjectHandle object = allocated(TEE_TYPE_AES, 256);
    TEE_ObjectInfo info, again;
    TEE_Attribute secret;

    TEE_MemFill(&info, 0xA5, sizeof(info));
    EXPECT_OK(TEE_GetObjectInfo1(object, &info));
    EXPECT(info.objectType == TEE_TYPE_AES && info.objectSize == 0 && info.maxObjectSize == 256);
    EXPECT(info.objectUsage == 0xFFFFFFFF && info.dataSize == 0 && info.dataPosition == 0 && info.handleFlags == 0);
    TEE_InitRefAttribute(&secret, TEE_ATTR_SECRET_VALUE, aes_key, sizeof(aes_key));
    EXPECT_OK(TEE_PopulateTransientObject(object, &secret, 1));
    TEE_GetObjectInfo(object, &again);
    EXPECT(again.keySize == 128 && again.maxKeySize == 256 && again.handleFlags == TEE_HANDLE_FLAG_INITIALIZED);
    TEE_ResetTransientObject(object);
    EXPECT_OK(TEE_GetObjectInfo1(object, &info));
    EXPECT(info.objectSize == 0 && info.handleFlags == 0);
    TEE_FreeTransientObject(object);
}

CHECK(object_attributes_are_read_as_they_were_given)
{
    TEE_ObjectHandle object = allocated(TEE_TYPE_ECDSA_KEYPAIR, 256);
    TEE_Attribute attributes[4];
    uint8_t read[32];
    gp_size size = sizeof(read);
    uint32_t a = 9, b = 9;

    TEE_InitRefAttribute(&attributes[0], TEE_ATTR_ECC_PRIVATE_VALUE, one, sizeof(one));
    TEE_InitRefAttribute(&attributes[1], TEE_ATTR_ECC_PUBLIC_VALUE_X, base_x, sizeof(base_x));
    TEE_InitRefAttribute(&attributes[2], TEE_ATTR_ECC_PUBLIC_VALUE_Y, base_y, sizeof(base_y));
    TEE_InitValueAttribute(&attributes[3], TEE_ATTR_ECC_CURVE, TEE_ECC_CURVE_NIST_P256, 0);
    EXPECT(attributes[3].content.value.a == 3 && attributes[1].content.ref.length == 32);
    EXPECT_OK(TEE_PopulateTransientObject(object, attributes, 4));
    EXPECT_OK(TEE_GetObjectValueAttribute(object, TEE_ATTR_ECC_CURVE, &a, &b));
    EXPECT(a == TEE_ECC_CURVE_NIST_P256 && b == 0);
    EXPECT_OK(TEE_GetObjectValueAttribute(object, TEE_ATTR_ECC_CURVE, NULL, NULL));
    EXPECT_OK(TEE_GetObjectBufferAttribute(object, TEE_ATTR_ECC_PUBLIC_VALUE_X, read, &size));
    EXPECT(size == 32);
    EXPECT_BYTES(read, base_x, 32);
    EXPECT_OK(TEE_GetObjectBufferAttribute(object, TEE_ATTR_ECC_PRIVATE_VALUE, read, &size));
    EXPECT(size == 32 && read[31] == 1 && read[0] == 0);
    TEE_FreeTransientObject(object);
}

CHECK(object_attribute_that_does_not_fit_says_its_size)
{
    TEE_ObjectHandle object = aes();
    uint8_t read[16];
    gp_size size = 15;

    EXPECT_RESULT(TEE_GetObjectBufferAttribute(object, TEE_ATTR_SECRET_VALUE, read, &size), TEE_ERROR_SHORT_BUFFER);
    EXPECT(size == 16);
    size = 99;
    EXPECT_RESULT(TEE_GetObjectBufferAttribute(object, TEE_ATTR_SECRET_VALUE, NULL, &size), TEE_ERROR_SHORT_BUFFER);
    EXPECT(size == 16);
    EXPECT_OK(TEE_GetObjectBufferAttribute(object, TEE_ATTR_SECRET_VALUE, read, &size));
    EXPECT_BYTES(read, aes_key, 16);
    EXPECT_RESULT(TEE_GetObjectBufferAttribute(object, TEE_ATTR_RSA_MODULUS, read, &size), TEE_ERROR_ITEM_NOT_FOUND);
    TEE_FreeTransientObject(object);
}

CHECK(object_values_that_are_wrong_leave_it_empty)
{
    TEE_ObjectHandle object = allocated(TEE_TYPE_AES, 256);
    TEE_Attribute secret;

    TEE_InitRefAttribute(&secret, TEE_ATTR_SECRET_VALUE, aes_key, 15);
    EXPECT_RESULT(TEE_PopulateTransientObject(object, &secret, 1), TEE_ERROR_BAD_PARAMETERS);
    TEE_InitRefAttribute(&secret, TEE_ATTR_SECRET_VALUE, aes_key, 16);
    EXPECT_OK(TEE_PopulateTransientObject(object, &secret, 1));
    TEE_FreeTransientObject(object);
}

CHECK(object_types_and_sizes_that_are_not_here)
{
    TEE_ObjectHandle object = (TEE_ObjectHandle)(uintptr_t)77;

    EXPECT_RESULT(TEE_AllocateTransientObject(TEE_TYPE_SM2_DSA_KEYPAIR, 256, &object), TEE_ERROR_NOT_SUPPORTED);
    EXPECT(object == TEE_HANDLE_NULL);
    EXPECT_RESULT(TEE_AllocateTransientObject(TEE_TYPE_AES, 129, &object), TEE_ERROR_NOT_SUPPORTED);
}

CHECK(object_is_generated_and_copied)
{
    TEE_ObjectHandle pair = allocated(TEE_TYPE_ECDSA_KEYPAIR, 256), public = allocated(TEE_TYPE_ECDSA_PUBLIC_KEY, 521);
    TEE_ObjectHandle twin = allocated(TEE_TYPE_ECDSA_KEYPAIR, 256);
    TEE_ObjectInfo info;
    TEE_Attribute curve;
    uint8_t x[66], x_of_public[66];
    gp_size size = sizeof(x), size_of_public = sizeof(x_of_public);

    TEE_InitValueAttribute(&curve, TEE_ATTR_ECC_CURVE, TEE_ECC_CURVE_NIST_P256, 0);
    EXPECT_OK(TEE_GenerateKey(pair, 256, &curve, 1));
    EXPECT_OK(TEE_RestrictObjectUsage1(pair, TEE_USAGE_SIGN | TEE_USAGE_VERIFY));
    EXPECT_OK(TEE_CopyObjectAttributes1(public, pair));
    TEE_CopyObjectAttributes(twin, pair);
    EXPECT_OK(TEE_GetObjectInfo1(public, &info));
    EXPECT(info.objectUsage == (TEE_USAGE_SIGN | TEE_USAGE_VERIFY) && info.objectSize == 256);
    EXPECT_OK(TEE_GetObjectBufferAttribute(pair, TEE_ATTR_ECC_PUBLIC_VALUE_X, x, &size));
    EXPECT_OK(TEE_GetObjectBufferAttribute(public, TEE_ATTR_ECC_PUBLIC_VALUE_X, x_of_public, &size_of_public));
    EXPECT(size == 32 && size_of_public == 32);
    EXPECT_BYTES(x, x_of_public, 32);
    TEE_RestrictObjectUsage(twin, TEE_USAGE_SIGN);
    EXPECT_OK(TEE_GetObjectInfo1(twin, &info));
    EXPECT(info.objectUsage == TEE_USAGE_SIGN);
    TEE_FreeTransientObject(pair);
    TEE_FreeTransientObject(public);
    TEE_CloseObject(twin);
}

CHECK(object_null_handles_are_left_alone)
{
    TEE_FreeTransientObject(TEE_HANDLE_NULL);
    TEE_ResetTransientObject(TEE_HANDLE_NULL);
    TEE_CloseObject(TEE_HANDLE_NULL);
}

CHECK(object_number_has_an_end)
{
    TEE_ObjectHandle objects[300];
    TEE_Result result = TEE_SUCCESS;
    uint32_t made = 0;

    while (made < 300 && result == TEE_SUCCESS) {
        result = TEE_AllocateTransientObject(TEE_TYPE_AES, 128, &objects[made]);
        if (result == TEE_SUCCESS)
            made++;
    }
    EXPECT_RESULT(result, TEE_ERROR_OUT_OF_MEMORY);
    for (uint32_t i = 0; i < made; i++)
        TEE_FreeTransientObject(objects[i]);
    EXPECT(made == 256);
}

PANICS(object_info_of_a_wrong_handle)
{
    TEE_ObjectInfo info;

    TEE_GetObjectInfo1((TEE_ObjectHandle)(uintptr_t)0x12345678, &info);
}

PANICS(object_info_into_nothing)
{
    TEE_GetObjectInfo1(aes(), NULL);
}

PANICS(object_handle_that_was_closed)
{
    TEE_ObjectHandle object = aes();

    TEE_CloseObject(object);
    TEE_CloseObject(object);
}

PANICS(object_populated_twice)
{
    TEE_ObjectHandle object = aes();
    TEE_Attribute secret;

    TEE_InitRefAttribute(&secret, TEE_ATTR_SECRET_VALUE, aes_key, sizeof(aes_key));
    TEE_PopulateTransientObject(object, &secret, 1);
}

PANICS(object_without_a_mandatory_attribute)
{
    TEE_PopulateTransientObject(allocated(TEE_TYPE_AES, 256), NULL, 0);
}

PANICS(object_attributes_in_memory_that_is_not_there)
{
    TEE_PopulateTransientObject(allocated(TEE_TYPE_AES, 256), (TEE_Attribute *)(uintptr_t)8, 1);
}

PANICS(object_more_attributes_than_any_type_has)
{
    TEE_Attribute attributes[40];

    for (uint32_t i = 0; i < 40; i++)
        TEE_InitValueAttribute(&attributes[i], TEE_ATTR_ECC_CURVE, i, 0);
    TEE_PopulateTransientObject(allocated(TEE_TYPE_AES, 256), attributes, 40);
}

PANICS(object_attribute_whose_bytes_are_not_there)
{
    TEE_Attribute secret;

    TEE_InitRefAttribute(&secret, TEE_ATTR_SECRET_VALUE, (const void *)(uintptr_t)16, 16);
    TEE_PopulateTransientObject(allocated(TEE_TYPE_AES, 256), &secret, 1);
}

PANICS(object_reference_attribute_of_a_value)
{
    TEE_Attribute attribute;

    TEE_InitRefAttribute(&attribute, TEE_ATTR_ECC_CURVE, aes_key, 4);
}

PANICS(object_value_attribute_of_a_reference)
{
    TEE_Attribute attribute;

    TEE_InitValueAttribute(&attribute, TEE_ATTR_SECRET_VALUE, 1, 2);
}

PANICS(object_attribute_that_is_protected)
{
    TEE_ObjectHandle object = aes();
    uint8_t read[16];
    gp_size size = sizeof(read);

    TEE_RestrictObjectUsage1(object, TEE_USAGE_ENCRYPT);
    TEE_GetObjectBufferAttribute(object, TEE_ATTR_SECRET_VALUE, read, &size);
}

PANICS(object_attribute_into_memory_that_is_not_writable)
{
    gp_size size = 16;

    TEE_GetObjectBufferAttribute(aes(), TEE_ATTR_SECRET_VALUE, (void *)(uintptr_t)base_x, &size);
}

PANICS(object_copied_to_another_type)
{
    TEE_CopyObjectAttributes1(allocated(TEE_TYPE_HMAC_SHA256, 256), aes());
}

PANICS(object_generated_larger_than_it_is)
{
    TEE_GenerateKey(allocated(TEE_TYPE_AES, 128), 256, NULL, 0);
}

PANICS(object_freed_that_is_persistent)
{
    TEE_ObjectHandle object;

    TEE_CreatePersistentObject(TEE_STORAGE_PRIVATE, "free", 4, TEE_DATA_FLAG_OVERWRITE | TEE_DATA_FLAG_ACCESS_READ,
                               TEE_HANDLE_NULL, NULL, 0, &object);
    TEE_FreeTransientObject(object);
}

/* Sections 4.4 to 4.7 and 7: properties and times. */
#include "check.h"

CHECK(property_of_the_application)
{
    char text[64];
    gp_size size = sizeof(text);
    TEE_UUID uuid;
    bool single = false;
    uint32_t number = 0;

    EXPECT_OK(TEE_GetPropertyAsUUID(TEE_PROPSET_CURRENT_TA, "gpd.ta.appID", &uuid));
    EXPECT(uuid.timeLow == 0x5d0a2c31 && uuid.timeMid == 0x9b7e && uuid.timeHiAndVersion == 0x4f66);
    EXPECT(uuid.clockSeqAndNode[0] == 0x8f && uuid.clockSeqAndNode[7] == 0x50);
    EXPECT_OK(TEE_GetPropertyAsBool(TEE_PROPSET_CURRENT_TA, "gpd.ta.singleInstance", &single));
    EXPECT(single);
    EXPECT_OK(TEE_GetPropertyAsU32(TEE_PROPSET_CURRENT_TA, "gpd.ta.dataSize", &number));
    EXPECT(number == 1024 * 1024);
    EXPECT_OK(TEE_GetPropertyAsString(TEE_PROPSET_CURRENT_TA, "gpd.ta.appID", text, &size));
    EXPECT(size == 37);
    EXPECT_BYTES(text, "5d0a2c31-9b7e-4f66-8f04-1c7e6b93d250", 37);
    size = 36;
    EXPECT_RESULT(TEE_GetPropertyAsString(TEE_PROPSET_CURRENT_TA, "gpd.ta.appID", text, &size),
                  TEE_ERROR_SHORT_BUFFER);
    EXPECT(size == 37);
    EXPECT_RESULT(TEE_GetPropertyAsU32(TEE_PROPSET_CURRENT_TA, "gpd.ta.appID", &number), TEE_ERROR_BAD_FORMAT);
    EXPECT_RESULT(TEE_GetPropertyAsU32(TEE_PROPSET_CURRENT_TA, "gpd.ta.none", &number), TEE_ERROR_ITEM_NOT_FOUND);
}

CHECK(property_of_the_implementation)
{
    uint32_t number = 0;
    uint64_t large = 0;
    bool ecc = false;
    TEE_UUID device;
    uint8_t block[32];
    gp_size size = sizeof(block);

    EXPECT_OK(TEE_GetPropertyAsU32(TEE_PROPSET_TEE_IMPLEMENTATION, "gpd.tee.internalCore.version", &number));
    EXPECT(number == TEE_CORE_API_VERSION);
    EXPECT_OK(TEE_GetPropertyAsU64(TEE_PROPSET_TEE_IMPLEMENTATION, "gpd.tee.arith.maxBigIntSize", &large));
    EXPECT(large == 4096);
    EXPECT_OK(TEE_GetPropertyAsBool(TEE_PROPSET_TEE_IMPLEMENTATION, "gpd.tee.cryptography.ecc", &ecc));
    EXPECT(ecc);
    EXPECT_OK(TEE_GetPropertyAsUUID(TEE_PROPSET_TEE_IMPLEMENTATION, "gpd.tee.deviceID", &device));
    EXPECT_OK(TEE_GetPropertyAsBinaryBlock(TEE_PROPSET_TEE_IMPLEMENTATION,
                                           "gpd.tee.firmware.implementation.binaryversion", block, &size));
    EXPECT(size > 0);
}

CHECK(property_of_the_client)
{
    TEE_Identity identity;

    TEE_MemFill(&identity, 0xA5, sizeof(identity));
    EXPECT_OK(TEE_GetPropertyAsIdentity(TEE_PROPSET_CURRENT_CLIENT, "gpd.client.identity", &identity));
    EXPECT(identity.login != 0xA5A5A5A5);
}

CHECK(property_enumerator_walks_the_set)
{
    TEE_PropSetHandle enumerator;
    char name[64];
    gp_size size = sizeof(name);
    uint32_t found = 1;

    EXPECT_OK(TEE_AllocatePropertyEnumerator(&enumerator));
    EXPECT_RESULT(TEE_GetPropertyName(enumerator, name, &size), TEE_ERROR_ITEM_NOT_FOUND);
    TEE_StartPropertyEnumerator(enumerator, TEE_PROPSET_CURRENT_TA);
    size = sizeof(name);
    EXPECT_OK(TEE_GetPropertyName(enumerator, name, &size));
    EXPECT(size == sizeof("gpd.ta.appID"));
    EXPECT_BYTES(name, "gpd.ta.appID", sizeof("gpd.ta.appID"));
    while (TEE_GetNextProperty(enumerator) == TEE_SUCCESS)
        found++;
    EXPECT(found >= 8);
    TEE_ResetPropertyEnumerator(enumerator);
    EXPECT_RESULT(TEE_GetNextProperty(enumerator), TEE_ERROR_ITEM_NOT_FOUND);
    TEE_FreePropertyEnumerator(enumerator);
}

CHECK(time_goes_on)
{
    TEE_Time before, after, wall;

    TEE_GetSystemTime(&before);
    EXPECT(before.millis < 1000);
    EXPECT_OK(TEE_Wait(20));
    TEE_GetSystemTime(&after);
    EXPECT((uint64_t)after.seconds * 1000 + after.millis >= (uint64_t)before.seconds * 1000 + before.millis);
    TEE_GetREETime(&wall);
    EXPECT(wall.seconds > 1600000000 && wall.millis < 1000);
}

CHECK(time_that_is_persistent)
{
    TEE_Time set = { 1000, 250 }, got;

    EXPECT_OK(TEE_SetTAPersistentTime(&set));
    EXPECT_OK(TEE_GetTAPersistentTime(&got));
    EXPECT(got.seconds >= 1000 && got.seconds < 1010);
}

CHECK(cancellation_is_masked_at_first)
{
    EXPECT(!TEE_GetCancellationFlag());
    EXPECT(TEE_UnmaskCancellation());
    EXPECT(!TEE_MaskCancellation());
    EXPECT(TEE_MaskCancellation());
}

PANICS(property_of_a_set_that_is_none)
{
    uint32_t number;

    TEE_GetPropertyAsU32((TEE_PropSetHandle)(uintptr_t)1, "gpd.ta.dataSize", &number);
}

PANICS(property_into_nothing)
{
    TEE_GetPropertyAsBool(TEE_PROPSET_CURRENT_TA, "gpd.ta.singleInstance", NULL);
}

PANICS(property_whose_name_is_not_there)
{
    uint32_t number;

    TEE_GetPropertyAsU32(TEE_PROPSET_CURRENT_TA, (const char *)(uintptr_t)8, &number);
}

PANICS(property_enumerator_that_is_none)
{
    TEE_GetNextProperty((TEE_PropSetHandle)(uintptr_t)99);
}

PANICS(time_of_a_thousand_milliseconds)
{
    TEE_Time set = { 1, 1000 };

    TEE_SetTAPersistentTime(&set);
}

PANICS(time_into_nothing)
{
    TEE_GetSystemTime(NULL);
}

#include <idioms_ta.h>

#include <stdio.h>
#include <string.h>

#include <tee_client_api.h>

/* SHA-256 of "abc": FIPS 180-4, example B.1 */
static const unsigned char abc_digest[32] = {
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};

int main(void)
{
    const TEEC_UUID uuid = TA_IDIOMS_UUID;
    TEEC_Context context;
    TEEC_Session session;
    TEEC_Operation operation = {.paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_OUTPUT, 0, 0, 0)};
    unsigned char digest[32] = {0};
    uint32_t origin = 0, lent;

    if (TEEC_InitializeContext(NULL, &context) != TEEC_SUCCESS ||
        TEEC_OpenSession(&context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin) != TEEC_SUCCESS)
        return puts("no session"), 1;
    if (TEEC_InvokeCommand(&session, TA_IDIOMS_CHECK, &operation, &origin) != TEEC_SUCCESS)
        return printf("the checks did not end: origin %u\n", origin), 1;
    if (operation.params[0].value.a != 0)
        return printf("idioms.c:%u does not hold\n", operation.params[0].value.a), 1;
    if (TEEC_InvokeCommand(&session, TA_IDIOMS_LEND, &operation, &origin) != TEEC_SUCCESS)
        return puts("no digest was lent"), 1;
    lent = operation.params[0].value.a;
    operation = (TEEC_Operation){
        .paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_INPUT, TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, 0)};
    operation.params[0].value.a = lent;
    operation.params[1].tmpref.buffer = "abc";
    operation.params[1].tmpref.size = 3;
    operation.params[2].tmpref.buffer = digest;
    operation.params[2].tmpref.size = sizeof(digest);
    if (TEEC_InvokeCommand(&session, TA_IDIOMS_USE, &operation, &origin) != TEEC_SUCCESS)
        return printf("the lent digest was not taken back: origin %u\n", origin), 1;
    if (memcmp(digest, abc_digest, sizeof(digest)) != 0)
        return puts("another digest"), 1;
    TEEC_CloseSession(&session);
    TEEC_FinalizeContext(&context);
    return puts("all of them hold"), 0;
}

/* The table of RFC 4226, appendix D. */
#include "host.h"

#include <hotp_ta.h>

static const uint32_t passwords[] = { 755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489 };

int main(void)
{
    static char key[] = "12345678901234567890";
    TEEC_UUID uuid = TA_HOTP_UUID;
    TEEC_Operation operation = { 0 };
    TEEC_Session session, other;

    open_session(&session, uuid);
    operation.paramTypes = TYPES(TEEC_VALUE_OUTPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE);
    NEED_RESULT(TEEC_InvokeCommand(&session, TA_HOTP_NEXT, &operation, NULL), TEEC_ERROR_BAD_STATE);
    operation.paramTypes = TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE);
    set_buffer(&operation.params[0], key, sizeof key - 1);
    NEED_RESULT(TEEC_InvokeCommand(&session, TA_HOTP_REGISTER, &operation, NULL), TEEC_SUCCESS);
    operation.paramTypes = TYPES(TEEC_VALUE_OUTPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE);
    for (size_t i = 0; i < sizeof passwords / sizeof passwords[0]; i++) {
        NEED_RESULT(TEEC_InvokeCommand(&session, TA_HOTP_NEXT, &operation, NULL), TEEC_SUCCESS);
        NEED(operation.params[0].value.a == passwords[i]);
    }
    /* Another session has an instance of its own: globals as the file has them. */
    NEED_RESULT(TEEC_OpenSession(&context, &other, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL), TEEC_SUCCESS);
    NEED_RESULT(TEEC_InvokeCommand(&other, TA_HOTP_NEXT, &operation, NULL), TEEC_ERROR_BAD_STATE);
    printf("ten passwords agree\n");
    TEEC_CloseSession(&other);
    TEEC_CloseSession(&session);
    TEEC_FinalizeContext(&context);
    return 0;
}

#include "host.h"

#include <dice_ta.h>

int main(void)
{
    TEEC_UUID uuid = TA_DICE_UUID;
    TEEC_Operation operation = { 0 };
    unsigned char first[64] = { 0 };
    unsigned char second[64] = { 0 };
    unsigned seen = 0;
    TEEC_Session session;

    open_session(&session, uuid);
    operation.paramTypes = TYPES(TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE);
    set_buffer(&operation.params[0], first, sizeof first);
    NEED_RESULT(TEEC_InvokeCommand(&session, TA_DICE_BYTES, &operation, NULL), TEEC_SUCCESS);
    set_buffer(&operation.params[0], second, sizeof second);
    NEED_RESULT(TEEC_InvokeCommand(&session, TA_DICE_BYTES, &operation, NULL), TEEC_SUCCESS);
    NEED(memcmp(first, second, sizeof first) != 0);

    operation.paramTypes = TYPES(TEEC_VALUE_INOUT, TEEC_NONE, TEEC_NONE, TEEC_NONE);
    for (int i = 0; i < 100; i++) {
        operation.params[0].value.a = 6;
        NEED_RESULT(TEEC_InvokeCommand(&session, TA_DICE_THROW, &operation, NULL), TEEC_SUCCESS);
        NEED(operation.params[0].value.a >= 1 && operation.params[0].value.a <= 6);
        seen |= 1u << operation.params[0].value.a;
    }
    NEED(seen == 0x7e);
    printf("every side was on top\n");
    TEEC_CloseSession(&session);
    TEEC_FinalizeContext(&context);
    return 0;
}

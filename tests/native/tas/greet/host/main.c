#include "host.h"

#include <greet_ta.h>

int main(void)
{
    TEEC_UUID uuid = TA_GREET_UUID;
    TEEC_Operation operation = { 0 };
    TEEC_Session session;
    uint32_t origin = 0;
    char text[32] = "world";

    open_session(&session, uuid);
    operation.paramTypes = TYPES(TEEC_VALUE_INOUT, TEEC_NONE, TEEC_NONE, TEEC_NONE);
    operation.params[0].value.a = 42;
    NEED_RESULT(TEEC_InvokeCommand(&session, TA_GREET_INCREMENT, &operation, &origin), TEEC_SUCCESS);
    NEED(operation.params[0].value.a == 43);
    NEED_RESULT(TEEC_InvokeCommand(&session, TA_GREET_DECREMENT, &operation, &origin), TEEC_SUCCESS);
    NEED(operation.params[0].value.a == 42);
    NEED_RESULT(TEEC_InvokeCommand(&session, 99, &operation, &origin), TEEC_ERROR_BAD_PARAMETERS);
    NEED(origin == TEEC_ORIGIN_TRUSTED_APP);

    operation.paramTypes = TYPES(TEEC_MEMREF_TEMP_INOUT, TEEC_NONE, TEEC_NONE, TEEC_NONE);
    set_buffer(&operation.params[0], text, 8);
    NEED_RESULT(TEEC_InvokeCommand(&session, TA_GREET_HELLO, &operation, &origin), TEEC_ERROR_SHORT_BUFFER);
    NEED(operation.params[0].tmpref.size == 13 && strcmp(text, "world") == 0);
    set_buffer(&operation.params[0], text, sizeof text);
    NEED_RESULT(TEEC_InvokeCommand(&session, TA_GREET_HELLO, &operation, &origin), TEEC_SUCCESS);
    NEED(operation.params[0].tmpref.size == 13);
    printf("%s\n", text);
    TEEC_CloseSession(&session);
    TEEC_FinalizeContext(&context);
    return 0;
}

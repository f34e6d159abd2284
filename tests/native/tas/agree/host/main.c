/* Two sessions agree on a secret; a signature is taken by its own session, and by no other. */
#include "host.h"

#include <agree_ta.h>

struct point {
    unsigned char x[TA_AGREE_COORDINATE_BYTES];
    unsigned char y[TA_AGREE_COORDINATE_BYTES];
};

static void ask_public(TEEC_Session *session, struct point *point)
{
    TEEC_Operation operation = { 0 };

    operation.paramTypes = TYPES(TEEC_MEMREF_TEMP_OUTPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE, TEEC_NONE);
    set_buffer(&operation.params[0], point->x, sizeof point->x);
    set_buffer(&operation.params[1], point->y, sizeof point->y);
    NEED_RESULT(TEEC_InvokeCommand(session, TA_AGREE_PUBLIC, &operation, NULL), TEEC_SUCCESS);
    NEED(operation.params[0].tmpref.size == sizeof point->x && operation.params[1].tmpref.size == sizeof point->y);
}

static void ask_secret(TEEC_Session *session, struct point *other, unsigned char secret[32])
{
    TEEC_Operation operation = { 0 };

    operation.paramTypes =
        TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE);
    set_buffer(&operation.params[0], other->x, sizeof other->x);
    set_buffer(&operation.params[1], other->y, sizeof other->y);
    set_buffer(&operation.params[2], secret, 32);
    NEED_RESULT(TEEC_InvokeCommand(session, TA_AGREE_SECRET, &operation, NULL), TEEC_SUCCESS);
}

static TEEC_Result verify(TEEC_Session *session, char *text, unsigned char *signature, size_t size)
{
    TEEC_Operation operation = { 0 };

    operation.paramTypes = TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_INPUT, TEEC_NONE, TEEC_NONE);
    set_buffer(&operation.params[0], text, strlen(text));
    set_buffer(&operation.params[1], signature, size);
    return TEEC_InvokeCommand(session, TA_AGREE_VERIFY, &operation, NULL);
}

int main(void)
{
    static char text[] = "a message", changed[] = "a messagf";
    unsigned char secrets[2][32] = { { 0 } }, signature[TA_AGREE_SIGNATURE_BYTES];
    TEEC_UUID uuid = TA_AGREE_UUID;
    TEEC_Operation operation = { 0 };
    TEEC_Session first, second;
    struct point points[2];

    open_session(&first, uuid);
    NEED_RESULT(TEEC_OpenSession(&context, &second, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL), TEEC_SUCCESS);
    ask_public(&first, &points[0]);
    ask_public(&second, &points[1]);
    NEED(memcmp(&points[0], &points[1], sizeof points[0]) != 0);
    ask_secret(&first, &points[1], secrets[0]);
    ask_secret(&second, &points[0], secrets[1]);
    NEED(memcmp(secrets[0], secrets[1], sizeof secrets[0]) == 0);

    operation.paramTypes = TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE, TEEC_NONE);
    set_buffer(&operation.params[0], text, strlen(text));
    set_buffer(&operation.params[1], signature, sizeof signature);
    NEED_RESULT(TEEC_InvokeCommand(&first, TA_AGREE_SIGN, &operation, NULL), TEEC_SUCCESS);
    NEED(operation.params[1].tmpref.size == sizeof signature);
    NEED_RESULT(verify(&first, text, signature, sizeof signature), TEEC_SUCCESS);
    NEED(verify(&first, changed, signature, sizeof signature) != TEEC_SUCCESS);
    NEED(verify(&second, text, signature, sizeof signature) != TEEC_SUCCESS);
    printf("both have the same secret; the signature is the first one's\n");
    TEEC_CloseSession(&second);
    TEEC_CloseSession(&first);
    TEEC_FinalizeContext(&context);
    return 0;
}

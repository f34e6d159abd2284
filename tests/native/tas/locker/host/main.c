/* Two clients, session keys that nobody else sees, keys that stay behind a PIN. */
#include "host.h"

#include <locker_ta.h>

struct answer {
    TEEC_Result result;
    uint32_t first;
    size_t out_bytes;
};

static struct answer ask(TEEC_Session *client, uint32_t command, uint32_t first, uint32_t second, const void *in,
                         size_t in_bytes, void *out, size_t out_bytes)
{
    struct locker_words words = { first, second };
    TEEC_Operation operation = { 0 };
    struct answer answer;

    operation.paramTypes = TYPES(TEEC_MEMREF_TEMP_INOUT, in ? TEEC_MEMREF_TEMP_INPUT : TEEC_NONE,
                                 out ? TEEC_MEMREF_TEMP_OUTPUT : TEEC_NONE, TEEC_NONE);
    set_buffer(&operation.params[0], &words, sizeof words);
    set_buffer(&operation.params[1], (void *)in, in_bytes);
    set_buffer(&operation.params[2], out, out_bytes);
    answer.result = TEEC_InvokeCommand(client, command, &operation, NULL);
    answer.first = words.first;
    answer.out_bytes = operation.params[2].tmpref.size;
    return answer;
}

static struct answer simple(TEEC_Session *client, uint32_t command, uint32_t first, uint32_t second)
{
    return ask(client, command, first, second, NULL, 0, NULL, 0);
}

static uint32_t login(TEEC_Session *client)
{
    struct answer opened = simple(client, LOCKER_OPEN, 1, 0);

    NEED_RESULT(opened.result, TEEC_SUCCESS);
    NEED_RESULT(simple(client, LOCKER_MAKE_KEY, opened.first, 1).result, LOCKER_NOT_LOGGED_IN);
    NEED_RESULT(ask(client, LOCKER_LOGIN, opened.first, 0, "9999", 4, NULL, 0).result, LOCKER_PIN_INCORRECT);
    NEED_RESULT(ask(client, LOCKER_LOGIN, opened.first, 0, "1234", 4, NULL, 0).result, TEEC_SUCCESS);
    return opened.first;
}

static void sign_and_verify(TEEC_Session *client, uint32_t session, uint32_t object)
{
    unsigned char message[LOCKER_MAC_BYTES + 5];
    struct answer signed_;

    memcpy(message + LOCKER_MAC_BYTES, "hello", 5);
    signed_ = ask(client, LOCKER_SIGN, session, object, "hello", 5, message, 1);
    NEED_RESULT(signed_.result, TEEC_ERROR_SHORT_BUFFER);
    NEED(signed_.out_bytes == LOCKER_MAC_BYTES);
    NEED_RESULT(ask(client, LOCKER_SIGN, session, object, "hello", 5, message, LOCKER_MAC_BYTES).result, TEEC_SUCCESS);
    NEED_RESULT(ask(client, LOCKER_VERIFY, session, object, message, sizeof message, NULL, 0).result, TEEC_SUCCESS);
    message[0] ^= 1;
    NEED_RESULT(ask(client, LOCKER_VERIFY, session, object, message, sizeof message, NULL, 0).result,
                LOCKER_SIGNATURE_INVALID);
}

int main(void)
{
    TEEC_UUID uuid = TA_LOCKER_UUID;
    uint32_t numbers[8], session, stays, own;
    TEEC_Session first, second;
    struct answer answer;

    open_session(&first, uuid);
    NEED_RESULT(TEEC_OpenSession(&context, &second, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL), TEEC_SUCCESS);
    NEED_RESULT(ask(&first, LOCKER_INIT_TOKEN, 9, 0, "1234", 4, NULL, 0).result, LOCKER_SLOT_INVALID);
    NEED_RESULT(simple(&first, LOCKER_CLOSE, 77, 0).result, LOCKER_SESSION_INVALID);
    NEED_RESULT(ask(&first, LOCKER_INIT_TOKEN, 1, 0, "1234", 4, NULL, 0).result, TEEC_SUCCESS);

    session = login(&first);
    answer = simple(&first, LOCKER_MAKE_KEY, session, 1);
    NEED_RESULT(answer.result, TEEC_SUCCESS);
    stays = answer.first;
    answer = simple(&first, LOCKER_MAKE_KEY, session, 0);
    NEED_RESULT(answer.result, TEEC_SUCCESS);
    own = answer.first;
    sign_and_verify(&first, session, stays);
    sign_and_verify(&first, session, own);
    NEED_RESULT(simple(&second, LOCKER_DESTROY, session, own).result, LOCKER_SESSION_INVALID);

    session = login(&second);
    NEED_RESULT(simple(&second, LOCKER_DESTROY, session, own).result, LOCKER_OBJECT_INVALID);
    answer = ask(&second, LOCKER_FIND, session, 0, NULL, 0, numbers, sizeof numbers);
    NEED_RESULT(answer.result, TEEC_SUCCESS);
    NEED(answer.first == 1 && answer.out_bytes == 4 && numbers[0] == stays);
    sign_and_verify(&second, session, stays);
    NEED_RESULT(simple(&second, LOCKER_DESTROY, session, stays).result, TEEC_SUCCESS);
    NEED(ask(&second, LOCKER_FIND, session, 0, NULL, 0, numbers, sizeof numbers).first == 0);
    printf("keys are where they belong\n");
    TEEC_CloseSession(&second);
    TEEC_CloseSession(&first);
    TEEC_FinalizeContext(&context);
    return 0;
}

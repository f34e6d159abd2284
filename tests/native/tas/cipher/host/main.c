/* The examples of NIST SP 800-38A, sections F.2.1 (CBC) and F.5.1 (CTR), and a long text there and back in two sessions. */
#include "host.h"

#include <cipher_ta.h>

static unsigned char key[16] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                                 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c };
static unsigned char block[16] = { 0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96,
                                   0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a };
static const unsigned char cbc[16] = { 0x76, 0x49, 0xab, 0xac, 0x81, 0x19, 0xb2, 0x46,
                                       0xce, 0xe9, 0x8e, 0x9b, 0x12, 0xe9, 0x19, 0x7d };
static const unsigned char ctr[16] = { 0x87, 0x4d, 0x61, 0x91, 0xb6, 0x20, 0xe3, 0x26,
                                       0x1b, 0xef, 0x68, 0x64, 0x99, 0x0d, 0xb6, 0xce };

static void prepare(TEEC_Session *session, uint32_t mode, uint32_t encipher, unsigned char vector[16])
{
    TEEC_Operation operation = { 0 };

    operation.paramTypes = TYPES(TEEC_VALUE_INPUT, TEEC_VALUE_INPUT, TEEC_VALUE_INPUT, TEEC_NONE);
    operation.params[0].value.a = mode;
    operation.params[1].value.a = sizeof key;
    operation.params[2].value.a = encipher;
    NEED_RESULT(TEEC_InvokeCommand(session, TA_CIPHER_PREPARE, &operation, NULL), TEEC_SUCCESS);
    operation.paramTypes = TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE);
    set_buffer(&operation.params[0], key, sizeof key);
    NEED_RESULT(TEEC_InvokeCommand(session, TA_CIPHER_KEY, &operation, NULL), TEEC_SUCCESS);
    set_buffer(&operation.params[0], vector, 16);
    NEED_RESULT(TEEC_InvokeCommand(session, TA_CIPHER_VECTOR, &operation, NULL), TEEC_SUCCESS);
}

static void update(TEEC_Session *session, unsigned char *from, unsigned char *to, size_t size)
{
    TEEC_Operation operation = { 0 };

    operation.paramTypes = TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE, TEEC_NONE);
    set_buffer(&operation.params[0], from, size);
    set_buffer(&operation.params[1], to, size);
    NEED_RESULT(TEEC_InvokeCommand(session, TA_CIPHER_UPDATE, &operation, NULL), TEEC_SUCCESS);
    NEED(operation.params[1].tmpref.size == size);
}

int main(void)
{
    static unsigned char text[4096], middle[4096], back[4096];
    TEEC_UUID uuid = TA_CIPHER_UUID;
    unsigned char vector[16], counter[16], out[16];
    TEEC_Session session, other;

    for (unsigned i = 0; i < 16; i++) {
        vector[i] = (unsigned char)i;
        counter[i] = (unsigned char)(0xf0 + i);
    }
    open_session(&session, uuid);
    prepare(&session, TA_CIPHER_CBC, 1, vector);
    update(&session, block, out, sizeof out);
    NEED(memcmp(out, cbc, sizeof out) == 0);
    prepare(&session, TA_CIPHER_CTR, 1, counter);
    update(&session, block, out, sizeof out);
    NEED(memcmp(out, ctr, sizeof out) == 0);

    NEED_RESULT(TEEC_OpenSession(&context, &other, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL), TEEC_SUCCESS);
    prepare(&session, TA_CIPHER_CBC, 1, vector);
    prepare(&other, TA_CIPHER_CBC, 0, vector);
    memset(text, 'x', sizeof text);
    for (size_t at = 0; at < sizeof text; at += 1024) {
        update(&session, text + at, middle + at, 1024);
        update(&other, middle + at, back + at, 1024);
    }
    NEED(memcmp(text, middle, sizeof text) != 0 && memcmp(text, back, sizeof text) == 0);
    printf("the examples agree\n");
    TEEC_CloseSession(&other);
    TEEC_CloseSession(&session);
    TEEC_FinalizeContext(&context);
    return 0;
}

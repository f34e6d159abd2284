/*
 * Sets a PIN and checks it: pin HANDLE_FILE set NEW [OLD], pin HANDLE_FILE verify PIN.
 *
 * Ends with 0 for a right PIN, 3 for a wrong one, 4 if it has to wait, 1 for anything else.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <pin_ta.h>
#include <tee_client_api.h>

#define USER 1000

enum status { RIGHT = 0, FAILED = 1, WRONG = 3, WAIT = 4 };

static size_t load(const char *path, uint8_t handle[PIN_HANDLE_BYTES])
{
    FILE *file = fopen(path, "rb");
    size_t size;

    if (file == NULL) {
        return 0;
    }
    size = fread(handle, 1, PIN_HANDLE_BYTES, file);
    fclose(file);
    return size;
}

static int store(const char *path, const uint8_t handle[PIN_HANDLE_BYTES])
{
    FILE *file = fopen(path, "wb");
    size_t size;

    if (file == NULL) {
        return 0;
    }
    size = fwrite(handle, 1, PIN_HANDLE_BYTES, file);
    return fclose(file) == 0 && size == PIN_HANDLE_BYTES;
}

static int refused(TEEC_Result result, uint32_t wait_ms)
{
    if (result == PIN_WAIT) {
        printf("too many failures: wait %" PRIu32 " ms\n", wait_ms);
        return WAIT;
    }
    if (result == TEEC_ERROR_ACCESS_DENIED) {
        printf("wrong; wait %" PRIu32 " ms before the next try\n", wait_ms);
        return WRONG;
    }
    if (result == TEEC_ERROR_TARGET_DEAD) {
        printf("the application is gone\n");
        return FAILED;
    }
    printf("refused: 0x%08" PRIx32 "\n", result);
    return FAILED;
}

static int set(TEEC_Session *session, const char *path, const char *pin, const char *old_pin)
{
    uint8_t old[PIN_HANDLE_BYTES + PIN_MOST_BYTES];
    uint8_t handle[PIN_HANDLE_BYTES];
    size_t old_bytes = load(path, old);
    size_t old_pin_bytes = strlen(old_pin);
    TEEC_Operation operation = { 0 };
    TEEC_Result result;

    if (old_pin_bytes > PIN_MOST_BYTES) {
        old_pin_bytes = PIN_MOST_BYTES;
    }
    memcpy(old + old_bytes, old_pin, old_pin_bytes);
    operation.paramTypes =
        TEEC_PARAM_TYPES(TEEC_VALUE_INOUT, TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT);
    operation.params[0].value.a = USER;
    operation.params[1].tmpref.buffer = (void *)pin;
    operation.params[1].tmpref.size = strlen(pin);
    operation.params[2].tmpref.buffer = old;
    operation.params[2].tmpref.size = old_bytes + old_pin_bytes;
    operation.params[3].tmpref.buffer = handle;
    operation.params[3].tmpref.size = sizeof handle;
    result = TEEC_InvokeCommand(session, PIN_SET, &operation, NULL);
    if (result != TEEC_SUCCESS) {
        return refused(result, operation.params[0].value.a);
    }
    if (!store(path, handle)) {
        printf("the handle cannot be written to %s\n", path);
        return FAILED;
    }
    printf("the PIN is set\n");
    return RIGHT;
}

static int check(TEEC_Session *session, uint32_t low, uint32_t high, uint8_t token[PIN_TOKEN_BYTES])
{
    TEEC_Operation operation = { 0 };
    TEEC_Result result;

    operation.paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_INPUT, TEEC_MEMREF_TEMP_INPUT, TEEC_NONE, TEEC_NONE);
    operation.params[0].value.a = low;
    operation.params[0].value.b = high;
    operation.params[1].tmpref.buffer = token;
    operation.params[1].tmpref.size = PIN_TOKEN_BYTES;
    result = TEEC_InvokeCommand(session, PIN_CHECK, &operation, NULL);
    if (result != TEEC_SUCCESS) {
        printf("the token is not accepted: 0x%08" PRIx32 "\n", result);
        return FAILED;
    }
    printf("right; the token is accepted\n");
    return RIGHT;
}

static int verify(TEEC_Session *session, const char *path, const char *pin)
{
    uint8_t handle[PIN_HANDLE_BYTES];
    uint8_t token[PIN_TOKEN_BYTES];
    uint32_t low = (uint32_t)time(NULL);
    uint32_t high = 0x50494e;
    TEEC_Operation operation = { 0 };
    TEEC_Result result;

    operation.paramTypes =
        TEEC_PARAM_TYPES(TEEC_VALUE_INOUT, TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT);
    operation.params[0].value.a = low;
    operation.params[0].value.b = high;
    operation.params[1].tmpref.buffer = handle;
    operation.params[1].tmpref.size = load(path, handle);
    operation.params[2].tmpref.buffer = (void *)pin;
    operation.params[2].tmpref.size = strlen(pin);
    operation.params[3].tmpref.buffer = token;
    operation.params[3].tmpref.size = sizeof token;
    result = TEEC_InvokeCommand(session, PIN_VERIFY, &operation, NULL);
    if (result != TEEC_SUCCESS) {
        return refused(result, operation.params[0].value.a);
    }
    return check(session, low, high, token);
}

static int run(TEEC_Session *session, int count, char *words[])
{
    if (count >= 4 && strcmp(words[2], "set") == 0) {
        return set(session, words[1], words[3], count > 4 ? words[4] : "");
    }
    if (count == 4 && strcmp(words[2], "verify") == 0) {
        return verify(session, words[1], words[3]);
    }
    printf("usage: pin HANDLE_FILE set NEW [OLD] | pin HANDLE_FILE verify PIN\n");
    return FAILED;
}

int main(int count, char *words[])
{
    TEEC_UUID uuid = PIN_TA_UUID;
    TEEC_Context context;
    TEEC_Session session;
    TEEC_Result result = TEEC_InitializeContext(NULL, &context);
    int status = FAILED;

    if (result != TEEC_SUCCESS) {
        printf("no TEE: 0x%08" PRIx32 "\n", result);
        return FAILED;
    }
    result = TEEC_OpenSession(&context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL);
    if (result == TEEC_SUCCESS) {
        status = run(&session, count, words);
        TEEC_CloseSession(&session);
    } else {
        printf("no session: 0x%08" PRIx32 "\n", result);
    }
    TEEC_FinalizeContext(&context);
    return status;
}

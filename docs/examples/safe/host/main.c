/*
 * Puts things into the safe and takes them out: safe put NAME TEXT | get NAME | move NAME NEW | drop NAME | list.
 *
 * Ends with 0 if it was done, 3 if there is no such object or the name is taken, 1 for anything else.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <safe_ta.h>
#include <tee_client_api.h>

#define ROOM_BYTES 65536

static uint8_t room[ROOM_BYTES];

enum status { DONE = 0, FAILED = 1, NO = 3 };

static int status_of(TEEC_Result result)
{
    switch (result) {
    case TEEC_SUCCESS:
        return DONE;
    case TEEC_ERROR_ITEM_NOT_FOUND:
        printf("there is no such object\n");
        return NO;
    case TEEC_ERROR_ACCESS_CONFLICT:
        printf("the name is taken\n");
        return NO;
    case TEEC_ERROR_TARGET_DEAD:
        printf("the application is gone\n");
        return FAILED;
    default:
        printf("refused: 0x%08" PRIx32 "\n", result);
        return FAILED;
    }
}

static void set_memref(TEEC_Parameter *parameter, const char *text)
{
    parameter->tmpref.buffer = (void *)text;
    parameter->tmpref.size = strlen(text);
}

static int put(TEEC_Session *session, char *words[])
{
    TEEC_Operation operation = { 0 };
    TEEC_Result result;

    operation.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_INPUT, TEEC_NONE, TEEC_NONE);
    set_memref(&operation.params[0], words[0]);
    set_memref(&operation.params[1], words[1]);
    result = TEEC_InvokeCommand(session, SAFE_REPLACE, &operation, NULL);
    if (result == TEEC_SUCCESS) {
        printf("kept: %s\n", words[0]);
    }
    return status_of(result);
}

static int get(TEEC_Session *session, char *words[])
{
    TEEC_Operation operation = { 0 };
    TEEC_Result result;

    operation.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE, TEEC_NONE);
    set_memref(&operation.params[0], words[0]);
    operation.params[1].tmpref.buffer = room;
    operation.params[1].tmpref.size = sizeof room;
    result = TEEC_InvokeCommand(session, SAFE_READ, &operation, NULL);
    if (result == TEEC_SUCCESS) {
        fwrite(room, 1, operation.params[1].tmpref.size, stdout);
        putchar('\n');
    }
    return status_of(result);
}

static int move(TEEC_Session *session, char *words[])
{
    TEEC_Operation operation = { 0 };

    operation.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_INPUT, TEEC_NONE, TEEC_NONE);
    set_memref(&operation.params[0], words[0]);
    set_memref(&operation.params[1], words[1]);
    return status_of(TEEC_InvokeCommand(session, SAFE_RENAME, &operation, NULL));
}

static int drop(TEEC_Session *session, char *words[])
{
    TEEC_Operation operation = { 0 };

    operation.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE);
    set_memref(&operation.params[0], words[0]);
    return status_of(TEEC_InvokeCommand(session, SAFE_DELETE, &operation, NULL));
}

static int list(TEEC_Session *session, char *words[])
{
    TEEC_Operation operation = { 0 };
    TEEC_Result result;

    (void)words;
    operation.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE);
    operation.params[0].tmpref.buffer = room;
    operation.params[0].tmpref.size = sizeof room;
    result = TEEC_InvokeCommand(session, SAFE_LIST, &operation, NULL);
    if (result == TEEC_SUCCESS) {
        for (size_t at = 0; at + 5 <= operation.params[0].tmpref.size; at += 5 + room[at + 4]) {
            uint32_t size = room[at] | room[at + 1] << 8 | room[at + 2] << 16 | (uint32_t)room[at + 3] << 24;

            printf("%8" PRIu32 "  %.*s\n", size, room[at + 4], (const char *)room + at + 5);
        }
    }
    return status_of(result);
}

static const struct command {
    const char *name;
    int words;
    int (*run)(TEEC_Session *session, char *words[]);
} commands[] = {
    { "put", 2, put }, { "get", 1, get }, { "move", 2, move }, { "drop", 1, drop }, { "list", 0, list },
};

static int run(TEEC_Session *session, int count, char *words[])
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (count == commands[i].words + 2 && strcmp(words[1], commands[i].name) == 0) {
            return commands[i].run(session, words + 2);
        }
    }
    printf("usage: safe put NAME TEXT | get NAME | move NAME NEW | drop NAME | list\n");
    return FAILED;
}

int main(int count, char *words[])
{
    TEEC_UUID uuid = SAFE_TA_UUID;
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

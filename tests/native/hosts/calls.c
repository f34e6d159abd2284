/* Every function of the TEE Client API, and every mistake that its specification names: libteec against an application
 * that says what it saw (tests/native/client/parrot). */
#include "check.h"

#include <errno.h>
#include <grp.h>
#include <unistd.h>

char check_failed[512];
static TEEC_Context context;
static TEEC_Session session;
static uint32_t origin;

#define NOTHING ((TEEC_Operation){0})
#define TYPES(a, b, c, d) TEEC_PARAM_TYPES(TEEC_##a, TEEC_##b, TEEC_##c, TEEC_##d)
#define INVOKE(command, operation) TEEC_InvokeCommand(&session, command, operation, &origin)

/* What the application saw of the first three parameters. */
static const char *seen(TEEC_Operation *operation)
{
    static char text[256];

    memset(text, 0, sizeof(text));
    operation->params[3].tmpref.buffer = text;
    operation->params[3].tmpref.size = sizeof(text) - 1;
    operation->paramTypes |= TEEC_PARAM_TYPES(0, 0, 0, TEEC_MEMREF_TEMP_OUTPUT);
    if (INVOKE(SEE, operation) != TEEC_SUCCESS)
        return "refused";
    return text;
}

CHECK(values_go_both_ways)
{
    TEEC_Operation operation = {.paramTypes = TYPES(VALUE_INOUT, VALUE_INPUT, VALUE_OUTPUT, NONE)};

    operation.params[0].value = (TEEC_Value){0xFFFFFFFF, 7};
    operation.params[1].value = (TEEC_Value){1, 2};
    operation.params[2].value = (TEEC_Value){3, 4};
    EXPECT_FROM(INVOKE(SAY, &operation), TEEC_SUCCESS, TEEC_ORIGIN_TRUSTED_APP);
    EXPECT_IS(operation.params[0].value.a, 0xFFFFFFFF);
    EXPECT_IS(operation.params[0].value.b, 7);
    EXPECT_IS(operation.params[1].value.a, 1);
    EXPECT_IS(operation.params[2].value.a, 0);
}

CHECK(temporary_references_go_in_and_out)
{
    char out[16] = "untouched", both[8] = "in";
    TEEC_Operation operation = {.paramTypes = TYPES(VALUE_INPUT, MEMREF_TEMP_OUTPUT, MEMREF_TEMP_INOUT, NONE)};

    operation.params[0].value.a = 5;
    operation.params[1].tmpref = (TEEC_TempMemoryReference){out, sizeof(out)};
    operation.params[2].tmpref = (TEEC_TempMemoryReference){both, sizeof(both)};
    EXPECT_FROM(INVOKE(FILL, &operation), TEEC_SUCCESS, TEEC_ORIGIN_TRUSTED_APP);
    EXPECT(memcmp(out, "\1\1\1\1\1ched", 9) == 0);
    EXPECT(memcmp(both, "\2\2\2\2\2\0\0\0", 8) == 0);
    EXPECT_IS(operation.params[1].tmpref.size, 5);
    EXPECT_IS(operation.params[2].tmpref.size, 5);
}

CHECK(null_is_not_size_zero)
{
    TEEC_Operation operation = {.paramTypes = TYPES(MEMREF_TEMP_INPUT, MEMREF_TEMP_INPUT, MEMREF_TEMP_OUTPUT, NONE)};

    operation.params[0].tmpref = (TEEC_TempMemoryReference){NULL, 0};
    operation.params[1].tmpref = (TEEC_TempMemoryReference){"x", 0};
    operation.params[2].tmpref = (TEEC_TempMemoryReference){NULL, 0};
    EXPECT(strcmp(seen(&operation), "5:0:1: 5:0:0: 6:0:1:") == 0);
}

CHECK(null_asks_for_the_size)
{
    TEEC_Operation operation = {.paramTypes = TYPES(VALUE_INPUT, MEMREF_TEMP_OUTPUT, NONE, NONE)};

    operation.params[0].value.a = 1000;
    EXPECT_FROM(INVOKE(FILL, &operation), TEEC_ERROR_SHORT_BUFFER, TEEC_ORIGIN_TRUSTED_APP);
    EXPECT_IS(operation.params[1].tmpref.size, 1000);
}

CHECK(a_short_buffer_says_how_much)
{
    char out[4] = "abc";
    TEEC_Operation operation = {.paramTypes = TYPES(VALUE_INPUT, MEMREF_TEMP_OUTPUT, NONE, NONE)};

    operation.params[0].value.a = 0xFFFFFFFF;
    operation.params[1].tmpref = (TEEC_TempMemoryReference){out, sizeof(out)};
    EXPECT_FROM(INVOKE(NEED, &operation), TEEC_ERROR_SHORT_BUFFER, TEEC_ORIGIN_TRUSTED_APP);
    EXPECT_IS(operation.params[1].tmpref.size, 0xFFFFFFFF);
    EXPECT(strcmp(out, "abc") == 0);
}

CHECK(any_result_comes_back_with_its_outputs)
{
    static const uint32_t results[] = {1, 0x7FFFFFFF, 0xC0DE0001, 0xFFFF0000, 0xFFFFFFFF, TEEC_ERROR_CANCEL};

    for (unsigned i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        char out[8] = "";
        TEEC_Operation operation = {.paramTypes = TYPES(VALUE_INPUT, MEMREF_TEMP_OUTPUT, NONE, NONE)};

        operation.params[0].value.a = results[i];
        operation.params[1].tmpref = (TEEC_TempMemoryReference){out, sizeof(out)};
        EXPECT_FROM(INVOKE(REFUSE, &operation), results[i], TEEC_ORIGIN_TRUSTED_APP);
        EXPECT(strcmp(out, "left") == 0);
        EXPECT_IS(operation.params[1].tmpref.size, 4);
    }
}

CHECK(registered_memory_whole_and_in_parts)
{
    char block[64];
    TEEC_SharedMemory memory = {.buffer = block, .size = sizeof(block), .flags = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT};
    TEEC_Operation operation = {
        .paramTypes = TYPES(MEMREF_WHOLE, MEMREF_PARTIAL_INPUT, MEMREF_PARTIAL_INOUT, NONE)};
    TEEC_Operation fills = {.paramTypes = TYPES(VALUE_INPUT, MEMREF_PARTIAL_OUTPUT, MEMREF_PARTIAL_INOUT, NONE)};

    memcpy(block, "0123456789abcdef", 16);
    memset(block + 16, '.', sizeof(block) - 16);
    EXPECT_IS(TEEC_RegisterSharedMemory(&context, &memory), TEEC_SUCCESS);
    operation.params[0].memref = (TEEC_RegisteredMemoryReference){.parent = &memory};
    operation.params[1].memref = (TEEC_RegisteredMemoryReference){.parent = &memory, .size = 3, .offset = 4};
    operation.params[2].memref = (TEEC_RegisteredMemoryReference){.parent = &memory, .size = 0, .offset = 64};
    EXPECT(strcmp(seen(&operation), "7:64:0:30313233 5:3:0:343536 7:0:0:") == 0);
    EXPECT_IS(operation.params[0].memref.size, 64);

    fills.params[0].value.a = 2;
    fills.params[1].memref = (TEEC_RegisteredMemoryReference){.parent = &memory, .size = 4, .offset = 8};
    fills.params[2].memref = (TEEC_RegisteredMemoryReference){.parent = &memory, .size = 2, .offset = 62};
    EXPECT_FROM(INVOKE(FILL, &fills), TEEC_SUCCESS, TEEC_ORIGIN_TRUSTED_APP);
    EXPECT(memcmp(block, "01234567\1\1abcdef", 16) == 0);
    EXPECT(memcmp(block + 60, "..\2\2", 4) == 0);
    EXPECT_IS(fills.params[1].memref.size, 2);
    EXPECT_IS(memory.size, 64);
    TEEC_ReleaseSharedMemory(&memory);
}

CHECK(flags_choose_the_direction_of_whole_memory)
{
    char block[8] = "abcdefg";
    TEEC_SharedMemory in = {.buffer = block, .size = sizeof(block), .flags = TEEC_MEM_INPUT};
    TEEC_SharedMemory out = {.buffer = block, .size = sizeof(block), .flags = TEEC_MEM_OUTPUT};
    TEEC_Operation operation = {.paramTypes = TYPES(MEMREF_WHOLE, MEMREF_WHOLE, NONE, NONE)};
    TEEC_Operation wrong = {.paramTypes = TYPES(MEMREF_PARTIAL_OUTPUT, NONE, NONE, NONE)};

    EXPECT_IS(TEEC_RegisterSharedMemory(&context, &in), TEEC_SUCCESS);
    EXPECT_IS(TEEC_RegisterSharedMemory(&context, &out), TEEC_SUCCESS);
    operation.params[0].memref.parent = &in;
    operation.params[1].memref.parent = &out;
    EXPECT(strcmp(seen(&operation), "5:8:0:61626364 6:8:0: 0:0:0:") == 0);
    wrong.params[0].memref = (TEEC_RegisteredMemoryReference){.parent = &in, .size = 1};
    EXPECT_FROM(INVOKE(SAY, &wrong), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    wrong.paramTypes = TYPES(MEMREF_PARTIAL_INOUT, NONE, NONE, NONE);
    EXPECT_FROM(INVOKE(SAY, &wrong), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    wrong.params[0].memref.parent = &out;
    wrong.paramTypes = TYPES(MEMREF_PARTIAL_INPUT, NONE, NONE, NONE);
    EXPECT_FROM(INVOKE(SAY, &wrong), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    TEEC_ReleaseSharedMemory(&in);
    TEEC_ReleaseSharedMemory(&out);
}

CHECK(allocated_memory)
{
    TEEC_SharedMemory memory = {.size = 32, .flags = TEEC_MEM_OUTPUT}, empty = {.flags = TEEC_MEM_INPUT};
    TEEC_Operation operation = {.paramTypes = TYPES(VALUE_INPUT, MEMREF_WHOLE, NONE, NONE)};

    EXPECT_IS(TEEC_AllocateSharedMemory(&context, &memory), TEEC_SUCCESS);
    EXPECT_IS(TEEC_AllocateSharedMemory(&context, &empty), TEEC_SUCCESS);
    EXPECT(memory.buffer != NULL && empty.buffer != NULL);
    operation.params[0].value.a = 32;
    operation.params[1].memref.parent = &memory;
    EXPECT_FROM(INVOKE(FILL, &operation), TEEC_SUCCESS, TEEC_ORIGIN_TRUSTED_APP);
    EXPECT(((char *)memory.buffer)[31] == 1);
    TEEC_ReleaseSharedMemory(&memory);
    EXPECT(memory.buffer == NULL);
    EXPECT_IS(memory.size, 0);
    TEEC_ReleaseSharedMemory(&memory);
    TEEC_ReleaseSharedMemory(&empty);
    EXPECT_FROM(INVOKE(FILL, &operation), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
}

CHECK(mistakes_with_memory)
{
    char block[8];
    TEEC_SharedMemory good = {.buffer = block, .size = 8, .flags = TEEC_MEM_INPUT}, memory = good;
    TEEC_Context closed = {0};

    EXPECT_IS(TEEC_RegisterSharedMemory(NULL, &memory), TEEC_ERROR_BAD_PARAMETERS);
    EXPECT_IS(TEEC_RegisterSharedMemory(&context, NULL), TEEC_ERROR_BAD_PARAMETERS);
    EXPECT_IS(TEEC_RegisterSharedMemory(&closed, &memory), TEEC_ERROR_BAD_PARAMETERS);
    EXPECT_IS(TEEC_AllocateSharedMemory(NULL, &memory), TEEC_ERROR_BAD_PARAMETERS);
    EXPECT_IS(TEEC_AllocateSharedMemory(&context, NULL), TEEC_ERROR_BAD_PARAMETERS);
    EXPECT_IS(TEEC_AllocateSharedMemory(&closed, &memory), TEEC_ERROR_BAD_PARAMETERS);
    memory = good;
    memory.buffer = NULL;
    EXPECT_IS(TEEC_RegisterSharedMemory(&context, &memory), TEEC_ERROR_BAD_PARAMETERS);
    for (unsigned i = 0; i < 3; i++) {
        memory = good;
        memory.flags = (const uint32_t[]){0, 4, 0x80000001}[i];
        EXPECT_IS(TEEC_RegisterSharedMemory(&context, &memory), TEEC_ERROR_BAD_PARAMETERS);
        EXPECT_IS(TEEC_AllocateSharedMemory(&context, &memory), TEEC_ERROR_BAD_PARAMETERS);
    }
    memory = (TEEC_SharedMemory){.size = TEEC_CONFIG_SHAREDMEM_MAX_SIZE + 1, .flags = TEEC_MEM_INPUT};
    EXPECT_IS(TEEC_AllocateSharedMemory(&context, &memory), TEEC_ERROR_OUT_OF_MEMORY);
    EXPECT(memory.buffer == NULL);
    memory.size = SIZE_MAX;
    EXPECT_IS(TEEC_AllocateSharedMemory(&context, &memory), TEEC_ERROR_OUT_OF_MEMORY);
    TEEC_ReleaseSharedMemory(NULL);
    memory.imp.id = UINT64_MAX;
    TEEC_ReleaseSharedMemory(&memory);
}

CHECK(mistakes_with_references)
{
    char block[16];
    TEEC_SharedMemory memory = {.buffer = block, .size = sizeof(block), .flags = TEEC_MEM_INPUT};
    TEEC_Operation operation = {.paramTypes = TYPES(MEMREF_PARTIAL_INPUT, NONE, NONE, NONE)};
    static const struct { size_t size, offset; } beyond[] = {{17, 0}, {0, 17}, {16, 1}, {SIZE_MAX, 2}, {2, SIZE_MAX}};

    EXPECT_IS(TEEC_RegisterSharedMemory(&context, &memory), TEEC_SUCCESS);
    for (unsigned i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
        operation.params[0].memref = (TEEC_RegisteredMemoryReference){&memory, beyond[i].size, beyond[i].offset};
        EXPECT_FROM(INVOKE(SAY, &operation), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    }
    memory.size = 1000; /* what was registered counts */
    operation.params[0].memref = (TEEC_RegisteredMemoryReference){&memory, 17, 0};
    EXPECT_FROM(INVOKE(SAY, &operation), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    operation.params[0].memref.parent = NULL;
    EXPECT_FROM(INVOKE(SAY, &operation), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    operation.paramTypes = TYPES(MEMREF_WHOLE, NONE, NONE, NONE);
    EXPECT_FROM(INVOKE(SAY, &operation), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    TEEC_ReleaseSharedMemory(&memory);
    operation.params[0].memref.parent = &memory;
    EXPECT_FROM(INVOKE(SAY, &operation), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    operation.paramTypes = TYPES(MEMREF_TEMP_INPUT, NONE, NONE, NONE);
    operation.params[0].tmpref = (TEEC_TempMemoryReference){NULL, 1};
    EXPECT_FROM(INVOKE(SAY, &operation), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    static const uint32_t unknown[] = {4, 8, 9, 10, 11, 0x80, 0x4000, 0x10000, 0x80000000};
    for (unsigned i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        operation = (TEEC_Operation){.paramTypes = unknown[i]};
        EXPECT_FROM(INVOKE(SAY, &operation), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    }
}

CHECK(memory_of_another_context)
{
    char block[8];
    TEEC_Context other;
    TEEC_SharedMemory memory = {.buffer = block, .size = 8, .flags = TEEC_MEM_INPUT};
    TEEC_Operation operation = {.paramTypes = TYPES(MEMREF_WHOLE, NONE, NONE, NONE)};

    EXPECT_IS(TEEC_InitializeContext(NULL, &other), TEEC_SUCCESS);
    EXPECT_IS(TEEC_RegisterSharedMemory(&other, &memory), TEEC_SUCCESS);
    operation.params[0].memref.parent = &memory;
    EXPECT_FROM(INVOKE(SAY, &operation), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    TEEC_ReleaseSharedMemory(&memory);
    TEEC_FinalizeContext(&other);
}

CHECK(the_largest_reference_and_one_byte_more)
{
    size_t most = TEEC_CONFIG_SHAREDMEM_MAX_SIZE;
    char *block = calloc(1, most + 1);
    TEEC_Operation operation = {.paramTypes = TYPES(VALUE_INPUT, MEMREF_TEMP_INOUT, NONE, NONE)};
    TEEC_Operation three = {.paramTypes = TYPES(MEMREF_TEMP_INPUT, MEMREF_TEMP_INPUT, MEMREF_TEMP_INPUT, NONE)};

    EXPECT(block != NULL);
    operation.params[0].value.a = (uint32_t)most;
    operation.params[1].tmpref = (TEEC_TempMemoryReference){block, most};
    EXPECT_FROM(INVOKE(FILL, &operation), TEEC_SUCCESS, TEEC_ORIGIN_TRUSTED_APP);
    EXPECT(block[0] == 1 && block[most - 1] == 1 && block[most] == 0);
    operation.params[1].tmpref = (TEEC_TempMemoryReference){block, most + 1};
    EXPECT_FROM(INVOKE(FILL, &operation), TEEC_ERROR_OUT_OF_MEMORY, TEEC_ORIGIN_API);
    for (unsigned i = 0; i < 3; i++)
        three.params[i].tmpref = (TEEC_TempMemoryReference){block, 400 << 10};
    EXPECT_FROM(INVOKE(SAY, &three), TEEC_ERROR_OUT_OF_MEMORY, TEEC_ORIGIN_API);
    free(block);
}

CHECK(mistakes_with_contexts_and_sessions)
{
    TEEC_Context other = {.imp = {12345}};
    TEEC_Session none = {.imp = {0}}, garbage = {.imp = {UINT64_MAX}}, open;
    TEEC_Operation operation = NOTHING;

    EXPECT_IS(TEEC_InitializeContext(NULL, NULL), TEEC_ERROR_BAD_PARAMETERS);
    EXPECT_IS(TEEC_InitializeContext("another-tee", &other), TEEC_ERROR_ITEM_NOT_FOUND);
    EXPECT_FROM(TEEC_OpenSession(&other, &open, &PARROT, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin),
                TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    EXPECT_FROM(TEEC_OpenSession(NULL, &open, &PARROT, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin),
                TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    EXPECT_FROM(TEEC_OpenSession(&context, NULL, &PARROT, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin),
                TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    EXPECT_FROM(TEEC_OpenSession(&context, &open, NULL, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin),
                TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    EXPECT_FROM(TEEC_InvokeCommand(NULL, SAY, &operation, &origin), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    EXPECT_FROM(TEEC_InvokeCommand(&none, SAY, &operation, &origin), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    EXPECT_FROM(TEEC_InvokeCommand(&garbage, SAY, NULL, &origin), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    EXPECT_IS(TEEC_InvokeCommand(&garbage, SAY, NULL, NULL), TEEC_ERROR_BAD_PARAMETERS);
    TEEC_CloseSession(NULL);
    TEEC_CloseSession(&garbage);
    TEEC_FinalizeContext(NULL);
    TEEC_FinalizeContext(&other);
    TEEC_RequestCancellation(NULL);
}

CHECK(a_session_ends_once_and_with_its_context)
{
    TEEC_Context other;
    TEEC_Session first, copy;

    EXPECT_IS(TEEC_InitializeContext("tee-sim", &other), TEEC_SUCCESS);
    EXPECT_FROM(TEEC_OpenSession(&other, &first, &PARROT, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin), TEEC_SUCCESS,
                TEEC_ORIGIN_TRUSTED_APP);
    copy = first;
    TEEC_CloseSession(&first);
    TEEC_CloseSession(&first);
    TEEC_CloseSession(&copy);
    EXPECT_FROM(TEEC_InvokeCommand(&copy, SAY, NULL, &origin), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
    EXPECT_FROM(TEEC_OpenSession(&other, &first, &PARROT, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin), TEEC_SUCCESS,
                TEEC_ORIGIN_TRUSTED_APP);
    TEEC_FinalizeContext(&other);
    TEEC_FinalizeContext(&other);
    EXPECT_FROM(TEEC_InvokeCommand(&first, SAY, NULL, &origin), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
}

CHECK(many_sessions_and_contexts_come_and_go)
{
    for (unsigned i = 0; i < 40; i++) {
        TEEC_Context other;
        TEEC_Session left_open, closed;

        EXPECT_IS(TEEC_InitializeContext(NULL, &other), TEEC_SUCCESS);
        EXPECT_IS(TEEC_OpenSession(&other, &left_open, &PARROT, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL), TEEC_SUCCESS);
        EXPECT_IS(TEEC_OpenSession(&other, &closed, &PARROT, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL), TEEC_SUCCESS);
        TEEC_CloseSession(&closed);
        TEEC_FinalizeContext(&other);
    }
}

CHECK(nobody_and_refusals_of_a_session)
{
    TEEC_Session none;
    TEEC_Operation operation = {.paramTypes = TYPES(VALUE_INPUT, NONE, NONE, NONE)};

    EXPECT_FROM(TEEC_OpenSession(&context, &none, &NOBODY, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin),
                TEEC_ERROR_ITEM_NOT_FOUND, TEEC_ORIGIN_TEE);
    operation.params[0].value.a = 0xABCD;
    EXPECT_FROM(TEEC_OpenSession(&context, &none, &PARROT, TEEC_LOGIN_PUBLIC, NULL, &operation, &origin), 0xABCD,
                TEEC_ORIGIN_TRUSTED_APP);
    EXPECT_FROM(TEEC_InvokeCommand(&none, SAY, NULL, &origin), TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_API);
}

/* The identity that the application sees, "login:uuid". */
static const char *identity(uint32_t method, const void *data)
{
    static char text[64];
    TEEC_Session opened;
    TEEC_Operation operation = {.paramTypes = TYPES(MEMREF_TEMP_OUTPUT, NONE, NONE, NONE)};
    TEEC_Result result;

    memset(text, 0, sizeof(text));
    operation.params[0].tmpref = (TEEC_TempMemoryReference){text, sizeof(text) - 1};
    origin = 0;
    result = TEEC_OpenSession(&context, &opened, &PARROT, method, data, &operation, &origin);
    if (result == TEEC_SUCCESS)
        TEEC_CloseSession(&opened);
    else
        snprintf(text, sizeof(text), "%x of %u", result, origin);
    return text;
}

CHECK(connection_methods)
{
    uint32_t mine = getegid(), anothers = 4000000000u;

    EXPECT(strcmp(identity(TEEC_LOGIN_PUBLIC, NULL), "0:00000000-0000-0000-0000-000000000000") == 0);
    printf("identity USER %s\n", identity(TEEC_LOGIN_USER, NULL));
    printf("identity GROUP %s\n", identity(TEEC_LOGIN_GROUP, &mine));
    printf("identity APPLICATION %s\n", identity(TEEC_LOGIN_APPLICATION, NULL));
    printf("identity USER_APPLICATION %s\n", identity(TEEC_LOGIN_USER_APPLICATION, NULL));
    printf("identity GROUP_APPLICATION %s\n", identity(TEEC_LOGIN_GROUP_APPLICATION, &mine));
    EXPECT(strcmp(identity(TEEC_LOGIN_GROUP, &anothers), "ffff0001 of 1") == 0);
    EXPECT(strcmp(identity(TEEC_LOGIN_GROUP, NULL), "ffff0006 of 1") == 0);
    EXPECT(strcmp(identity(TEEC_LOGIN_PUBLIC, &mine), "ffff0006 of 1") == 0);
    EXPECT(strcmp(identity(TEEC_LOGIN_APPLICATION, &mine), "ffff0006 of 1") == 0);
    EXPECT(strcmp(identity(3, NULL), "ffff0006 of 1") == 0);
    EXPECT(strcmp(identity(0x80000000, NULL), "ffff0006 of 1") == 0);
}

CHECK(a_panic_ends_the_session_and_no_other_application)
{
    TEEC_Session other;

    EXPECT_FROM(INVOKE(PANIC, NULL), TEEC_ERROR_TARGET_DEAD, TEEC_ORIGIN_TEE);
    EXPECT_FROM(INVOKE(SAY, NULL), TEEC_ERROR_TARGET_DEAD, TEEC_ORIGIN_TEE);
    EXPECT_FROM(TEEC_OpenSession(&context, &other, &PARROT, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin), TEEC_SUCCESS,
                TEEC_ORIGIN_TRUSTED_APP);
    TEEC_CloseSession(&session);
    session = other;
    EXPECT_FROM(INVOKE(SAY, NULL), TEEC_SUCCESS, TEEC_ORIGIN_TRUSTED_APP);
}

CHECK(an_operation_that_was_used_is_not_cancelled)
{
    TEEC_Operation operation = {.paramTypes = TYPES(VALUE_INPUT, VALUE_OUTPUT, NONE, NONE)};

    EXPECT_FROM(INVOKE(LOOK, &operation), TEEC_SUCCESS, TEEC_ORIGIN_TRUSTED_APP);
    TEEC_RequestCancellation(&operation);
    EXPECT_FROM(INVOKE(LOOK, &operation), TEEC_SUCCESS, TEEC_ORIGIN_TRUSTED_APP);
    EXPECT_IS(operation.params[1].value.b, 0);
    operation.started = 0;
    TEEC_RequestCancellation(&operation);
    EXPECT_FROM(INVOKE(LOOK, &operation), TEEC_ERROR_CANCEL, TEEC_ORIGIN_API);
    EXPECT_FROM(INVOKE(LOOK, &operation), TEEC_SUCCESS, TEEC_ORIGIN_TRUSTED_APP);
}

int main(void)
{
    TEEC_Result result = TEEC_InitializeContext(NULL, &context);

    if (result == TEEC_SUCCESS)
        result = TEEC_OpenSession(&context, &session, &PARROT, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin);
    if (result != TEEC_SUCCESS) {
        printf("no session: %x of %u\n", result, origin);
        return 2;
    }
    RUN(values_go_both_ways);
    RUN(temporary_references_go_in_and_out);
    RUN(null_is_not_size_zero);
    RUN(null_asks_for_the_size);
    RUN(a_short_buffer_says_how_much);
    RUN(any_result_comes_back_with_its_outputs);
    RUN(registered_memory_whole_and_in_parts);
    RUN(flags_choose_the_direction_of_whole_memory);
    RUN(allocated_memory);
    RUN(mistakes_with_memory);
    RUN(mistakes_with_references);
    RUN(memory_of_another_context);
    RUN(the_largest_reference_and_one_byte_more);
    RUN(mistakes_with_contexts_and_sessions);
    RUN(a_session_ends_once_and_with_its_context);
    RUN(many_sessions_and_contexts_come_and_go);
    RUN(nobody_and_refusals_of_a_session);
    RUN(connection_methods);
    RUN(an_operation_that_was_used_is_not_cancelled);
    RUN(a_panic_ends_the_session_and_no_other_application);
    TEEC_CloseSession(&session);
    TEEC_FinalizeContext(&context);
    return 0;
}

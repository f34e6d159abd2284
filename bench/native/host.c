/* Times calls of an application, in turn with a floor: two round trips over bare pipes, with the messages of such a call.
 *
 *     host ROUNDS PYTHON FLOOR.py FLOOR-END
 *
 * prints a line for each measure, its name and the nanoseconds of each round. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <tee_client_api.h>

#include "cbor.h"
#include "frame.h"
#include "timed.h"

enum { UP_CALLS = 20, DIGEST_BYTES = 64 << 10, OBJECT_BYTES = 256, SMALL_BYTES = 32 };

static const TEEC_UUID TIMED = {0x4b1e77a2, 0x6c0d, 0x4c8a, {0x9d, 0x2f, 0x52, 0xf0, 0xa3, 0xb1, 0xc9, 0xd8}};
static TEEC_Session session;
static uint8_t data[DIGEST_BYTES], floor_frame[4096];
static int floor_read = -1, floor_write = -1;

static _Noreturn void fail(const char *what, uint32_t result)
{
    fprintf(stderr, "%s: 0x%08x\n", what, result);
    exit(1);
}

static void invoke(uint32_t command, TEEC_Operation *operation, const char *what)
{
    TEEC_Result result = TEEC_InvokeCommand(&session, command, operation, NULL);

    if (result != TEEC_SUCCESS)
        fail(what, result);
}

static void echo(void)
{
    TEEC_Operation operation = {
        .paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_INOUT, TEEC_MEMREF_TEMP_INOUT, TEEC_NONE, TEEC_NONE)};

    operation.params[1].tmpref = (TEEC_TempMemoryReference){data, SMALL_BYTES};
    invoke(TIMED_ECHO, &operation, "echo");
}

static void up(uint32_t calls)
{
    TEEC_Operation operation = {.paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_INPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE)};

    operation.params[0].value.a = calls;
    invoke(TIMED_UP, &operation, "up");
}

static void up_many(void)
{
    up(UP_CALLS);
}

static void up_none(void)
{
    up(0);
}

static void with_memory(uint32_t command, size_t size, const char *what)
{
    uint8_t out[32];
    TEEC_Operation operation = {
        .paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE, TEEC_NONE)};

    operation.params[0].tmpref = (TEEC_TempMemoryReference){data, size};
    operation.params[1].tmpref = (TEEC_TempMemoryReference){out, sizeof(out)};
    invoke(command, &operation, what);
}

static void digest(void)
{
    with_memory(TIMED_DIGEST, DIGEST_BYTES, "digest");
}

static void same_memory(void)
{
    with_memory(TIMED_NONE, DIGEST_BYTES, "memory");
}

static void write_object(void)
{
    with_memory(TIMED_WRITE, OBJECT_BYTES, "write");
}

static void put_param(struct cbor_out *out, unsigned kind, const uint8_t *bytes, size_t size)
{
    cbor_put_array(out, 6);
    cbor_put_u64(out, kind);
    cbor_put_u64(out, 0);
    cbor_put_u64(out, 0);
    cbor_put_bytes(out, bytes, size);
    cbor_put_u64(out, size);
    cbor_put_bool(out, false);
}

/* The request of `echo` as libteec writes it, and an answer read as it reads it. */
static void floor_call(void)
{
    struct cbor_out out = {.data = floor_frame + FRAME_HEAD_BYTES, .room = sizeof(floor_frame) - FRAME_HEAD_BYTES};
    struct cbor_in in = {.data = floor_frame};

    cbor_put_array(&out, 5);
    cbor_put_u64(&out, 7);
    cbor_put_u64(&out, 1);
    cbor_put_u64(&out, TIMED_ECHO);
    cbor_put_array(&out, 4);
    put_param(&out, 3, NULL, 0);
    put_param(&out, 7, data, SMALL_BYTES);
    put_param(&out, 0, NULL, 0);
    put_param(&out, 0, NULL, 0);
    cbor_put_bool(&out, true);
    if (out.failed || !frame_write(floor_write, floor_frame, out.size) ||
        frame_read(floor_read, floor_frame, sizeof(floor_frame), &in.size) != FRAME_READ ||
        !cbor_is_canonical(floor_frame, in.size))
        fail("floor", 0);
}

static void start_floor(char **words)
{
    int down[2], back[2];

    if (pipe(down) < 0 || pipe(back) < 0)
        fail("pipe", 0);
    if (fork() == 0) {
        dup2(down[0], 0);
        dup2(back[1], 1);
        close(down[1]);
        close(back[0]);
        execv(words[0], words);
        _exit(127);
    }
    close(down[0]);
    close(back[1]);
    floor_write = down[1];
    floor_read = back[0];
}

static const struct measure {
    const char *name;
    void (*call)(void);
} measures[] = {
    {"invoke", echo}, {"floor", floor_call}, {"up_many", up_many}, {"up_none", up_none},
    {"digest", digest}, {"memory", same_memory}, {"write", write_object},
};

enum { MEASURES = sizeof(measures) / sizeof(measures[0]), WARM_UP = 20, EACH = 10 };

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 2 ? (unsigned)atoi(argv[1]) : 0;
    uint64_t *took[MEASURES];
    TEEC_Context context;
    TEEC_Result result;

    if (rounds == 0)
        fail("host ROUNDS PYTHON FLOOR.py FLOOR-END", 0);
    start_floor(argv + 2);
    result = TEEC_InitializeContext(NULL, &context);
    if (result == TEEC_SUCCESS)
        result = TEEC_OpenSession(&context, &session, &TIMED, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL);
    if (result != TEEC_SUCCESS)
        fail("session", result);
    for (unsigned m = 0; m < MEASURES; m++) {
        took[m] = calloc((size_t)rounds * EACH, sizeof(*took[m]));
        for (unsigned i = 0; i < WARM_UP; i++)
            measures[m].call();
    }
    for (unsigned round = 0; round < rounds; round++)
        for (unsigned m = 0; m < MEASURES; m++)
            for (unsigned i = 0; i < EACH; i++) {
                uint64_t began = now_ns();

                measures[m].call();
                took[m][round * EACH + i] = now_ns() - began;
            }
    for (unsigned m = 0; m < MEASURES; m++) {
        printf("%s", measures[m].name);
        for (unsigned i = 0; i < rounds * EACH; i++)
            printf(" %" PRIu64, took[m][i]);
        printf("\n");
    }
    TEEC_CloseSession(&session);
    TEEC_FinalizeContext(&context);
    return 0;
}

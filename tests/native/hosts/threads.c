/* Several threads, cancellation, forks: libteec where more than one asks at once. */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

char check_failed[512];
static TEEC_Context context;
static TEEC_Session session;
static uint32_t origin;

enum { THREADS = 4, CALLS = 50 };

#define TYPES(a, b, c, d) TEEC_PARAM_TYPES(TEEC_##a, TEEC_##b, TEEC_##c, TEEC_##d)

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Whether a session of one's own says again what is said, each time. */
static void *ask_often(void *given)
{
    uint32_t name = *(uint32_t *)given;
    TEEC_Session own;
    TEEC_Context mine;
    bool right = TEEC_InitializeContext(NULL, &mine) == TEEC_SUCCESS &&
                 TEEC_OpenSession(&mine, &own, &PARROT, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL) == TEEC_SUCCESS;

    for (uint32_t i = 0; right && i < CALLS; i++) {
        uint8_t data[600];
        TEEC_Operation operation = {.paramTypes = TYPES(VALUE_INOUT, MEMREF_TEMP_INOUT, NONE, NONE)};

        memset(data, (int)(name + i), sizeof(data));
        operation.params[0].value = (TEEC_Value){name, i};
        operation.params[1].tmpref = (TEEC_TempMemoryReference){data, sizeof(data)};
        right = TEEC_InvokeCommand(&own, SAY, &operation, NULL) == TEEC_SUCCESS &&
                operation.params[0].value.a == name && operation.params[0].value.b == i &&
                data[0] == (uint8_t)(name + i) && data[599] == (uint8_t)(name + i);
    }
    if (right) {
        TEEC_CloseSession(&own);
        TEEC_FinalizeContext(&mine);
    }
    return right ? given : NULL;
}

CHECK(threads_are_answered_each_its_own)
{
    pthread_t threads[THREADS];
    uint32_t names[THREADS];

    for (uint32_t i = 0; i < THREADS; i++) {
        names[i] = 100 * i;
        EXPECT_IS(pthread_create(&threads[i], NULL, ask_often, &names[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *right = NULL;

        pthread_join(threads[i], &right);
        EXPECT(right != NULL);
    }
}

struct waiting {
    TEEC_Operation operation;
    TEEC_Result result;
    uint32_t origin;
    double took_s;
};

static void *wait_long(void *given)
{
    struct waiting *waiting = given;
    double began_s = now_s();

    waiting->operation.paramTypes = TYPES(VALUE_INPUT, NONE, NONE, NONE);
    waiting->operation.params[0].value.a = 20000;
    waiting->result = TEEC_InvokeCommand(&session, WAIT, &waiting->operation, &waiting->origin);
    waiting->took_s = now_s() - began_s;
    return NULL;
}

CHECK(a_wait_ends_when_another_thread_cancels)
{
    struct waiting waiting = {0};
    pthread_t thread;

    EXPECT_IS(pthread_create(&thread, NULL, wait_long, &waiting), 0);
    sleep_ms(150);
    TEEC_RequestCancellation(&waiting.operation);
    TEEC_RequestCancellation(&waiting.operation);
    pthread_join(thread, NULL);
    EXPECT_IS(waiting.result, TEEC_ERROR_CANCEL);
    EXPECT_IS(waiting.origin, TEEC_ORIGIN_TRUSTED_APP);
    EXPECT(waiting.took_s < 10);
}

CHECK(what_still_waits_for_its_turn_is_cancelled_without_being_sent)
{
    struct waiting first = {0}, second = {0};
    pthread_t threads[2];
    TEEC_Operation counts = {.paramTypes = TYPES(VALUE_OUTPUT, NONE, NONE, NONE)};
    uint32_t before;

    EXPECT_IS(TEEC_InvokeCommand(&session, COUNT, &counts, NULL), TEEC_SUCCESS);
    before = counts.params[0].value.b;
    EXPECT_IS(pthread_create(&threads[0], NULL, wait_long, &first), 0);
    sleep_ms(100);
    EXPECT_IS(pthread_create(&threads[1], NULL, wait_long, &second), 0);
    sleep_ms(100);
    TEEC_RequestCancellation(&second.operation);
    pthread_join(threads[1], NULL);
    EXPECT_IS(second.result, TEEC_ERROR_CANCEL);
    EXPECT_IS(second.origin, TEEC_ORIGIN_API);
    TEEC_RequestCancellation(&first.operation);
    pthread_join(threads[0], NULL);
    EXPECT_IS(first.result, TEEC_ERROR_CANCEL);
    EXPECT_IS(first.origin, TEEC_ORIGIN_TRUSTED_APP);
    EXPECT_IS(TEEC_InvokeCommand(&session, COUNT, &counts, NULL), TEEC_SUCCESS);
    EXPECT_IS(counts.params[0].value.b, before + 2);
}

static void *wait_in_memory(void *given)
{
    TEEC_SharedMemory *memory = given;
    TEEC_Operation operation = {.paramTypes = TYPES(VALUE_INPUT, MEMREF_WHOLE, NONE, NONE)};

    operation.params[0].value.a = 300;
    operation.params[1].memref.parent = memory;
    TEEC_InvokeCommand(&session, WAIT, &operation, NULL);
    return NULL;
}

/* An error of the caller; what is copied out at the end must still have a place (valgrind, ASan). */
CHECK(memory_that_is_released_while_it_is_used)
{
    TEEC_SharedMemory memory = {.size = 64, .flags = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT};
    pthread_t thread;

    EXPECT_IS(TEEC_AllocateSharedMemory(&context, &memory), TEEC_SUCCESS);
    EXPECT_IS(pthread_create(&thread, NULL, wait_in_memory, &memory), 0);
    sleep_ms(100);
    TEEC_ReleaseSharedMemory(&memory);
    EXPECT(memory.buffer == NULL);
    pthread_join(thread, NULL);
}

static uint32_t say(uint32_t what)
{
    TEEC_Operation operation = {.paramTypes = TYPES(VALUE_INOUT, NONE, NONE, NONE)};

    operation.params[0].value.a = what;
    return TEEC_InvokeCommand(&session, SAY, &operation, NULL) == TEEC_SUCCESS ? operation.params[0].value.a : ~what;
}

/* A child goes on with what its parent has opened, both at once. */
CHECK(a_fork_and_its_parent_take_turns)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        for (uint32_t i = 0; i < CALLS; i++)
            if (say(1000 + i) != 1000 + i)
                _exit(1);
        _exit(42);
    }
    for (uint32_t i = 0; i < CALLS; i++)
        EXPECT_IS(say(i), i);
    EXPECT_IS(waitpid(child, &status, 0), child);
    EXPECT_IS(status, 42 << 8);
}

/* A fork while another thread waits for an answer: the child has no lock of it. */
CHECK(a_fork_in_the_middle_of_another_threads_call)
{
    struct waiting waiting = {0};
    pthread_t thread;
    int status = -1;
    pid_t child;

    EXPECT_IS(pthread_create(&thread, NULL, wait_long, &waiting), 0);
    sleep_ms(100);
    child = fork();
    if (child == 0) {
        TEEC_Context own; /* waits for the parent's exchange to end */

        _exit(TEEC_InitializeContext(NULL, &own) == TEEC_SUCCESS && say(5) == 5 ? 42 : 1);
    }
    sleep_ms(100);
    TEEC_RequestCancellation(&waiting.operation);
    pthread_join(thread, NULL);
    EXPECT_IS(waiting.result, TEEC_ERROR_CANCEL);
    EXPECT_IS(waitpid(child, &status, 0), child);
    EXPECT_IS(status, 42 << 8);
}

/* What was asked by a process that died is answered to nobody: not to its parent either. */
CHECK(a_child_that_is_killed_while_it_waits)
{
    pid_t child = fork();

    if (child == 0) {
        TEEC_Operation operation = {.paramTypes = TYPES(VALUE_INPUT, NONE, NONE, NONE)};

        operation.params[0].value.a = 300;
        TEEC_InvokeCommand(&session, WAIT, &operation, NULL);
        _exit(1);
    }
    sleep_ms(100);
    kill(child, SIGKILL);
    EXPECT_IS(waitpid(child, NULL, 0), child);
    EXPECT_IS(say(77), 77);
    EXPECT_IS(say(78), 78);
}

int main(void)
{
    if (TEEC_InitializeContext(NULL, &context) != TEEC_SUCCESS ||
        TEEC_OpenSession(&context, &session, &PARROT, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin) != TEEC_SUCCESS)
        return 2;
    RUN(threads_are_answered_each_its_own);
    RUN(a_wait_ends_when_another_thread_cancels);
    RUN(what_still_waits_for_its_turn_is_cancelled_without_being_sent);
    RUN(memory_that_is_released_while_it_is_used);
    RUN(a_fork_and_its_parent_take_turns);
    RUN(a_fork_in_the_middle_of_another_threads_call);
    RUN(a_child_that_is_killed_while_it_waits);
    TEEC_CloseSession(&session);
    TEEC_FinalizeContext(&context);
    return 0;
}

/* Ends in the middle of things, as its argument says. */
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

char check_failed[512];

static void *stop(void *unused)
{
    nanosleep(&(struct timespec){.tv_nsec = 150000000}, NULL);
    kill(getpid(), SIGKILL);
    return unused;
}

static TEEC_Result ask(TEEC_Session *session, uint32_t command, uint32_t a, uint32_t *origin)
{
    TEEC_Operation operation = {.paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_INPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE)};

    operation.params[0].value.a = a;
    return TEEC_InvokeCommand(session, command, &operation, origin);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    TEEC_Context context;
    TEEC_Session session;
    uint32_t origin = 99;
    TEEC_Result result = TEEC_InitializeContext(argc > 2 ? argv[2] : NULL, &context);
    pthread_t thread;

    if (result == TEEC_SUCCESS)
        result = TEEC_OpenSession(&context, &session, &PARROT, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin);
    printf("open %x\n", result);
    fflush(stdout);
    if (result != TEEC_SUCCESS)
        return 3;
    if (strcmp(how, "killed while it waits") == 0) {
        ask(&session, WRITE, 1, &origin);
        pthread_create(&thread, NULL, stop, NULL);
        ask(&session, WAIT, 20000, &origin);
    } else if (strcmp(how, "ends with an open session") == 0) {
        return 0;
    } else if (strcmp(how, "its machine ends") == 0) {
        fgets((char[16]){0}, 16, stdin);
        for (unsigned i = 0; i < 2; i++) {
            result = ask(&session, SAY, 1, &origin);
            printf("invoke %x of %u\n", result, origin);
        }
        TEEC_CloseSession(&session);
        TEEC_FinalizeContext(&context);
        result = TEEC_InitializeContext(NULL, &context);
        printf("again %x\n", result);
        return 0;
    } else if (strcmp(how, "its power is cut") == 0) {
        for (unsigned i = 0; i < 3; i++) {
            result = ask(&session, i < 2 ? WRITE : SAY, 1, &origin);
            printf("invoke %x of %u\n", result, origin);
        }
        TEEC_CloseSession(&session);
        result = TEEC_OpenSession(&context, &session, &PARROT, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin);
        printf("open %x\n", result);
        result = ask(&session, WRITE, 1, &origin);
        printf("invoke %x of %u\n", result, origin);
    } else if (strcmp(how, "twice") == 0) {
        TEEC_CloseSession(&session);
        TEEC_FinalizeContext(&context);
        result = TEEC_InitializeContext(argc > 2 ? argv[2] : NULL, &context);
        printf("again %x, a child of mine: %d\n", result, waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD);
        TEEC_FinalizeContext(&context);
        return 0;
    }
    TEEC_CloseSession(&session);
    TEEC_FinalizeContext(&context);
    return 0;
}

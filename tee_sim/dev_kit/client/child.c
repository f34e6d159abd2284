/* Start a machine as a child of this process: two pipes, no socket.
 *
 * It is a grandchild: wait() of the caller never sees it, and SIGCHLD of the caller is the first child's, which is waited
 * for here. It ends when the last process that has its pipe is gone, whatever becomes of this one. Between fork and exec
 * nothing is called but what a signal handler may call. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../runtime/cbor.h"
#include "../runtime/frame.h"
#include "teec.h"

enum { CHILD_READ = 3, CHILD_WRITE = 4, FIRST_FREE = 5 };
enum { NOT_STARTED = 127 };

/* Closes what was not meant for it; without the system call (Linux 5.9) what has no close-on-exec stays. */
static void close_others(void)
{
#ifdef SYS_close_range
    syscall(SYS_close_range, FIRST_FREE, ~0u, 0);
#endif
}

/* Descriptors 0 to 4 of the machine. Above 4 first: what is to be 4 may be 3 here. */
static bool place_pipes(int read_fd, int write_fd)
{
    int from = fcntl(read_fd, F_DUPFD, FIRST_FREE), to = fcntl(write_fd, F_DUPFD, FIRST_FREE);
    int nothing = open("/dev/null", O_RDONLY);

    return from >= 0 && to >= 0 && nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
           dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 && dup2(from, CHILD_READ) >= 0 && dup2(to, CHILD_WRITE) >= 0;
}

static _Noreturn void become_machine(const char *command, const char *name, int read_fd, int write_fd)
{
    char *const words[] = {"tee-sim", "serve", "--pipes", "3,4", "--", (char *)name, NULL};
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (setsid() >= 0 && place_pipes(read_fd, write_fd)) {
        close_others();
        execvp(command, words);
    }
    _exit(NOT_STARTED);
}

/* Forks twice. Returns whether there is a grandchild. */
static bool start(const char *command, const char *name, int read_fd, int write_fd)
{
    pid_t first = fork();
    int status = -1;

    if (first == 0) {
        pid_t second = fork();

        if (second == 0)
            become_machine(command, name, read_fd, write_fd);
        _exit(second > 0 ? 0 : NOT_STARTED);
    }
    if (first < 0)
        return false;
    while (waitpid(first, &status, 0) < 0 && errno == EINTR)
        continue;
    return status == 0;
}

/* What it says when it is ready, or why it is not. */
static TEEC_Result first_words(int read_fd, const char *command, const char *name)
{
    uint8_t body[8192];
    struct cbor_in in = {.data = body};
    TEEC_Result result;
    size_t items;

    if (frame_read(read_fd, body, sizeof(body), &in.size) != FRAME_READ || !cbor_is_canonical(body, in.size)) {
        fprintf(stderr, "libteec: the machine %s was not started by `%s serve`: install tee-sim on PATH, or name it in "
                        "TEE_SIM_COMMAND\n", name, command);
        return TEEC_ERROR_COMMUNICATION;
    }
    items = cbor_get_array(&in);
    if (items == 0)
        return TEEC_SUCCESS;
    result = (TEEC_Result)cbor_get_u64(&in);
    return in.failed || result == TEEC_SUCCESS ? TEEC_ERROR_COMMUNICATION : result;
}

TEEC_Result child_start(const char *name, int *read_fd, int *write_fd)
{
    const char *given = secure_getenv("TEE_SIM_COMMAND");
    const char *command = given == NULL || given[0] == '\0' ? "tee-sim" : given;
    TEEC_Result result = TEEC_ERROR_COMMUNICATION;
    int down[2], up[2];

    /* PATH is its caller's: what lies there would run with the rights that the program has and its caller has not. */
    if (getauxval(AT_SECURE) != 0) {
        fprintf(stderr, "libteec: no machine is started by a program with more rights than its caller\n");
        return TEEC_ERROR_ACCESS_DENIED;
    }
    if (pipe2(down, O_CLOEXEC) < 0)
        return TEEC_ERROR_OUT_OF_MEMORY;
    if (pipe2(up, O_CLOEXEC) < 0) {
        close(down[0]);
        close(down[1]);
        return TEEC_ERROR_OUT_OF_MEMORY;
    }
    bool started = start(command, name, down[0], up[1]);
    close(down[0]);
    close(up[1]);
    if (started)
        result = first_words(up[0], command, name);
    if (result != TEEC_SUCCESS) {
        close(down[1]);
        close(up[0]);
        return result;
    }
    *read_fd = up[0];
    *write_fd = down[1];
    return TEEC_SUCCESS;
}

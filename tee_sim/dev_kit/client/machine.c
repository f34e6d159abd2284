/* The way to a machine: two pipes, shared by all contexts of this process on it.
 *
 * One exchange at a time, of all threads and of all processes that have inherited the pipes: threads wait for `in_use`,
 * processes for a record lock on the pipe, which the kernel gives back when one of them dies. Each request has a number
 * with the process id in it, so that an answer to somebody who died is known for what it is, and dropped.
 *
 * A fork takes no lock over: the child begins with none, and may go on with what its parent has opened. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "teec.h"

pthread_mutex_t teec_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t teec_changed = PTHREAD_COND_INITIALIZER;
static struct machine *machines;
static bool starting;

enum { END_MS = 10000 }; /* until a machine that is told to end has closed its store; typical is 50 ms */
static const char inherited_name[] = "";

/* --- fork --- */

static void before_fork(void)
{
    pthread_mutex_lock(&teec_lock);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&teec_lock);
}

static void after_fork_in_child(void)
{
    pthread_cond_init(&teec_changed, NULL);
    starting = false;
    requests_forget();
    for (struct machine *machine = machines; machine != NULL; machine = machine->next) {
        pthread_mutex_init(&machine->writing, NULL);
        machine->in_use = false;
    }
    pthread_mutex_unlock(&teec_lock);
}

__attribute__((constructor)) static void look_at_forks(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* --- Machines --- */

static bool is_pipe(int fd)
{
    struct stat what;

    return fstat(fd, &what) == 0 && S_ISFIFO(what.st_mode);
}

static TEEC_Result inherited_pipes(const char *named, int *read_fd, int *write_fd)
{
    int end = 0;

    if (sscanf(named, "%9d,%9d%n", read_fd, write_fd, &end) != 2 || named[end] != '\0' || !is_pipe(*read_fd) ||
        !is_pipe(*write_fd)) {
        fprintf(stderr, "libteec: TEE_SIM_CLIENT=%s are no pipes of this process: was something between `tee-sim run` "
                        "and this program that closes descriptors?\n", named);
        return TEEC_ERROR_COMMUNICATION;
    }
    return TEEC_SUCCESS;
}

void machine_keep(struct machine *machine)
{
    machine->references++;
}

static struct machine *known(const char *name)
{
    struct machine *machine = machines;

    while (machine != NULL && (strcmp(machine->name, name) != 0 || machine->gone))
        machine = machine->next;
    return machine;
}

TEEC_Result machine_find(const char *name, struct machine **found)
{
    const char *client = secure_getenv("TEE_SIM_CLIENT"), *directory = secure_getenv("TEE_SIM_MACHINE");
    bool inherited = name == NULL && client != NULL;
    struct machine *machine;
    TEEC_Result result;

    if (name == NULL)
        name = inherited ? inherited_name : directory;
    if (name == NULL) {
        fprintf(stderr, "libteec: there is no machine: start this program with `tee-sim run PATH... -- PROGRAM`, or "
                        "name a machine's directory in TEE_SIM_MACHINE\n");
        return TEEC_ERROR_ITEM_NOT_FOUND;
    }
    while (starting)
        pthread_cond_wait(&teec_changed, &teec_lock);
    *found = known(name);
    if (*found != NULL) {
        machine_keep(*found);
        return TEEC_SUCCESS;
    }
    machine = calloc(1, sizeof(*machine));
    if (machine != NULL)
        machine->name = strdup(name);
    if (machine == NULL || machine->name == NULL) {
        free(machine);
        return TEEC_ERROR_OUT_OF_MEMORY;
    }
    machine->references = 1;
    machine->owner = inherited ? 0 : getpid();
    pthread_mutex_init(&machine->writing, NULL);
    starting = true;
    pthread_mutex_unlock(&teec_lock);
    result = inherited ? inherited_pipes(client, &machine->read_fd, &machine->write_fd)
                       : child_start(name, &machine->read_fd, &machine->write_fd);
    pthread_mutex_lock(&teec_lock);
    starting = false;
    pthread_cond_broadcast(&teec_changed);
    if (result != TEEC_SUCCESS) {
        free(machine->name);
        free(machine);
        return result;
    }
    machine->next = machines;
    machines = machine;
    *found = machine;
    return TEEC_SUCCESS;
}

/* Tells a machine that was started here to end, and waits until it has: its directory is free then. */
static void end_machine(const struct machine *machine)
{
    uint8_t rest[512];
    struct pollfd answer = {.fd = machine->read_fd, .events = POLLIN};

    close(machine->write_fd);
    /* Of a child of this process that has not called exec the machine does not notice; it ends with the last. */
    while (machine->owner == getpid() && poll(&answer, 1, END_MS) > 0 && read(machine->read_fd, rest, sizeof(rest)) > 0)
        continue;
    close(machine->read_fd);
}

void machine_drop(struct machine *machine)
{
    struct machine **at = &machines;

    pthread_mutex_lock(&teec_lock);
    if (--machine->references > 0) {
        pthread_mutex_unlock(&teec_lock);
        return;
    }
    while (*at != machine)
        at = &(*at)->next;
    *at = machine->next;
    pthread_mutex_unlock(&teec_lock);
    /* Pipes that were inherited stay open for the next context. */
    if (machine->owner != 0)
        end_machine(machine);
    pthread_mutex_destroy(&machine->writing);
    free(machine->name);
    free(machine);
}

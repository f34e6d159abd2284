/* One request and its answer, and the cancellation of one.
 *
 * One exchange at a time on a machine, of all threads and of all processes that have inherited its pipes: threads wait
 * for `in_use`, processes for a record lock on the pipe, which the kernel gives back when one of them dies. Each request
 * has a number with the process id in it, so that an answer to somebody who died is known for what it is, and dropped. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../runtime/cbor.h"
#include "../runtime/frame.h"
#include "teec.h"

static struct request *requests;
static uint8_t *spare_body;

void requests_forget(void)
{
    requests = NULL;
}

/* A frame's room is taken once and kept: most answers are short, and its pages are touched as far as they are used. */
static uint8_t *body_take(void)
{
    uint8_t *body;

    pthread_mutex_lock(&teec_lock);
    body = spare_body;
    spare_body = NULL;
    pthread_mutex_unlock(&teec_lock);
    return body == NULL ? malloc(MAX_FRAME_BYTES) : body;
}

/* Called with teec_lock. */
static void body_give(uint8_t *body)
{
    if (spare_body == NULL)
        spare_body = body;
    else
        free(body);
}

void answer_end(struct answer *answer)
{
    if (answer->body != NULL)
        body_give(answer->body);
}

bool write_all(int fd, const uint8_t *data, size_t size)
{
    sigset_t pipe_signal, before, pending;
    size_t at = 0;
    bool whole = true;

    /* SIGPIPE would end the caller, or run a handler of his: it is held back, and taken if it is ours. */
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    while (at < size) {
        ssize_t put = write(fd, data + at, size - at);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            whole = false;
            break;
        }
        at += (size_t)put;
    }
    if (!whole && !sigismember(&pending, SIGPIPE)) {
        const struct timespec now = {0};

        while (sigtimedwait(&pipe_signal, NULL, &now) < 0 && errno == EINTR)
            continue;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return whole;
}

static void put_length(uint8_t *frame, size_t body_size)
{
    for (unsigned i = 0; i < FRAME_HEAD_BYTES; i++)
        frame[i] = (uint8_t)(body_size >> 8 * i);
}

/* Whether a lock over processes was had: F_SETLKW waits for those that have inherited the same pipe. */
static bool lock_pipe(const struct machine *machine, short kind)
{
    struct flock lock = {.l_type = kind, .l_whence = SEEK_SET};
    int done;

    do
        done = fcntl(machine->write_fd, F_SETLKW, &lock);
    while (done < 0 && errno == EINTR);
    return done == 0;
}

static TEEC_Result gone(struct machine *machine, struct answer *answer)
{
    pthread_mutex_lock(&teec_lock);
    machine->gone = true;
    pthread_mutex_unlock(&teec_lock);
    answer->origin = TEEC_ORIGIN_COMMS;
    return TEEC_ERROR_TARGET_DEAD;
}

static bool write_cancel(struct machine *machine, uint64_t number)
{
    uint8_t frame[32];
    struct cbor_out out = {.data = frame + FRAME_HEAD_BYTES, .room = sizeof(frame) - FRAME_HEAD_BYTES};

    cbor_put_array(&out, 2);
    cbor_put_u64(&out, 0);
    cbor_put_u64(&out, number);
    put_length(frame, out.size);
    return write_all(machine->write_fd, frame, FRAME_HEAD_BYTES + out.size);
}

static uint64_t deadline_ms(void)
{
    const char *given = secure_getenv("TEE_SIM_TIMEOUT_MS");
    unsigned long long ms = given == NULL ? 0 : strtoull(given, NULL, 10);

    return ms > 0 && ms <= 1000000000 ? ms : 60000; /* tee_sim.shared.limits: MAX_DEADLINE_MS, INVOKE_TIMEOUT_MS */
}

/* Writes head and body in one piece: the head goes right before the body, whose frame begins at HEAD_ROOM. */
static bool write_request(const struct request *request, const struct message *message)
{
    uint8_t head[HEAD_ROOM];
    struct cbor_out out = {.data = head, .room = sizeof(head) - FRAME_HEAD_BYTES};
    uint8_t *start;

    cbor_put_array(&out, 3);
    cbor_put_u64(&out, deadline_ms());
    cbor_put_u64(&out, request->number);
    if (message->login != NULL)
        login_put(message->login, &out);
    else
        cbor_put_null(&out);
    if (out.failed)
        return false;
    start = message->frames + HEAD_ROOM - out.size - FRAME_HEAD_BYTES;
    put_length(start, out.size);
    memcpy(start + FRAME_HEAD_BYTES, head, out.size);
    put_length(message->frames + HEAD_ROOM, message->body.size);
    return write_all(request->machine->write_fd, start, 2 * FRAME_HEAD_BYTES + out.size + message->body.size);
}

static bool send_request(struct request *request, const struct message *message)
{
    struct machine *machine = request->machine;
    bool sent, cancelled;

    pthread_mutex_lock(&machine->writing);
    sent = write_request(request, message);
    pthread_mutex_lock(&teec_lock);
    request->sent = sent;
    cancelled = request->cancelled;
    pthread_mutex_unlock(&teec_lock);
    if (sent && cancelled)
        sent = write_cancel(machine, request->number);
    pthread_mutex_unlock(&machine->writing);
    return sent;
}

/* The head of an answer: the number of its request, and the error of a machine that has none to give. */
static bool read_head(struct machine *machine, uint64_t *number, struct answer *error, bool *follows)
{
    uint8_t head[HEAD_ROOM];
    struct cbor_in in = {.data = head};
    size_t items;

    if (frame_read(machine->read_fd, head, sizeof(head), &in.size) != FRAME_READ || !cbor_is_canonical(head, in.size))
        return false;
    items = cbor_get_array(&in);
    *number = cbor_get_u64(&in);
    *follows = items == 1;
    if (!*follows) {
        error->result = (TEEC_Result)cbor_get_u64(&in);
        error->origin = (uint32_t)cbor_get_u64(&in);
    }
    return !in.failed && (items == 1 || items == 6);
}

enum { RETURN = 9, RETURN_ITEMS = 7 }; /* tee_sim.shared.wire.Return: its tag, and the items with it */

static bool read_return(struct answer *answer, size_t size)
{
    struct cbor_in in = {.data = answer->body, .size = size};
    uint64_t result, origin, session;

    if (!cbor_is_canonical(answer->body, size) || cbor_get_array(&in) != RETURN_ITEMS || cbor_get_u64(&in) != RETURN)
        return false;
    result = cbor_get_u64(&in);
    origin = cbor_get_u64(&in);
    session = cbor_get_u64(&in);
    answer->params = in.data + in.at;
    cbor_skip(&in);
    answer->params_bytes = (size_t)(in.data + in.at - answer->params);
    if (in.failed || result > UINT32_MAX || session > UINT32_MAX || origin < TEEC_ORIGIN_API ||
        origin > TEEC_ORIGIN_TRUSTED_APP)
        return false;
    answer->result = (TEEC_Result)result;
    answer->origin = (uint32_t)origin;
    answer->session = (uint32_t)session;
    return true;
}

static TEEC_Result receive(struct request *request, struct answer *answer)
{
    uint64_t number;
    bool follows;
    size_t size;

    do {
        struct answer error = {0};

        if (!read_head(request->machine, &number, &error, &follows))
            return gone(request->machine, answer);
        if (follows && frame_read(request->machine->read_fd, answer->body, MAX_FRAME_BYTES, &size) != FRAME_READ)
            return gone(request->machine, answer);
        if (number == request->number && !follows) {
            answer->origin = error.origin;
            return error.result == TEEC_SUCCESS ? TEEC_ERROR_GENERIC : error.result;
        }
    } while (number != request->number);
    if (!read_return(answer, size))
        return gone(request->machine, answer);
    return TEEC_SUCCESS;
}

/* The request's turn: false if it was cancelled before. */
static bool wait_for_turn(struct request *request)
{
    struct machine *machine = request->machine;
    bool mine;

    pthread_mutex_lock(&teec_lock);
    while (machine->in_use && !request->cancelled)
        pthread_cond_wait(&teec_changed, &teec_lock);
    mine = !request->cancelled;
    if (mine) {
        machine->in_use = true;
        request->number = (uint64_t)getpid() << 32 | machine->next_number++;
    }
    pthread_mutex_unlock(&teec_lock);
    return mine;
}

static void end_turn(struct machine *machine)
{
    pthread_mutex_lock(&teec_lock);
    machine->in_use = false;
    pthread_cond_broadcast(&teec_changed);
    pthread_mutex_unlock(&teec_lock);
}

TEEC_Result machine_exchange(struct request *request, const struct message *message, struct answer *answer)
{
    struct machine *machine = request->machine;
    TEEC_Result result;

    answer->origin = TEEC_ORIGIN_API;
    answer->body = body_take();
    if (answer->body == NULL)
        return TEEC_ERROR_OUT_OF_MEMORY;
    if (!wait_for_turn(request))
        return TEEC_ERROR_CANCEL;
    if (machine->gone || !lock_pipe(machine, F_WRLCK)) {
        result = gone(machine, answer);
    } else {
        result = send_request(request, message) ? receive(request, answer) : gone(machine, answer);
        lock_pipe(machine, F_UNLCK);
    }
    end_turn(machine);
    return result;
}

/* --- Cancellation (TEE Client API 1.0, section 4.5.10) --- */

void request_begin(struct request *request, TEEC_Operation *operation)
{
    request->operation = operation;
    request->next = requests;
    requests = request;
    if (operation != NULL) {
        request->cancelled = operation->started == CANCELLED_BEFORE;
        operation->started = 1;
    }
}

void request_end(struct request *request)
{
    struct request **at = &requests;

    while (*at != NULL && *at != request)
        at = &(*at)->next;
    if (*at != NULL)
        *at = request->next;
}

static struct request *of_operation(const TEEC_Operation *operation)
{
    struct request *request = requests;

    while (request != NULL && request->operation != operation)
        request = request->next;
    return request;
}

void TEEC_RequestCancellation(TEEC_Operation *operation)
{
    struct machine *machine = NULL;
    struct request *request;
    uint64_t number = 0;

    if (operation == NULL)
        return;
    pthread_mutex_lock(&teec_lock);
    request = of_operation(operation);
    if (request == NULL && operation->started == 0)
        operation->started = CANCELLED_BEFORE;
    if (request != NULL && !request->cancelled) {
        request->cancelled = true;
        if (request->sent) {
            machine = request->machine;
            machine_keep(machine);
            number = request->number;
        }
        pthread_cond_broadcast(&teec_changed); /* it may still wait for its turn */
    }
    pthread_mutex_unlock(&teec_lock);
    if (machine != NULL) {
        pthread_mutex_lock(&machine->writing);
        write_cancel(machine, number);
        pthread_mutex_unlock(&machine->writing);
        machine_drop(machine);
    }
}

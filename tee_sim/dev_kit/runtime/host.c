/* The loop of a host: entry points that the core asks for, one after the other, until it closes its pipe. What the
 * core sends is no secret of anybody else, and what does not fit ends the process. */
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "panic.h"
#include "runtime.h"
#include "sanitizer.h"
#include "user_ta_header.h"

#define PANICKED ((uint64_t)1 << 32)

enum { ORIGIN_TEE = 3, ORIGIN_TRUSTED_APP = 4 };

/* One entry into the TA. */
struct entry {
    enum message kind;
    void *session;
    uint32_t command;
    uint32_t types;
    union ta_param params[4];
    uint32_t result;
};

struct session {
    uint32_t number; /* 0 for none */
    struct instance *instance;
    void *context;
};

struct instance *current;
static struct session sessions[MAX_SESSIONS_OF_HOST];
static uint32_t last_session;

/* --- panics --- */

_Noreturn void panic_because(uint32_t code, const char *why)
{
    if (current == NULL)
        host_fail();
    report_panic(code, why);
    sanitizer_no_return();
    stack_leave(&left_stack, PANICKED | code);
}

_Noreturn void tee_panic(uint32_t code)
{
    panic_because(code, "");
}

/* --- entering --- */

static void run_all(const ta_constructor *first, const ta_constructor *end, bool backwards)
{
    for (size_t i = 0, count = (size_t)(end - first); i < count; i++)
        first[backwards ? count - 1 - i : i]();
}

static void enter(void *argument)
{
    struct entry *entry = argument;

    switch (entry->kind) {
    case MESSAGE_CREATE:
        run_all(image.head->constructors, image.head->constructors_end, false);
        entry->result = image.create();
        break;
    case MESSAGE_OPEN:
        entry->result = image.open(entry->types, entry->params, &entry->session);
        break;
    case MESSAGE_RUN:
        entry->result = image.invoke(entry->session, entry->command, entry->types, entry->params);
        break;
    case MESSAGE_CLOSE:
        image.close(entry->session);
        break;
    default:
        image.destroy();
        break;
    }
}

void run_destructors(void)
{
    run_all(image.head->destructors, image.head->destructors_end, true);
}

static void end_globals(void *unused)
{
    (void)unused;
    run_destructors();
}

/* Calls on the instance's stack. AddressSanitizer knows the one of the process alone, so the TA stays on that. */
static bool call(struct instance *instance, void (*function)(void *), void *argument)
{
    uintptr_t below = ((uintptr_t)__builtin_frame_address(0) - 4096) / 16 * 16;
    void *top = sanitizer_is_there() ? (void *)below : instance_stack_top(instance);
    uint64_t left;

    instance_enter(instance);
    report_begin_call();
    current = instance;
    left = stack_call(&left_stack, top, function, argument);
    report_refused_calls();
    current = NULL;
    return left == 0;
}

static void end_instance(struct instance *instance)
{
    for (unsigned i = 0; i < MAX_SESSIONS_OF_HOST; i++)
        if (sessions[i].number != 0 && sessions[i].instance == instance)
            sessions[i] = (struct session){0};
    instance_end(instance);
}

/* --- answers --- */

static struct cbor_out begin_answer(enum message message, size_t fields)
{
    struct cbor_out out = {.data = frame_out + FRAME_HEAD_BYTES, .room = MAX_FRAME_BYTES};

    cbor_put_array(&out, 1 + fields);
    cbor_put_u64(&out, message);
    return out;
}

static void send_answer(const struct cbor_out *out)
{
    if (out->failed || !frame_write(host_write_fd, frame_out, out->size))
        host_fail();
}

static void answer_return(uint32_t context)
{
    struct cbor_out out = begin_answer(MESSAGE_HOST_RETURN, 3);

    cbor_put_u64(&out, context);
    cbor_put_array(&out, 0);
    cbor_put_array(&out, 0);
    send_answer(&out);
}

static void answer_refusal(uint32_t result, unsigned origin)
{
    struct cbor_out out = begin_answer(MESSAGE_HOST_REFUSAL, 3);

    cbor_put_u64(&out, result);
    cbor_put_u64(&out, origin);
    cbor_put_array(&out, 0);
    send_answer(&out);
}

static void answer_panic(struct instance *instance)
{
    struct cbor_out out = begin_answer(MESSAGE_PANICKED, 0);

    if (config.unlocked)
        call(instance, end_globals, NULL);
    end_instance(instance);
    send_answer(&out);
}

/* With the four parameters as the TA left them. Returns false if they are no answer, which is a panic. */
static bool answer_params(const struct entry *entry, uint32_t context)
{
    bool refused = entry->result != TEE_SUCCESS_;
    struct cbor_out out = begin_answer(refused ? MESSAGE_HOST_REFUSAL : MESSAGE_HOST_RETURN, 3);

    cbor_put_u64(&out, refused ? entry->result : context);
    if (refused)
        cbor_put_u64(&out, ORIGIN_TRUSTED_APP);
    if (!params_write(&out, entry->params, refused))
        return false;
    if (!refused)
        cbor_put_array(&out, 0);
    send_answer(&out);
    return true;
}

/* --- messages --- */

static uint32_t number(struct cbor_in *in)
{
    uint64_t value = cbor_get_u64(in);

    if (in->failed || value > UINT32_MAX)
        host_fail();
    return (uint32_t)value;
}

static struct instance *known(uint32_t number)
{
    struct instance *instance = instance_of(number);

    if (instance == NULL)
        host_fail();
    return instance;
}

static void create(struct cbor_in *in)
{
    struct entry entry = {.kind = MESSAGE_CREATE};
    struct instance *instance = instance_new(number(in));

    if (instance == NULL) {
        answer_refusal(ERROR_OUT_OF_MEMORY, ORIGIN_TEE);
    } else if (!call(instance, enter, &entry)) {
        answer_panic(instance);
    } else if (entry.result != TEE_SUCCESS_) {
        /* TA_DestroyEntryPoint is not called after this (section 4.3.1); the core forgets the instance. */
        end_instance(instance);
        answer_refusal(entry.result, ORIGIN_TRUSTED_APP);
    } else {
        answer_return(0);
    }
}

static void open_session(struct cbor_in *in)
{
    struct entry entry = {.kind = MESSAGE_OPEN};
    struct instance *instance = known(number(in));
    struct session *session = NULL;

    cbor_skip(in); /* the task: whoever wants to know of the client asks the core */
    for (unsigned i = 0; i < MAX_SESSIONS_OF_HOST && session == NULL; i++)
        if (sessions[i].number == 0)
            session = &sessions[i];
    if (!params_read(in, entry.params, &entry.types) || session == NULL) {
        answer_refusal(ERROR_OUT_OF_MEMORY, ORIGIN_TEE);
        return;
    }
    if (!call(instance, enter, &entry)) {
        answer_panic(instance);
        return;
    }
    if (entry.result == TEE_SUCCESS_)
        *session = (struct session){.number = ++last_session, .instance = instance, .context = entry.session};
    if (!answer_params(&entry, last_session))
        answer_panic(instance);
}

static struct session *session_of(struct instance *instance, uint32_t context)
{
    for (unsigned i = 0; i < MAX_SESSIONS_OF_HOST; i++)
        if (context != 0 && sessions[i].number == context && sessions[i].instance == instance)
            return &sessions[i];
    host_fail();
}

static void run(struct cbor_in *in)
{
    struct entry entry = {.kind = MESSAGE_RUN};
    struct instance *instance = known(number(in));

    entry.session = session_of(instance, number(in))->context;
    cbor_skip(in);
    entry.command = number(in);
    if (!params_read(in, entry.params, &entry.types))
        answer_refusal(ERROR_OUT_OF_MEMORY, ORIGIN_TEE);
    else if (!call(instance, enter, &entry) || !answer_params(&entry, 0))
        answer_panic(instance);
}

static void close_session(struct cbor_in *in)
{
    struct entry entry = {.kind = MESSAGE_CLOSE};
    struct instance *instance = known(number(in));
    struct session *session = session_of(instance, number(in));

    entry.session = session->context;
    *session = (struct session){0};
    if (call(instance, enter, &entry))
        answer_return(0);
    else
        answer_panic(instance);
}

static void destroy(struct cbor_in *in)
{
    struct entry entry = {.kind = MESSAGE_DESTROY};
    struct instance *instance = instance_of(number(in));
    bool panicked = cbor_get_bool(in);

    if (instance != NULL && !panicked) {
        if (!call(instance, enter, &entry) || !call(instance, end_globals, NULL)) {
            answer_panic(instance);
            return;
        }
    }
    if (instance != NULL && !panicked)
        sanitizer_say_left(&instance->heap);
    if (instance != NULL)
        end_instance(instance);
    answer_return(0);
}

static void answer(struct cbor_in *in)
{
    static void (*const handlers[])(struct cbor_in *) = {
        [MESSAGE_CREATE] = create,       [MESSAGE_OPEN] = open_session, [MESSAGE_RUN] = run,
        [MESSAGE_CLOSE] = close_session, [MESSAGE_DESTROY] = destroy,
    };
    uint64_t message;

    cbor_get_array(in);
    message = cbor_get_u64(in);
    if (!in->failed && message == MESSAGE_LOAD)
        return; /* it is loaded */
    if (in->failed || message >= sizeof(handlers) / sizeof(handlers[0]) || handlers[message] == NULL)
        host_fail();
    handlers[message](in);
    params_forget();
}

_Noreturn void host_serve(int read_fd, int write_fd)
{
    host_read_fd = read_fd;
    host_write_fd = write_fd;
    for (;;) {
        size_t size;
        enum frame_state state = frame_read(read_fd, frame_in, MAX_FRAME_BYTES, &size);
        struct cbor_in in = {.data = frame_in, .size = size};

        if (state == FRAME_END)
            break;
        if (state != FRAME_READ || !cbor_is_canonical(frame_in, size))
            host_fail();
        answer(&in);
    }
    if (config.unlocked)
        for (struct instance *left = instance_any(); left != NULL; left = instance_any()) {
            call(left, end_globals, NULL);
            end_instance(left);
        }
    _exit(0);
}

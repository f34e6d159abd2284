/* Passes invocations and their answers on, as long as there is nothing else.
 *
 * Of a request it looks at the frame before it, which must be one that was read before but for its number, and at the
 * session's number, which is put in the secure world's terms. Of an answer it looks whether it says SUCCESS, and that no
 * process has ended. Everything else is given back, with what was read of it. */
#include "relay.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MS_NS ((int64_t)1000000)
#define LONGEST_MS ((int64_t)1000000000) /* tee_sim.shared.limits.MAX_DEADLINE_MS */

enum { LENGTH = 4, NUMBER = 9, EIGHT_BYTES = 0x1B, NIL = 0xF6, SUCCESS = 0, MOST_END = 6 };
/* HostEnd of tee_sim.shared.host_end: NONE is 0, the largest is 6 */

static const uint8_t invoke_head[] = {0x85, 0x07}, return_head[] = {0x87, 0x09}; /* tee_sim.shared.wire */

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static uint32_t length_at(const uint8_t *frame)
{
    return frame[0] | (uint32_t)frame[1] << 8 | (uint32_t)frame[2] << 16 | (uint32_t)frame[3] << 24;
}

/* The number in eight bytes, big-endian. */
static uint64_t number_at(const uint8_t *bytes)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < 8; i++)
        number = number << 8 | bytes[i];
    return number;
}

static int wait_for(int fd, short events, int64_t until_ns)
{
    struct pollfd waits = {.fd = fd, .events = events};
    int64_t left_ns = until_ns - now_ns();

    return left_ns <= 0 ? 0 : poll(&waits, 1, (int)((left_ns + 999999) / 1000000));
}

/* Whole, or not: errno is EPIPE for an end that is gone; else the deadline is over. */
static bool write_whole(int fd, const uint8_t *data, size_t size, int64_t until_ns)
{
    size_t at = 0;

    while (at < size) {
        ssize_t put = write(fd, data + at, size - at);

        if (put > 0)
            at += (size_t)put;
        else if (put < 0 && errno == EINTR)
            continue;
        else if (put == 0 || errno != EAGAIN)
            return false;
        else if (wait_for(fd, POLLOUT, until_ns) == 0) {
            errno = ETIMEDOUT;
            return false;
        }
    }
    return true;
}

/* The whole of a request: RELAY_PASS if it can be passed on, with the size of the frame before it. */
static enum relay_state read_request(struct relay *relay, uint32_t *head_size)
{
    const uint32_t head = relay->before_size + NUMBER + 1;
    uint8_t *in = relay->in;

    relay->in_size = 0;
    *head_size = LENGTH + head;
    for (;;) {
        uint32_t have = relay->in_size, body = LENGTH + head, size;
        ssize_t got = read(relay->program_read, in + have, sizeof(relay->in) - have);

        if (got < 0 && errno == EINTR && have == 0)
            return RELAY_LOOK;
        if (got <= 0)
            return have == 0 ? RELAY_END : RELAY_REQUEST;
        relay->in_size = have += (uint32_t)got;
        if (have < LENGTH)
            continue;
        if (length_at(in) != head)
            return RELAY_REQUEST;
        if (have < body + LENGTH + sizeof(invoke_head) + 1)
            continue;
        size = length_at(in + body);
        if (memcmp(in + LENGTH, relay->before, relay->before_size) != 0 ||
            in[LENGTH + relay->before_size] != EIGHT_BYTES || in[body - 1] != NIL || size > MAX_FRAME_BYTES ||
            size < sizeof(invoke_head) + 1 || memcmp(in + body + LENGTH, invoke_head, sizeof(invoke_head)) != 0 ||
            have > body + LENGTH + size)
            return RELAY_REQUEST;
        if (have < body + LENGTH + size)
            continue;
        relay->number = number_at(in + LENGTH + relay->before_size + 1);
        size = in[body + LENGTH + sizeof(invoke_head)]; /* the session */
        if (relay->number >> 32 != relay->process || size >= SMALL_NUMBERS || relay->inner[size] == 0)
            return RELAY_REQUEST;
        return RELAY_PASS;
    }
}

/* As tee_sim.normal.asked.is_plain_success. */
static bool is_plain_success(const uint8_t *body, uint32_t size)
{
    static const struct { uint8_t bytes, first, last; } counts[] = {
        {1, 0, 0x17}, {2, 0x18, 0x18}, {3, 0x19, 0x19}, {5, 0x1A, 0x1A}};
    bool none = false;

    if (size < sizeof(return_head) + 6 || memcmp(body, return_head, sizeof(return_head)) != 0 ||
        body[sizeof(return_head)] != SUCCESS)
        return false;
    for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        uint8_t end = body[size - 1 - counts[i].bytes], head = body[size - counts[i].bytes];

        if (head < counts[i].first || head > counts[i].last)
            continue;
        if (end != 0 && end <= MOST_END)
            return false;
        none = none || end == 0;
    }
    return none;
}

/* The answer: RELAY_PASS if it can be passed on. */
static enum relay_state read_answer(struct relay *relay)
{
    uint8_t *out = relay->out + HEAD_ROOM;

    for (;;) {
        uint32_t have = relay->out_size;
        int ready = wait_for(relay->core_read, POLLIN, relay->deadline_ns);
        ssize_t got;

        if (ready < 0 && errno == EINTR)
            return RELAY_LOOK;
        if (ready <= 0)
            return RELAY_ANSWER;
        got = read(relay->core_read, out + have, sizeof(relay->out) - HEAD_ROOM - have);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return RELAY_ANSWER;
        relay->out_size = have += (uint32_t)got;
        if (have < LENGTH || (length_at(out) <= MAX_FRAME_BYTES && have < LENGTH + length_at(out)))
            continue;
        return have == LENGTH + length_at(out) && is_plain_success(out + LENGTH, have - LENGTH) ? RELAY_PASS
                                                                                                : RELAY_ANSWER;
    }
}

static enum relay_state pass_request(struct relay *relay)
{
    uint32_t head_size;
    enum relay_state state = read_request(relay, &head_size);
    uint8_t *session, outer;

    if (state != RELAY_PASS)
        return state;
    session = relay->in + head_size + LENGTH + sizeof(invoke_head);
    outer = *session;
    *session = relay->inner[outer];
    relay->deadline_ns = now_ns() + (int64_t)relay->timeout_ms * MS_NS;
    relay->out_size = 0;
    if (!write_whole(relay->core_write, relay->in + head_size, relay->in_size - head_size, relay->deadline_ns)) {
        *session = outer;
        if (errno == EPIPE) /* nobody has read it: it can be asked again, of another one */
            return RELAY_REQUEST;
        relay->working = 1;
        return RELAY_ANSWER;
    }
    relay->working = 1;
    return RELAY_PASS;
}

/* Its number in a frame, and the answer's frame behind it. */
static bool pass_answer(struct relay *relay)
{
    const uint8_t head[] = {1 + NUMBER, 0, 0, 0, 0x81, EIGHT_BYTES}; /* an array of the number alone */
    uint8_t *start = relay->out + HEAD_ROOM - sizeof(head) - 8;

    memcpy(start, head, sizeof(head));
    for (unsigned i = 0; i < 8; i++)
        start[sizeof(head) + i] = (uint8_t)(relay->number >> 8 * (7 - i));
    relay->working = 0;
    return write_whole(relay->program_write, start, sizeof(head) + 8 + relay->out_size, now_ns() + LONGEST_MS * MS_NS);
}

uint32_t relay_serve(struct relay *relay)
{
    for (;;) {
        struct pollfd asks = {.fd = relay->program_read, .events = POLLIN};
        enum relay_state state = RELAY_PASS;

        if (!relay->working) {
            if (poll(&asks, 1, (int)relay->look_ms) <= 0)
                return RELAY_LOOK;
            state = pass_request(relay);
        }
        if (state == RELAY_PASS)
            state = read_answer(relay);
        if (state != RELAY_PASS)
            return state;
        if (!pass_answer(relay))
            return RELAY_END;
    }
}

/* A client of `bioguard serve --stdio --protocol 2` (docs/formats/serve-2.md) in C99 with POSIX, in one header.
 *
 * Define _POSIX_C_SOURCE before it. bg2_start starts the server and reads its hello. A request is bg2_begin, one
 * bg2_put_... a field, bg2_call; then one bg2_get_... a field of the answer. Events that stand before the answer go to
 * the handler, which reads their fields and sends nothing. What the server may not send sets `broken`: from then on
 * every call does nothing and returns 0 or BG2_BROKEN.
 */
#ifndef BIOGUARD2_H
#define BIOGUARD2_H
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BG2_VERSION = 2, BG2_FRAME_BYTES = 1 << 20, BG2_DEPTH = 8, BG2_HELLO_FIELDS = 14 };
enum { BG2_ANSWER = 0, BG2_REFUSAL = 1, BG2_EVENT = 2, BG2_BROKEN = -1 };
enum bg2_type { BG2_UNSIGNED, BG2_BYTES = 2, BG2_TEXT, BG2_ARRAY, BG2_SIMPLE = 7 };
enum bg2_method {
    BG2_ADD_USER = 1, BG2_CONSENT = 4, BG2_SET_PIN = 10, BG2_VERIFY_PIN = 11, BG2_CREATE_SESSION = 20, BG2_CLOSE = 21,
    BG2_CANCEL = 22, BG2_GENERATE_CHALLENGE = 23, BG2_ENROLL = 25, BG2_AUTHENTICATE = 26, BG2_RESET_LOCKOUT = 32,
    BG2_PRESENT = 45, BG2_CHECK_TOKEN = 55, BG2_KEY_CREATE = 60, BG2_KEY_BEGIN = 61, BG2_KEY_FINISH = 62,
    BG2_CLOCK_ADVANCE = 81, BG2_SIMULATED_SAMPLE = 100
};

struct bg2;
/* Session 0 is the device. `fields` are next to be read. */
typedef void bg2_handler(struct bg2 *c, uint64_t session, uint64_t event, size_t fields);

/* 2 MiB: make it static. */
struct bg2 {
    pid_t child;
    FILE *to, *from;
    uint64_t id, sequence;
    bg2_handler *on_event;
    const char *broken;          /* why nothing more can be said to the server, or NULL */
    char code[65], message[401]; /* of the last refusal */
    size_t out_size, in_size, in_at;
    uint8_t out[4 + BG2_FRAME_BYTES], in[BG2_FRAME_BYTES];
};

static inline void bg2_break(struct bg2 *c, const char *why) {
    if (!c->broken) c->broken = why;
}

/* Bytes of the argument after a head, and the least value that needs as many (RFC 8949 section 4.2.1). */
static inline int bg2_argument(const uint8_t **at, const uint8_t *end, uint64_t *value) {
    static const uint64_t least[] = {24, 1u << 8, 1u << 16, (uint64_t)1 << 32};
    int info = *(*at)++ & 31, width = 1 << (info & 3);
    *value = (uint64_t)info;
    if (info < 24) return 1;
    if (info > 27 || end - *at < width) return 0;
    *value = 0;
    for (int i = 0; i < width; i++) *value = *value << 8 | *(*at)++;
    return *value >= least[info - 24];
}

/* Passes over one item; NULL where it is not canonical. */
static inline const uint8_t *bg2_item(const uint8_t *at, const uint8_t *end, int depth) {
    uint64_t value;
    if (at >= end) return NULL;
    enum bg2_type type = (enum bg2_type)(*at >> 5);
    if (*at >= 0xf4 && *at <= 0xf6) return at + 1;
    if (!bg2_argument(&at, end, &value)) return NULL;
    if (type == BG2_UNSIGNED) return at;
    if (type < BG2_BYTES || type > BG2_ARRAY || value > (uint64_t)(end - at)) return NULL;
    if (type == BG2_BYTES) return at + value;
    if (type == BG2_TEXT) {
        for (const uint8_t *stop = at + value; at < stop; at++)
            if (*at > 0x7f) return NULL;
        return at;
    }
    if (depth < 1) return NULL;
    while (value-- && at) at = bg2_item(at, end, depth - 1);
    return at;
}

/* Whether a body is one value in canonical CBOR without maps, tags and floats. */
static inline int bg2_is_canonical(const uint8_t *body, size_t size) {
    return bg2_item(body, body + size, BG2_DEPTH) == body + size;
}

static inline void bg2_put(struct bg2 *c, const void *data, size_t size) {
    if (size > sizeof c->out - c->out_size) bg2_break(c, "request is too long");
    if (c->broken || size == 0) return;
    memcpy(c->out + c->out_size, data, size);
    c->out_size += size;
}

static inline void bg2_head(struct bg2 *c, enum bg2_type type, uint64_t value) {
    int width = value < 24 ? 0 : value < 0x100 ? 1 : value < 0x10000 ? 2 : value >> 32 ? 8 : 4;
    int info = width == 0 ? (int)value : width == 1 ? 24 : width == 2 ? 25 : width == 4 ? 26 : 27;
    uint8_t head[9] = {(uint8_t)((int)type << 5 | info)};
    for (int i = 0; i < width; i++) head[1 + i] = (uint8_t)(value >> 8 * (width - 1 - i));
    bg2_put(c, head, (size_t)width + 1);
}

static inline void bg2_put_number(struct bg2 *c, uint64_t value) { bg2_head(c, BG2_UNSIGNED, value); }
static inline void bg2_put_array(struct bg2 *c, size_t size) { bg2_head(c, BG2_ARRAY, size); }
static inline void bg2_put_bool(struct bg2 *c, int value) { bg2_put(c, value ? "\xf5" : "\xf4", 1); }
static inline void bg2_put_null(struct bg2 *c) { bg2_put(c, "\xf6", 1); }

static inline void bg2_put_bytes(struct bg2 *c, const void *data, size_t size) {
    bg2_head(c, BG2_BYTES, size);
    bg2_put(c, data, size);
}

static inline void bg2_put_name(struct bg2 *c, const char *name) { bg2_put_bytes(c, name, strlen(name)); }

static inline void bg2_begin(struct bg2 *c, enum bg2_method method, size_t fields) {
    c->out_size = 4;
    bg2_put_array(c, 4);
    bg2_put_number(c, BG2_VERSION);
    bg2_put_number(c, ++c->id);
    bg2_put_number(c, (uint64_t)method);
    bg2_put_array(c, fields);
}

static inline enum bg2_type bg2_next(const struct bg2 *c) {
    return c->in_at < c->in_size ? (enum bg2_type)(c->in[c->in_at] >> 5) : BG2_SIMPLE;
}

static inline uint64_t bg2_get(struct bg2 *c, enum bg2_type type) {
    uint64_t value = 0;
    const uint8_t *at = c->in + c->in_at;
    if (c->in_at >= c->in_size || bg2_next(c) != type) bg2_break(c, "a field has another type");
    if (c->broken) return 0;
    bg2_argument(&at, c->in + c->in_size, &value);
    c->in_at = (size_t)(at - c->in);
    return value;
}

static inline uint64_t bg2_get_number(struct bg2 *c) { return bg2_get(c, BG2_UNSIGNED); }
static inline size_t bg2_get_array(struct bg2 *c) { return (size_t)bg2_get(c, BG2_ARRAY); }

static inline const uint8_t *bg2_string(struct bg2 *c, enum bg2_type type, size_t *size) {
    *size = (size_t)bg2_get(c, type);
    c->in_at += *size;
    return c->in + c->in_at - *size;
}

static inline const uint8_t *bg2_get_bytes(struct bg2 *c, size_t *size) { return bg2_string(c, BG2_BYTES, size); }
static inline const char *bg2_get_text(struct bg2 *c, size_t *size) { return (const char *)bg2_string(c, BG2_TEXT, size); }

/* Whether the next field is null; only then it is read. */
static inline int bg2_get_null(struct bg2 *c) {
    int null = !c->broken && c->in_at < c->in_size && c->in[c->in_at] == 0xf6;
    c->in_at += (size_t)null;
    return null;
}

static inline int bg2_get_bool(struct bg2 *c) {
    uint8_t head = c->in_at < c->in_size ? c->in[c->in_at] : 0;
    if (head != 0xf4 && head != 0xf5) bg2_break(c, "a field has another type");
    c->in_at += !c->broken;
    return !c->broken && head == 0xf5;
}

static inline void bg2_read(struct bg2 *c, uint8_t *data, size_t size) {
    if (!c->broken && fread(data, 1, size, c->from) != size) bg2_break(c, "the server is gone");
}

static inline void bg2_write(struct bg2 *c, size_t size) {
    if (!c->broken && (fwrite(c->out, 1, size, c->to) != size || fflush(c->to))) bg2_break(c, "the server is gone");
}

static inline size_t bg2_length(const uint8_t *bytes) {
    return bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;
}

/* Reads the body of the next frame. */
static inline void bg2_receive(struct bg2 *c) {
    uint8_t length[4] = {0};
    bg2_read(c, length, 4);
    c->in_size = bg2_length(length);
    c->in_at = 0;
    if (c->in_size == 0 || c->in_size > sizeof c->in) bg2_break(c, "frame length is out of bounds");
    bg2_read(c, c->in, c->in_size);
    if (!c->broken && !bg2_is_canonical(c->in, c->in_size)) bg2_break(c, "frame is not canonical CBOR");
}

/* Reads the three numbers in front of the fields; returns the kind of frame. */
static inline uint64_t bg2_preface(struct bg2 *c, uint64_t *id) {
    if (bg2_get_array(c) != 4) bg2_break(c, "another number of fields");
    if (bg2_get_number(c) != BG2_VERSION) bg2_break(c, "another protocol version");
    *id = bg2_get_number(c);
    return bg2_get_number(c);
}

/* Reads a frame and, unless it is an answer, its fields, of which an answer must have `fields`. */
static inline int bg2_frame(struct bg2 *c, uint64_t wanted, size_t fields) {
    bg2_receive(c);
    uint64_t id, kind = bg2_preface(c, &id), size = bg2_get_array(c);
    if (kind > BG2_EVENT) bg2_break(c, "no such kind of frame");
    if (kind != BG2_EVENT && id != wanted) bg2_break(c, "answer to another request");
    if (size != (kind == BG2_ANSWER ? fields : 4)) bg2_break(c, "another number of fields");
    if (kind == BG2_EVENT) {
        if (bg2_get_number(c) != ++c->sequence) bg2_break(c, "an event is missing");
        bg2_get_number(c); /* when, in milliseconds of the device's clock */
        uint64_t event = bg2_get_number(c);
        size = bg2_get_array(c);
        if (!c->broken) c->on_event(c, id, event, size);
    } else if (kind == BG2_REFUSAL) {
        const char *code = bg2_get_text(c, &fields);
        snprintf(c->code, sizeof c->code, "%.*s", (int)fields, code);
        const char *message = bg2_get_text(c, &fields);
        snprintf(c->message, sizeof c->message, "%.*s", (int)fields, message);
    }
    return c->broken ? BG2_BROKEN : (int)kind;
}

static inline int bg2_answer(struct bg2 *c, uint64_t wanted, size_t fields) {
    int kind;
    do kind = bg2_frame(c, wanted, fields);
    while (kind == BG2_EVENT);
    return kind;
}

/* Sends the request. BG2_ANSWER with `fields` to read, BG2_REFUSAL with code and message, or BG2_BROKEN. */
static inline int bg2_call(struct bg2 *c, size_t fields) {
    for (int i = 0; i < 4; i++) c->out[i] = (uint8_t)((c->out_size - 4) >> 8 * i);
    bg2_write(c, c->out_size);
    return bg2_answer(c, c->id, fields);
}

/* Starts `command` (as for execvp) and reads hello, whose fields are next to be read. Returns 0 or BG2_BROKEN. */
static inline int bg2_start(struct bg2 *c, char *const command[], bg2_handler *on_event) {
    int down[2], up[2];
    memset(c, 0, sizeof *c);
    c->on_event = on_event;
    signal(SIGPIPE, SIG_IGN); /* a dead server is an error of fwrite, not the end of this process */
    if (pipe(down) || pipe(up) || (c->child = fork()) < 0) return bg2_break(c, "cannot start the server"), BG2_BROKEN;
    if (c->child == 0) {
        dup2(down[0], 0), dup2(up[1], 1);
        close(down[0]), close(down[1]), close(up[0]), close(up[1]);
        signal(SIGPIPE, SIG_DFL);
        execvp(command[0], command);
        _exit(127);
    }
    close(down[0]), close(up[1]);
    if (!(c->to = fdopen(down[1], "w")) || !(c->from = fdopen(up[0], "r"))) bg2_break(c, "no memory");
    return bg2_answer(c, 0, BG2_HELLO_FIELDS);
}

/* Ends the server by ending its input; returns its exit code. */
static inline int bg2_stop(struct bg2 *c) {
    int status = 0;
    fclose(c->to), fclose(c->from);
    waitpid(c->child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Sends recorded requests and compares what comes; returns how many frames came as recorded, or BG2_BROKEN. */
static inline long bg2_replay(struct bg2 *c, FILE *frames, long *requests) {
    uint8_t head[5];
    long compared = 0;
    uint64_t id;
    for (*requests = 0; !c->broken && fread(head, 1, 5, frames) == 5;) {
        size_t size = bg2_length(head + 1);
        if (size > BG2_FRAME_BYTES || fread(c->out + 4, 1, size, frames) != size) bg2_break(c, "file of frames is damaged");
        memcpy(c->out, head + 1, 4);
        if (head[0] == '>') {
            bg2_write(c, size + 4);
            ++*requests;
            continue;
        }
        bg2_receive(c);
        if (c->in_size != size || memcmp(c->in, c->out + 4, size)) bg2_break(c, "a frame differs from the recorded one");
        c->sequence += bg2_preface(c, &id) == BG2_EVENT;
        compared++;
    }
    return c->broken ? BG2_BROKEN : compared;
}
#endif

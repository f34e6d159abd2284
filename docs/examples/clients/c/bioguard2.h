/* A client of `bioguard serve --stdio --protocol 2` (docs/formats/serve-2.md) in C99 with POSIX (_POSIX_C_SOURCE).
 *
 * bg2_start reads hello, bg2_call sends a request and reads its answer; their fields are then read one by one with
 * bg2_get_... . Events that stand before the answer go to the handler, which reads their fields and sends nothing. What
 * the server may not send sets `broken`: from then on every call does nothing and returns 0 or BG2_BROKEN.
 */
#ifndef BIOGUARD2_H
#define BIOGUARD2_H
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BG2_VERSION = 2, BG2_FRAME_BYTES = 1 << 20, BG2_DEPTH = 8, BG2_HELLO_FIELDS = 14 };
#define BG2_ANY UINT64_MAX
enum { BG2_FALSE = 20, BG2_TRUE = 21, BG2_NULL = 22 }; /* of bg2_get_simple */
enum { BG2_ANSWER = 0, BG2_REFUSAL = 1, BG2_EVENT = 2, BG2_BROKEN = -1 };
enum bg2_type { BG2_UNSIGNED, BG2_BYTES = 2, BG2_TEXT, BG2_ARRAY, BG2_SIMPLE = 7, BG2_END };
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

/* The end of one item in canonical CBOR without maps, tags, floats and negative numbers; NULL for anything else. */
static inline const uint8_t *bg2_item(const uint8_t *at, const uint8_t *end, int depth) {
    uint64_t value;
    if (at >= end) return NULL;
    enum bg2_type type = (enum bg2_type)(*at >> 5);
    if (*at >= 0xf4 && *at <= 0xf6) return at + 1;
    if (!bg2_argument(&at, end, &value)) return NULL;
    if (type == BG2_UNSIGNED) return at;
    if (type < BG2_BYTES || type > BG2_ARRAY || value > (uint64_t)(end - at)) return NULL;
    if (type == BG2_ARRAY && depth < 1) return NULL;
    for (; at && value && type != BG2_BYTES; value--)
        at = type == BG2_ARRAY ? bg2_item(at, end, depth - 1) : *at > 0x7f ? NULL : at + 1;
    return at ? at + value : NULL;
}

static inline void bg2_put(struct bg2 *c, const void *data, size_t size) {
    if (size > sizeof c->out - c->out_size) bg2_break(c, "request is too long");
    if (c->broken || size == 0) return;
    memcpy(c->out + c->out_size, data, size);
    c->out_size += size;
}

static inline void bg2_head(struct bg2 *c, enum bg2_type type, uint64_t value) {
    int info = value < 24 ? (int)value : value < 0x100 ? 24 : value < 0x10000 ? 25 : value >> 32 ? 27 : 26;
    uint8_t head[9] = {(uint8_t)((int)type << 5 | info)};
    size_t width = info < 24 ? 0 : (size_t)1 << (info - 24);
    for (size_t i = width; i; i--, value >>= 8) head[i] = (uint8_t)value;
    bg2_put(c, head, width + 1);
}

/* Writes values by a format: [ and a digit: a list of so many; u uint64_t; s a C string as bytes; b const void * and
 * size_t as bytes; ? int as a boolean; 0 null. */
static inline void bg2_write_values(struct bg2 *c, const char *format, va_list values) {
    for (; *format; format++) {
        if (*format == '[') bg2_head(c, BG2_ARRAY, (uint64_t)(*++format - '0'));
        else if (*format == 'u') bg2_head(c, BG2_UNSIGNED, va_arg(values, uint64_t));
        else if (*format == '?') bg2_put(c, va_arg(values, int) ? "\xf5" : "\xf4", 1);
        else if (*format == '0') bg2_put(c, "\xf6", 1);
        else {
            const char *data = va_arg(values, const char *);
            size_t size = *format == 's' ? strlen(data) : va_arg(values, size_t);
            bg2_head(c, BG2_BYTES, size);
            bg2_put(c, data, size);
        }
    }
}

static inline enum bg2_type bg2_next(const struct bg2 *c) {
    return c->in_at < c->in_size ? (enum bg2_type)(c->in[c->in_at] >> 5) : BG2_END;
}

static inline uint64_t bg2_get(struct bg2 *c, enum bg2_type type) {
    uint64_t value = 0;
    const uint8_t *at = c->in + c->in_at;
    if (bg2_next(c) != type) bg2_break(c, "a field has another type");
    if (c->broken) return 0;
    bg2_argument(&at, c->in + c->in_size, &value);
    c->in_at = (size_t)(at - c->in);
    return value;
}
static inline uint64_t bg2_get_number(struct bg2 *c) { return bg2_get(c, BG2_UNSIGNED); }
static inline uint64_t bg2_get_simple(struct bg2 *c) { return bg2_get(c, BG2_SIMPLE); }
static inline size_t bg2_get_array(struct bg2 *c) { return (size_t)bg2_get(c, BG2_ARRAY); }

/* A byte string or text; it stays until the next frame is read. */
static inline const void *bg2_get_string(struct bg2 *c, enum bg2_type type, size_t *size) {
    *size = (size_t)bg2_get(c, type);
    c->in_at += *size;
    return c->in + c->in_at - *size;
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

/* Reads a frame up to the fields of an answer. BG2_ANY: a recorded one, which is compared and not looked into. */
static inline int bg2_frame(struct bg2 *c, uint64_t wanted, uint64_t fields) {
    uint8_t length[4] = {0};
    size_t size;
    bg2_read(c, length, 4);
    c->in_size = bg2_length(length), c->in_at = 0;
    if (c->in_size == 0 || c->in_size > sizeof c->in) bg2_break(c, "frame length is out of bounds");
    bg2_read(c, c->in, c->in_size);
    const uint8_t *end = c->in + c->in_size;
    if (!c->broken && bg2_item(c->in, end, BG2_DEPTH) != end) bg2_break(c, "frame is not canonical CBOR");
    if (bg2_get_array(c) != 4) bg2_break(c, "another number of fields");
    if (bg2_get_number(c) != BG2_VERSION) bg2_break(c, "another protocol version");
    uint64_t id = bg2_get_number(c), kind = bg2_get_number(c), count = bg2_get_array(c);
    if (kind > BG2_EVENT) bg2_break(c, "no such kind of frame");
    if (kind != BG2_EVENT && id != wanted && wanted != BG2_ANY) bg2_break(c, "answer to another request");
    if (kind == BG2_ANSWER && fields == BG2_ANY) fields = count;
    if (count != (kind == BG2_ANSWER ? fields : 4)) bg2_break(c, "another number of fields");
    if (kind == BG2_EVENT) {
        static const uint8_t event_fields[] = {0, 1, 1, 2, 6, 2, 2, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 3, 0, 1, 4};
        if (bg2_get_number(c) != ++c->sequence) bg2_break(c, "an event is missing");
        bg2_get_number(c); /* when, in milliseconds of the device's clock */
        uint64_t event = bg2_get_number(c);
        count = bg2_get_array(c);
        int known = event < sizeof event_fields;
        if (known && count != event_fields[event]) bg2_break(c, "another number of fields");
        if (!c->broken && known && wanted != BG2_ANY) c->on_event(c, id, event, (size_t)count);
    } else if (kind == BG2_REFUSAL) {
        const char *code = bg2_get_string(c, BG2_TEXT, &size);
        snprintf(c->code, sizeof c->code, "%.*s", (int)size, code);
        const char *message = bg2_get_string(c, BG2_TEXT, &size);
        snprintf(c->message, sizeof c->message, "%.*s", (int)size, message);
    }
    return c->broken ? BG2_BROKEN : (int)kind;
}

/* Sends a request, its list of fields by a format; reads its answer: BG2_ANSWER with `fields` to read, BG2_REFUSAL with
 * code and message, BG2_BROKEN. */
static inline int bg2_call(struct bg2 *c, enum bg2_method method, uint64_t fields, const char *format, ...) {
    va_list values;
    int kind;
    c->out_size = 4, bg2_head(c, BG2_ARRAY, 4);
    const uint64_t preface[] = {BG2_VERSION, ++c->id, (uint64_t)method};
    for (int i = 0; i < 3; i++) bg2_head(c, BG2_UNSIGNED, preface[i]);
    va_start(values, format);
    bg2_write_values(c, format, values);
    va_end(values);
    for (int i = 0; i < 4; i++) c->out[i] = (uint8_t)((c->out_size - 4) >> 8 * i);
    bg2_write(c, c->out_size);
    while ((kind = bg2_frame(c, c->id, fields)) == BG2_EVENT) continue;
    return kind;
}

/* Starts `command` (as for execvp) and reads hello; the fields after its version are next. Returns 0 or BG2_BROKEN. */
static inline int bg2_start(struct bg2 *c, char *const command[], bg2_handler *on_event) {
    int down[2], up[2];
    memset(c, 0, sizeof *c);
    c->on_event = on_event;
    signal(SIGPIPE, SIG_IGN); /* a dead server is an error of fwrite, not the end of this process */
    if (pipe(down) || pipe(up) || (c->child = fork()) < 0) return bg2_break(c, "cannot start the server"), BG2_BROKEN;
    if (c->child == 0) {
        dup2(down[0], 0), dup2(up[1], 1);
        close(down[0]), close(down[1]), close(up[0]), close(up[1]);
        signal(SIGPIPE, SIG_DFL), execvp(command[0], command);
        _exit(127);
    }
    close(down[0]), close(up[1]);
    if (!(c->to = fdopen(down[1], "w")) || !(c->from = fdopen(up[0], "r"))) bg2_break(c, "no memory");
    int kind = bg2_frame(c, 0, BG2_HELLO_FIELDS);
    if (bg2_get_number(c) != BG2_VERSION) bg2_break(c, "another protocol version");
    return c->broken ? BG2_BROKEN : kind;
}

/* Ends the server by ending its input; returns its exit code. */
static inline int bg2_stop(struct bg2 *c) {
    int status = 0;
    fclose(c->to), fclose(c->from);
    waitpid(c->child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Sends the requests of a file of frames and compares what comes. Returns how many frames came as recorded. */
static inline long bg2_replay(struct bg2 *c, const char *path, long *requests) {
    uint8_t head[5];
    long compared = *requests = 0;
    FILE *file = fopen(path, "rb");
    if (!file) return bg2_break(c, "no such file of frames"), BG2_BROKEN;
    while (!c->broken && fread(head, 1, 5, file) == 5) {
        size_t size = bg2_length(head + 1);
        if (size > BG2_FRAME_BYTES || fread(c->out + 4, 1, size, file) != size) bg2_break(c, "file is damaged");
        memcpy(c->out, head + 1, 4);
        if (head[0] == '>') ++*requests, bg2_write(c, size + 4);
        else if (bg2_frame(c, BG2_ANY, BG2_ANY), ++compared, c->in_size != size || memcmp(c->in, c->out + 4, size))
            bg2_break(c, "a frame differs from the recorded one");
    }
    fclose(file);
    return c->broken ? BG2_BROKEN : compared;
}
#endif

/* A client of `bioguard serve --stdio` in plain C99: enroll a face, authenticate it, check the token.
 *
 *   cc -std=c99 -o client docs/examples/bioguard_client.c -lm
 *   ./client bioguard --device ./phone serve --stdio
 *
 * The arguments are the command to start. Protocol: docs/formats/serve.md. It needs a device without a user "carol".
 * Prints one line per step and ends with 0, or says what went wrong and ends with 1.
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DIMENSION = 128, TOKEN_BYTES = 69, FRAME_BYTES = 1 << 20, FLOAT32 = 2, FACE = 2 };
enum { ADD_USER = 1, CONSENT = 4, SET_PIN = 10, VERIFY_PIN = 11, CHALLENGE = 20, ENROLL = 21, AUTHENTICATE = 22, CHECK_TOKEN = 30 };

static int to_child, from_child;
static uint8_t out[FRAME_BYTES], in[FRAME_BYTES];
static size_t out_size, in_size, in_at;

static void stop(const char *what) {
    fprintf(stderr, "client: %s\n", what);
    exit(1);
}

/* CBOR, the few forms we need: unsigned numbers, byte strings, text, arrays, booleans, null (RFC 8949). */
static void head(int major, uint64_t value) {
    int bytes = value < 24 ? 0 : value < 0x100 ? 1 : value < 0x10000 ? 2 : value < 0x100000000u ? 4 : 8;
    int info = bytes == 0 ? (int)value : bytes == 1 ? 24 : bytes == 2 ? 25 : bytes == 4 ? 26 : 27;
    out[out_size++] = (uint8_t)(major << 5 | info);
    for (int i = bytes - 1; i >= 0; i--) out[out_size++] = (uint8_t)(value >> 8 * i);
}

static void number(uint64_t value) { head(0, value); }
static void array(uint64_t count) { head(4, count); }
static void boolean(int value) { out[out_size++] = value ? 0xf5 : 0xf4; }
static void null(void) { out[out_size++] = 0xf6; }

static void bytes(const void *data, size_t size) {
    head(2, size);
    memcpy(out + out_size, data, size);
    out_size += size;
}

static uint64_t read_head(int *major) {
    if (in_at >= in_size) stop("answer is too short");
    uint8_t first = in[in_at++];
    int info = first & 31, count = info < 24 ? 0 : 1 << (info - 24);
    uint64_t value = (uint64_t)info;
    if (info > 27 || in_at + (size_t)count > in_size) stop("answer is not what we understand");
    *major = first >> 5;
    if (count) value = 0;
    for (int i = 0; i < count; i++) value = value << 8 | in[in_at++];
    return value;
}

static uint64_t read_value(int wanted) {
    int major;
    uint64_t value = read_head(&major);
    if (major != wanted) stop("answer has another type");
    return value;
}

static const uint8_t *read_bytes(int major, size_t *size) {
    *size = (size_t)read_value(major);
    if (*size > in_size - in_at) stop("answer is too short");
    in_at += *size;
    return in + in_at - *size;
}

static void write_all(const void *data, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = write(to_child, (const char *)data + done, size - done);
        if (n <= 0) stop("the server is gone");
        done += (size_t)n;
    }
}

static void read_all(void *data, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = read(from_child, (char *)data + done, size - done);
        if (n <= 0) stop("the server is gone");
        done += (size_t)n;
    }
}

/* Reads one frame up to its fields; prints a refusal and stops. */
static void answer(void) {
    uint8_t length[4];
    size_t size;
    read_all(length, 4);
    in_size = length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
    if (in_size == 0 || in_size > FRAME_BYTES) stop("bad frame length");
    read_all(in, in_size);
    in_at = 0;
    if (read_value(4) != 4 || read_value(0) != 1) stop("another protocol version");
    read_value(0);
    if (read_value(0) != 0) {
        read_value(4);
        const uint8_t *code = read_bytes(3, &size);
        fprintf(stderr, "client: refused: %.*s\n", (int)size, (const char *)code);
        exit(1);
    }
    read_value(4);
}

static void request(uint64_t method) {
    static uint64_t id;
    out_size = 0;
    array(4);
    number(1);
    number(++id);
    number(method);
}

static void call(void) {
    uint8_t length[4] = {(uint8_t)out_size, (uint8_t)(out_size >> 8), (uint8_t)(out_size >> 16), (uint8_t)(out_size >> 24)};
    write_all(length, 4);
    write_all(out, out_size);
    answer();
}

/* A face: a fixed direction, disturbed a little by `step`. Real clients send what their camera and model deliver. */
static void face(float *vector, int step) {
    for (int i = 0; i < DIMENSION; i++) vector[i] = (float)(sin(i * 1.7 + 0.3) + 0.05 * cos(i * 3.1 + step));
}

static void sample(int step) {
    float vector[DIMENSION];
    uint8_t little[4 * DIMENSION];
    face(vector, step);
    for (int i = 0; i < DIMENSION; i++) {
        uint32_t bits;
        memcpy(&bits, &vector[i], 4);
        for (int b = 0; b < 4; b++) little[4 * i + b] = (uint8_t)(bits >> 8 * b);
    }
    bytes(little, sizeof little);
}

static void start(char **command) {
    int down[2], up[2];
    if (pipe(down) || pipe(up)) stop("no pipes");
    pid_t child = fork();
    if (child < 0) stop("cannot fork");
    if (child == 0) {
        dup2(down[0], 0);
        dup2(up[1], 1);
        close(down[1]);
        close(up[0]);
        execvp(command[0], command);
        _exit(127);
    }
    close(down[0]);
    close(up[1]);
    to_child = down[1];
    from_child = up[0];
}

int main(int argc, char **argv) {
    static const char name[] = "carol", pin[] = "4711";
    uint8_t token[TOKEN_BYTES];
    size_t size;
    if (argc < 2) stop("usage: client COMMAND [ARGUMENT...]");
    start(argv + 1);
    answer();
    printf("server speaks version %llu\n", (unsigned long long)read_value(0));

    request(ADD_USER), array(1), bytes(name, 5), call();
    request(CONSENT), array(5), bytes(name, 5), number(FACE), number(365), boolean(1), bytes("", 0), call();
    request(SET_PIN), array(3), bytes(name, 5), bytes(pin, 4), null(), call();
    uint64_t secure_user_id = read_value(0);
    printf("user added, PIN set\n");

    request(CHALLENGE), array(2), bytes(name, 5), number(FACE), call();
    uint64_t challenge = read_value(0);
    request(VERIFY_PIN), array(3), bytes(name, 5), bytes(pin, 4), number(challenge), call();
    memcpy(token, read_bytes(2, &size), TOKEN_BYTES);
    request(ENROLL), array(6), bytes(name, 5), number(0), number(FLOAT32), array(3), sample(1), sample(2), sample(3);
    bytes(token, TOKEN_BYTES), boolean(0), call();
    printf("face enrolled\n");

    request(AUTHENTICATE), array(5), bytes(name, 5), number(FLOAT32), sample(4), number(0), number(0), call();
    if (in[in_at++] != 0xf5) stop("no match");
    read_bytes(2, &size);
    memcpy(token, read_bytes(2, &size), TOKEN_BYTES);
    if (size != TOKEN_BYTES) stop("the token has another size");
    printf("authenticated\n");

    request(CHECK_TOKEN), array(1), bytes(token, TOKEN_BYTES), call();
    if (read_value(0) != 0) stop("the token is for an operation");
    if (read_value(0) != secure_user_id) stop("the token is of another user");
    printf("token is genuine: type 2\n");

    close(to_child);
    int status = 0;
    wait(&status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

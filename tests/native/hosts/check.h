/* Checks of a host program: `CHECK(name) { EXPECT(...); }` at the start of a line, `RUN(name)` in main. Each prints one
 * line, "name ok" or "name FAILED file:line: what"; a check ends at its first failure. */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tee_client_api.h>

extern char check_failed[512];

#define CHECK(name) void check_##name(void)
#define RUN(name)                                                            \
    do {                                                                     \
        CHECK(name);                                                         \
        check_failed[0] = '\0';                                              \
        check_##name();                                                      \
        printf("%s %s%s\n", #name, check_failed[0] ? "FAILED " : "ok", check_failed); \
        fflush(stdout);                                                      \
    } while (0)
#define FAIL(...)                                                            \
    do {                                                                     \
        int at = snprintf(check_failed, sizeof(check_failed), "%s:%d: ", __FILE__, __LINE__); \
        snprintf(check_failed + at, sizeof(check_failed) - (size_t)at, __VA_ARGS__); \
        return;                                                              \
    } while (0)
#define EXPECT(condition)                                                    \
    do {                                                                     \
        if (!(condition))                                                    \
            FAIL("%s", #condition);                                          \
    } while (0)
#define EXPECT_IS(value, expected)                                           \
    do {                                                                     \
        uint64_t is_ = (uint64_t)(value), wants_ = (uint64_t)(expected);     \
        if (is_ != wants_)                                                   \
            FAIL("%s is 0x%" PRIx64 ", not 0x%" PRIx64, #value, is_, wants_); \
    } while (0)
#define EXPECT_FROM(call, expected, where)                                   \
    do {                                                                     \
        origin = 99;                                                         \
        EXPECT_IS(call, expected);                                           \
        EXPECT_IS(origin, where);                                            \
    } while (0)

enum { SAY = 1, FILL, NEED, REFUSE, WAIT, PANIC, SEE, COUNT, LOOK, WRITE };

static const TEEC_UUID PARROT = {0x5c6a7a3e, 0x52a3, 0x4a55, {0x9c, 0x0e, 0x2f, 0x8f, 0x8d, 0x1b, 0x7a, 0x01}};
static const TEEC_UUID NOBODY = {0x5c6a7a3e, 0x52a3, 0x4a55, {0x9c, 0x0e, 0x2f, 0x8f, 0x8d, 0x1b, 0x7a, 0xff}};

#endif

/*
 * Numbered checks that run inside a trusted application, for both ABIs from one source.
 *
 *     CHECK(memory_move_overlaps)
 *     {
 *         char text[] = "abcdef";
 *         TEE_MemMove(text + 1, text, 3);
 *         EXPECT(TEE_MemCompare(text, "aabcef", 6) == 0);
 *     }
 *
 * PANICS(name) is a check whose last call must not return. CHECK_11, PANICS_11, CHECK_13 and PANICS_13 are there in one ABI
 * only. tests/native/test_checks.py finds the names in the sources, runs each, and expects the table of the built
 * application to hold the same ones.
 */
#ifndef CHECK_H
#define CHECK_H

#include <tee_internal_api.h>

#ifdef __OPTEE_CORE_API_COMPAT_1_1
#define CHECKS_ABI 11
typedef uint32_t gp_size;
#else
#define CHECKS_ABI 13
typedef size_t gp_size;
#endif

struct check {
    const char *name;
    void (*run)(void);
    bool panics;
};

/* Remember the first expectation that failed. */
void check_failed(const char *file, int line, const char *what, unsigned long got);

#define EXPECT(condition)                                      \
    do {                                                       \
        if (!(condition)) {                                    \
            check_failed(__FILE__, __LINE__, #condition, 0);   \
            return;                                            \
        }                                                      \
    } while (0)

/* A result, which a failure names. */
#define EXPECT_RESULT(call, wanted)                            \
    do {                                                       \
        TEE_Result got_ = (call);                              \
        if (got_ != (wanted)) {                                \
            check_failed(__FILE__, __LINE__, #call, got_);     \
            return;                                            \
        }                                                      \
    } while (0)

#define EXPECT_OK(call) EXPECT_RESULT(call, TEE_SUCCESS)

#define EXPECT_BYTES(got, wanted, size)                        \
    do {                                                       \
        if (TEE_MemCompare(got, wanted, size) != 0) {          \
            check_failed(__FILE__, __LINE__, #got, 0);         \
            return;                                            \
        }                                                      \
    } while (0)

/* Found by the linker: every pointer of this section is a row of the table. */
#define CHECK_ROW(function, ends)                                                                \
    static void function(void);                                                                  \
    static const struct check check_##function = { #function, function, ends };                  \
    static const struct check *const row_##function                                              \
        __attribute__((section("check_rows"), used)) = &check_##function;                        \
    static void function(void)

#define CHECK(function) CHECK_ROW(function, false)
#define PANICS(function) CHECK_ROW(function, true)

#define CHECK_UNUSED(function) __attribute__((unused)) static void function(void)

#if CHECKS_ABI == 11
#define CHECK_11(function) CHECK(function)
#define PANICS_11(function) PANICS(function)
#define CHECK_13(function) CHECK_UNUSED(function)
#define PANICS_13(function) CHECK_UNUSED(function)
#else
#define CHECK_11(function) CHECK_UNUSED(function)
#define PANICS_11(function) CHECK_UNUSED(function)
#define CHECK_13(function) CHECK(function)
#define PANICS_13(function) PANICS(function)
#endif

#endif

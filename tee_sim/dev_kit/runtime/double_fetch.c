/* Changes what an application reads twice.
 *
 * On a device an input memory reference may be memory that the client still has: what was checked at one time can be
 * something else when it is read again. Here it is a copy, so nothing shows. An application that was compiled with
 * CFG_TA_DOUBLE_FETCH=y says before each of its accesses which one it is: the compiler's instrumentation for data races
 * (gcc and clang: -fsanitize=thread, compiled in and linked without its library) calls the functions below. Before a
 * byte of an input is read for the second time it is changed, once. No trap and no thread is needed, so this works
 * locked, and the same each time.
 *
 * What the application has written there itself is its own: it may be read once more. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "double_fetch.h"
#include "host.h"
#include "runtime.h"

enum { CHANGE = 0xFF };

static struct {
    uint8_t *data;
    size_t size;
    uint8_t read[MAX_PARAM_BYTES / 8], changed[MAX_PARAM_BYTES / 8]; /* a bit a byte */
} inputs[4];

static bool instrumented;

void fetch_begin(unsigned i, uint8_t *data, size_t size)
{
    inputs[i].data = data;
    inputs[i].size = size;
    if (instrumented) {
        memset(inputs[i].read, 0, (size + 7) / 8);
        memset(inputs[i].changed, 0, (size + 7) / 8);
    }
}

void fetch_end(void)
{
    for (unsigned i = 0; i < 4; i++)
        inputs[i].size = 0;
}

static void say(unsigned i, size_t at, const void *caller)
{
    char text[80];
    int size = snprintf(text, sizeof(text), "byte %zu of parameter %u is read again, and changes", at, i);

    report_at("double fetch", text, (size_t)size, caller);
}

static bool take_bit(uint8_t *bits, size_t at)
{
    bool before = (bits[at / 8] >> at % 8 & 1) != 0;

    bits[at / 8] = (uint8_t)(bits[at / 8] | 1u << at % 8);
    return before;
}

static void access_memory(const void *address, size_t size, bool write, const void *caller)
{
    for (unsigned i = 0; i < 4; i++) {
        size_t first = (uintptr_t)address - (uintptr_t)inputs[i].data;
        bool said = false;

        if (inputs[i].size == 0 || first >= inputs[i].size)
            continue;
        for (size_t at = first; at < inputs[i].size && at - first < size; at++) {
            if (write) {
                inputs[i].read[at / 8] = (uint8_t)(inputs[i].read[at / 8] & ~(1u << at % 8));
            } else if (take_bit(inputs[i].read, at) && !take_bit(inputs[i].changed, at)) {
                inputs[i].data[at] ^= CHANGE;
                if (!said)
                    say(i, at, caller);
                said = true;
            }
        }
        return;
    }
}

void fetch_read(const void *data, size_t size)
{
    if (instrumented && data != NULL)
        access_memory(data, size, false, __builtin_return_address(0));
}

/* --- What the compilers call. Names and types are theirs. --- */

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);

void __tsan_init(void)
{
    instrumented = true;
}

void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void)
{
}

#define HOOK(name, size, write)                                                       \
    void name(void *address);                                                         \
    void name(void *address)                                                          \
    {                                                                                 \
        access_memory(address, size, write, __builtin_return_address(0));             \
    }
#define HOOKS(size)                                                                   \
    HOOK(__tsan_read##size, size, false)                                              \
    HOOK(__tsan_write##size, size, true)                                              \
    HOOK(__tsan_volatile_read##size, size, false)                                     \
    HOOK(__tsan_volatile_write##size, size, true)                                     \
    HOOK(__tsan_unaligned_read##size, size, false)                                    \
    HOOK(__tsan_unaligned_write##size, size, true)                                    \
    /* one access that does both: what is read is written back */                     \
    HOOK(__tsan_read_write##size, size, false)                                        \
    HOOK(__tsan_unaligned_read_write##size, size, false)

HOOKS(1)
HOOKS(2)
HOOKS(4)
HOOKS(8)
HOOKS(16)

#define RANGE_HOOK(name, write)                                                       \
    void name(void *address, unsigned long size);                                     \
    void name(void *address, unsigned long size)                                      \
    {                                                                                 \
        access_memory(address, size, write, __builtin_return_address(0));             \
    }

RANGE_HOOK(__tsan_read_range, false)
RANGE_HOOK(__tsan_write_range, true)

/* The compiler leaves calls of these as they are; newer ones of clang name them apart. */
#define COPY_HOOK(name, function)                                                     \
    void *name(void *to, const void *from, size_t size);                              \
    void *name(void *to, const void *from, size_t size)                               \
    {                                                                                 \
        access_memory(from, size, false, __builtin_return_address(0));                \
        access_memory(to, size, true, __builtin_return_address(0));                   \
        return function(to, from, size);                                              \
    }

COPY_HOOK(__wrap_memcpy, memcpy)
COPY_HOOK(__wrap_memmove, memmove)
COPY_HOOK(__tsan_memcpy, memcpy)
COPY_HOOK(__tsan_memmove, memmove)

void *__tsan_memset(void *to, int byte, size_t size);
void *__tsan_memset(void *to, int byte, size_t size)
{
    access_memory(to, size, true, __builtin_return_address(0));
    return memset(to, byte, size);
}

int __wrap_memcmp(const void *one, const void *other, size_t size);
int __wrap_memcmp(const void *one, const void *other, size_t size)
{
    access_memory(one, size, false, __builtin_return_address(0));
    access_memory(other, size, false, __builtin_return_address(0));
    return memcmp(one, other, size);
}

/* What a TA calls of the C library and may not have from there: its heap is the instance's, what it prints are reports,
 * and to end the process is a panic. The linker calls these in their place (--wrap). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "memory.h"
#include "panic.h"
#include "runtime.h"

void *__wrap_malloc(size_t size)
{
    return memory_get(size, false);
}

void *__wrap_calloc(size_t count, size_t size)
{
    size_t all;

    return __builtin_mul_overflow(count, size, &all) ? NULL : memory_get(all, true);
}

void *__wrap_realloc(void *block, size_t size)
{
    return block == NULL ? memory_get(size, false) : memory_resize(block, size);
}

void __wrap_free(void *block)
{
    memory_put(block);
}

int __wrap_vprintf(const char *format, va_list arguments)
{
    char line[512];
    int size;

    if (!config.reports)
        return vsnprintf(NULL, 0, format, arguments);
    size = vsnprintf(line, sizeof(line), format, arguments);
    if (size > 0)
        report_text(line, (size_t)size < sizeof(line) ? (size_t)size : sizeof(line) - 1);
    return size;
}

int __wrap_printf(const char *format, ...)
{
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = __wrap_vprintf(format, arguments);
    va_end(arguments);
    return size;
}

int __wrap_puts(const char *text)
{
    report_text(text, strlen(text));
    report_text("\n", 1);
    return 0;
}

int __wrap_putchar(int character)
{
    char one = (char)character;

    report_text(&one, 1);
    return (unsigned char)character;
}

_Noreturn void __wrap_abort(void)
{
    panic_because(ERROR_BAD_STATE, "abort");
}

_Noreturn void __wrap_exit(int status)
{
    (void)status;
    panic_because(ERROR_BAD_STATE, "exit");
}

_Noreturn void __wrap___assert_fail(const char *condition, const char *path, unsigned line, const char *function)
{
    char text[256];

    snprintf(text, sizeof(text), "assert(%s) of %s, %s:%u", condition, function, path, line);
    panic_because(ERROR_BAD_STATE, text);
}

/* Called by compiled code. The stack that it would return to was written over: no way back, not even to the host. */
_Noreturn void __stack_chk_fail(void)
{
    __builtin_trap();
}

void trace_vprintf(const char *function, int line, int level, bool level_ok, const char *format, va_list arguments)
{
    char text[512];
    int begun = 0, size;

    if (!config.reports)
        return;
    if (level_ok && level > 0 && level <= 4)
        begun = snprintf(text, sizeof(text), "%c %s:%d ", "-EIDF"[level], function == NULL ? "" : function, line);
    if (begun < 0 || (size_t)begun >= sizeof(text))
        begun = 0;
    size = vsnprintf(text + begun, sizeof(text) - (size_t)begun, format, arguments);
    if (size < 0)
        return;
    /* Some formats end their line themselves, and some have more than one. */
    for (char *one = text, *end; one != NULL; one = end) {
        end = strchr(one, '\n');
        if (end != NULL)
            *end++ = 0;
        report_line(one, strlen(one));
        if (end != NULL && *end == 0)
            break;
    }
}

void trace_printf(const char *function, int line, int level, bool level_ok, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    trace_vprintf(function, line, level, level_ok, format, arguments);
    va_end(arguments);
}

void dhex_dump(const char *function, int line, int level, const void *buffer, int len)
{
    const uint8_t *bytes = buffer;

    for (int at = 0; config.reports && at < len; at += 16) {
        char text[64] = "";

        for (int i = at; i < len && i < at + 16; i++)
            snprintf(text + 3 * (i - at), sizeof(text) - 3 * (size_t)(i - at), "%02x ", bytes[i]);
        trace_printf(function, line, level, true, "%04x: %s", (unsigned)at, text);
    }
}

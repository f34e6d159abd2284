/* What the compiler calls in the place of functions of the C library where it knows how much room there is
 * (_FORTIFY_SOURCE). The library would open a terminal to say what it found; here an overrun is a panic. */
#undef _FORTIFY_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "panic.h"

static void need(size_t size, size_t room)
{
    if (size > room)
        panic_because(ERROR_BAD_STATE, "an overrun that the compiler had the size for");
}

void *__memcpy_chk(void *to, const void *from, size_t size, size_t room)
{
    need(size, room);
    return memcpy(to, from, size);
}

void *__memmove_chk(void *to, const void *from, size_t size, size_t room)
{
    need(size, room);
    return memmove(to, from, size);
}

void *__mempcpy_chk(void *to, const void *from, size_t size, size_t room)
{
    need(size, room);
    return mempcpy(to, from, size);
}

void *__memset_chk(void *to, int value, size_t size, size_t room)
{
    need(size, room);
    return memset(to, value, size);
}

void __explicit_bzero_chk(void *to, size_t size, size_t room)
{
    need(size, room);
    explicit_bzero(to, size);
}

char *__strcpy_chk(char *to, const char *from, size_t room)
{
    need(strlen(from) + 1, room);
    return strcpy(to, from);
}

char *__stpcpy_chk(char *to, const char *from, size_t room)
{
    need(strlen(from) + 1, room);
    return stpcpy(to, from);
}

char *__strncpy_chk(char *to, const char *from, size_t size, size_t room)
{
    need(size, room);
    return strncpy(to, from, size);
}

char *__stpncpy_chk(char *to, const char *from, size_t size, size_t room)
{
    need(size, room);
    return stpncpy(to, from, size);
}

char *__strcat_chk(char *to, const char *from, size_t room)
{
    need(strlen(to) + strlen(from) + 1, room);
    return strcat(to, from);
}

char *__strncat_chk(char *to, const char *from, size_t size, size_t room)
{
    need(strlen(to) + strnlen(from, size) + 1, room);
    return strncat(to, from, size);
}

int __vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, va_list arguments)
{
    (void)flag;
    need(size, room);
    return vsnprintf(to, size, format, arguments);
}

int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...)
{
    va_list arguments;
    int written;

    va_start(arguments, format);
    written = __vsnprintf_chk(to, size, flag, room, format, arguments);
    va_end(arguments);
    return written;
}

int __vsprintf_chk(char *to, int flag, size_t room, const char *format, va_list arguments)
{
    int written = vsnprintf(to, room, format, arguments);

    (void)flag;
    if (written >= 0)
        need((size_t)written + 1, room);
    return written;
}

int __sprintf_chk(char *to, int flag, size_t room, const char *format, ...)
{
    va_list arguments;
    int written;

    va_start(arguments, format);
    written = __vsprintf_chk(to, flag, room, format, arguments);
    va_end(arguments);
    return written;
}

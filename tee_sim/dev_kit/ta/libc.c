/*
 * What an application may call of the C library and that library must not do itself: copies of strings, which have to
 * lie on the application's heap, and printf as _FORTIFY_SOURCE has it called, which some compilers define by themselves
 * (its checks are left out).
 */
#undef _FORTIFY_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t most);
int __wrap___printf_chk(int flag, const char *format, ...);
int __wrap___vprintf_chk(int flag, const char *format, va_list arguments);

char *__wrap_strndup(const char *text, size_t most)
{
    size_t length = strnlen(text, most);
    char *copy = malloc(length + 1);

    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = 0;
    }
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, strlen(text));
}

int __wrap___vprintf_chk(int flag, const char *format, va_list arguments)
{
    (void)flag;
    return vprintf(format, arguments);
}

int __wrap___printf_chk(int flag, const char *format, ...)
{
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = __wrap___vprintf_chk(flag, format, arguments);
    va_end(arguments);
    return size;
}

/* printf as _FORTIFY_SOURCE has it called; some compilers define that by themselves. Its checks are left out. */
#undef _FORTIFY_SOURCE
#include <stdarg.h>
#include <stdio.h>

int __wrap___printf_chk(int flag, const char *format, ...);
int __wrap___vprintf_chk(int flag, const char *format, va_list arguments);

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

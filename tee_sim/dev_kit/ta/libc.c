/*
 * What an application may call of others and that is compiled into each: UUIDs as text; copies of strings, which have to
 * lie on the application's heap, and printf as _FORTIFY_SOURCE has it called, which some compilers define by themselves
 * (its checks are left out).
 */
#undef _FORTIFY_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <printk.h>
#include <tee_internal_api_extensions.h>

char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t most);
int __wrap___printf_chk(int flag, const char *format, ...);
int __wrap___vprintf_chk(int flag, const char *format, va_list arguments);

/* What the start files would define; clang's coverage has the file written at exit, of the object with this handle */
extern void *__dso_handle __attribute__((visibility("hidden")));
void *__dso_handle __attribute__((weak)) = &__dso_handle;

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

TEE_Result tee_uuid_from_str(TEE_UUID *uuid, const char *text)
{
    uint8_t bytes[16] = {0};
    unsigned digits = 0;

    for (unsigned i = 0; i < 36; i++) {
        char one = text[i];
        unsigned value = one >= '0' && one <= '9'   ? (unsigned)(one - '0')
                         : one >= 'a' && one <= 'f' ? (unsigned)(one - 'a') + 10
                         : one >= 'A' && one <= 'F' ? (unsigned)(one - 'A') + 10
                                                    : 16;

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (one != '-')
                return TEE_ERROR_BAD_PARAMETERS;
            continue;
        }
        if (value == 16)
            return TEE_ERROR_BAD_PARAMETERS;
        bytes[digits / 2] = (uint8_t)(bytes[digits / 2] << 4 | value);
        digits++;
    }
    if (text[36] != 0)
        return TEE_ERROR_BAD_PARAMETERS;
    uuid->timeLow = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    uuid->timeMid = (uint16_t)(bytes[4] << 8 | bytes[5]);
    uuid->timeHiAndVersion = (uint16_t)(bytes[6] << 8 | bytes[7]);
    memcpy(uuid->clockSeqAndNode, bytes + 8, 8);
    return TEE_SUCCESS;
}

int vsnprintk(char *text, size_t size, const char *format, va_list arguments)
{
    size_t before = strcspn(format, "%");
    const uint8_t *node;
    const TEE_UUID *uuid;
    size_t written;
    int first;
    int rest;

    if (strncmp(format + before, "%pUl", 4) != 0)
        return vsnprintf(text, size, format, arguments);
    uuid = va_arg(arguments, const TEE_UUID *);
    node = uuid->clockSeqAndNode;
    first = snprintf(text, size, "%.*s%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", (int)before, format,
                     (unsigned)uuid->timeLow, (unsigned)uuid->timeMid, (unsigned)uuid->timeHiAndVersion, node[0], node[1],
                     node[2], node[3], node[4], node[5], node[6], node[7]);
    if (first < 0)
        return first;
    written = (size_t)first < size ? (size_t)first : size;
    rest = vsnprintf(written < size ? text + written : NULL, size - written, format + before + 4, arguments);
    return rest < 0 ? rest : first + rest;
}

int snprintk(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintk(text, size, format, arguments);
    va_end(arguments);
    return length;
}

#ifdef TA_CLANG_COVERAGE
void __gcov_dump(void);
void __gcov_reset(void);

/* clang would write at the end of the process, which nobody waits for; what was written must not be added again then */
__attribute__((destructor)) static void write_coverage(void)
{
    __gcov_dump();
    __gcov_reset();
}
#endif

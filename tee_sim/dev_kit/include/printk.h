/* Text into memory, with UUIDs in it. */
#ifndef PRINTK_H
#define PRINTK_H

#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * As snprintf and vsnprintf. Where the first conversion is %pUl, its argument is a pointer to a TEE_UUID, which is written
 * as text in lower case; a later one writes the pointer.
 */
int snprintk(char *text, size_t size, const char *format, ...) __attribute__((__format__(__printf__, 3, 4)));
int vsnprintk(char *text, size_t size, const char *format, va_list arguments) __attribute__((__format__(__printf__, 3, 0)));

#ifdef __cplusplus
}
#endif

#endif

/* Functions on strings and memory that C11 lacks. */
#ifndef STRING_EXT_H
#define STRING_EXT_H

#include <stddef.h>
#include <string.h>

/* under names of their own: newer C libraries declare strlcpy and strlcat themselves */
#define strlcpy tee_strlcpy
#define strlcat tee_strlcat

/* Copy at most size - 1 characters and end them with 0; the length of `source` is returned. */
static inline size_t tee_strlcpy(char *destination, const char *source, size_t size)
{
    size_t length = strlen(source);
    size_t copied = length < size ? length : size - 1;

    if (size != 0) {
        memcpy(destination, source, copied);
        destination[copied] = 0;
    }
    return length;
}

/* Append as tee_strlcpy copies; the length of what it tried to make is returned. */
static inline size_t tee_strlcat(char *destination, const char *source, size_t size)
{
    size_t used = strnlen(destination, size);

    if (used == size)
        return size + strlen(source);
    return used + tee_strlcpy(destination + used, source, size - used);
}

/* 0 if equal; the time depends on `size` only. */
static inline int consttime_memcmp(const void *first, const void *second, size_t size)
{
    const volatile unsigned char *one = (const volatile unsigned char *)first;
    const volatile unsigned char *other = (const volatile unsigned char *)second;
    unsigned char difference = 0;

    for (size_t i = 0; i < size; i++)
        difference |= (unsigned char)(one[i] ^ other[i]);
    return difference;
}

/* Filled with 0, also where the compiler sees that nobody reads it again. */
static inline void memzero_explicit(void *memory, size_t size)
{
    memset(memory, 0, size);
    __asm__ volatile("" : : "r"(memory) : "memory");
}

#define buf_compare_ct(first, second, size) consttime_memcmp((first), (second), (size))

#endif

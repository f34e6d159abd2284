/* Small macros that applications share. */
#ifndef UTIL_H
#define UTIL_H

#include <stddef.h>
#include <stdint.h>

#include <compiler.h>

#define SIZE_4K 0x1000u
#define SIZE_1M 0x100000u

#ifndef MAX
#define MAX(a, b) \
    (__extension__({ \
        __typeof__(a) max_a = (a); \
        __typeof__(b) max_b = (b); \
        max_a > max_b ? max_a : max_b; \
    }))
#endif
#ifndef MIN
#define MIN(a, b) \
    (__extension__({ \
        __typeof__(a) min_a = (a); \
        __typeof__(b) min_b = (b); \
        min_a < min_b ? min_a : min_b; \
    }))
#endif

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

/* Multiples: `size` has to be a power of two for ROUNDUP and ROUNDDOWN */
#define ROUNDUP(value, size) ((((value) - 1) | ((__typeof__(value))(size) - 1)) + 1)
#define ROUNDDOWN(value, size) ((value) & ~((__typeof__(value))(size) - 1))
#define ROUNDUP_DIV(value, divisor) (((value) + (divisor) - 1) / (divisor))
#define IS_POWER_OF_TWO(value) (((value) != 0) && (((value) & ((value) - 1)) == 0))

#define container_of(pointer, type, member) \
    (__extension__({ \
        const __typeof__(((type *)0)->member) *container_member = (pointer); \
        (type *)((uintptr_t)container_member - offsetof(type, member)); \
    }))
#define member_size(type, member) sizeof(((type *)0)->member)

#ifndef BIT32
#define BIT32(number) (UINT32_C(1) << (number))
#endif
#ifndef BIT64
#define BIT64(number) (UINT64_C(1) << (number))
#endif
#ifndef BIT
#define BIT(number) BIT32(number)
#endif
#ifndef GENMASK_32
#define GENMASK_32(high, low) ((UINT32_MAX << (low)) & (UINT32_MAX >> (31 - (high))))
#endif

#endif

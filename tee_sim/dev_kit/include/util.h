/* Small macros that applications share. */
#ifndef UTIL_H
#define UTIL_H

#include <inttypes.h>
#include <stddef.h>

#include <compiler.h>

#define SIZE_4K ((uintptr_t)0x1000)
#define SIZE_1M ((uintptr_t)0x100000)
#define SIZE_2M ((uintptr_t)0x200000)
#define SIZE_4M ((uintptr_t)0x400000)
#define SIZE_8M ((uintptr_t)0x800000)
#define SIZE_2G ((uintptr_t)0x80000000)

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

/* The same as constants; each argument may be evaluated twice */
#define MAX_UNSAFE(a, b) ((a) > (b) ? (a) : (b))
#define MIN_UNSAFE(a, b) ((a) < (b) ? (a) : (b))

/* 1, 0 or -1 */
#define CMP_TRILEAN(a, b) \
    (__extension__({ \
        __typeof__(a) cmp_a = (a); \
        __typeof__(b) cmp_b = (b); \
        (cmp_a > cmp_b) - (cmp_a < cmp_b); \
    }))

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

/* Multiples: `size` has to be a power of two for ROUNDUP and ROUNDDOWN */
#define ROUNDUP(value, size) ((((value) - 1) | ((__typeof__(value))(size) - 1)) + 1)
#define ROUNDDOWN(value, size) ((value) & ~((__typeof__(value))(size) - 1))
#define ROUNDUP_DIV(value, divisor) (((value) + (divisor) - 1) / (divisor))
/* 0, and the result stored; else not 0 */
#define ROUNDUP_OVERFLOW(value, size, result) \
    (__extension__({ \
        __typeof__(*(result)) roundup_mask = (__typeof__(*(result)))(size) - 1; \
        int roundup_over = ADD_OVERFLOW((value), roundup_mask, (result)); \
        *(result) &= ~roundup_mask; \
        roundup_over; \
    }))
#define UDIV_ROUND_NEAREST(value, divisor) (((value) + (divisor) / 2) / (divisor))
#define IS_ALIGNED(value, size) (((value) & ((__typeof__(value))(size) - 1)) == 0)
#define IS_ALIGNED_WITH_TYPE(pointer, type) IS_ALIGNED((uintptr_t)(pointer), __alignof__(type))
#define ALIGNMENT_IS_OK(pointer, type) IS_ALIGNED_WITH_TYPE(pointer, type)
#define IS_POWER_OF_TWO(value) (((value) != 0) && (((value) & ((value) - 1)) == 0))

#define container_of(pointer, type, member) \
    (__extension__({ \
        const __typeof__(((type *)0)->member) *container_member = (pointer); \
        (type *)((uintptr_t)container_member - offsetof(type, member)); \
    }))
#define member_size(type, member) sizeof(((type *)0)->member)
#define MEMBER_SIZE(type, member) member_size(type, member)

#define TO_STR(text) TO_STR_OF(text)
#define TO_STR_OF(text) #text
#define CONCAT(first, second) CONCAT_OF(first, second)
#define CONCAT_OF(first, second) first##second

#ifndef BIT32
#define BIT32(number) (UINT32_C(1) << (number))
#endif
#ifndef BIT64
#define BIT64(number) (UINT64_C(1) << (number))
#endif
#ifndef BIT
#define BIT(number) BIT32(number)
#endif
#define SHIFT_U32(value, bits) ((uint32_t)(value) << (bits))
#define SHIFT_U64(value, bits) ((uint64_t)(value) << (bits))
#ifndef GENMASK_64
#define GENMASK_64(high, low) ((UINT64_MAX << (low)) & (UINT64_MAX >> (63 - (high))))
#endif
#ifndef GENMASK_32
#define GENMASK_32(high, low) ((UINT32_MAX << (low)) & (UINT32_MAX >> (31 - (high))))
#endif

/* A number of 64 bits as its upper and its lower half, as parameters carry it */
static inline uint64_t reg_pair_to_64(uint32_t upper, uint32_t lower)
{
    return (uint64_t)upper << 32 | lower;
}

static inline void reg_pair_from_64(uint64_t value, uint32_t *upper, uint32_t *lower)
{
    *upper = (uint32_t)(value >> 32);
    *lower = (uint32_t)value;
}

#endif

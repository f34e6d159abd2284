/* Short names for attributes of gcc and clang. */
#ifndef COMPILER_H
#define COMPILER_H

#ifndef __unused
#define __unused __attribute__((__unused__))
#endif
#ifndef __maybe_unused
#define __maybe_unused __attribute__((__unused__))
#endif
#ifndef __packed
#define __packed __attribute__((__packed__))
#endif
#ifndef __weak
#define __weak __attribute__((__weak__))
#endif
#ifndef __noreturn
#define __noreturn __attribute__((__noreturn__))
#endif
#ifndef __pure
#define __pure __attribute__((__pure__))
#endif
#ifndef __aligned
#define __aligned(bytes) __attribute__((__aligned__(bytes)))
#endif
#ifndef __printf
#define __printf(text, first) __attribute__((__format__(__printf__, text, first)))
#endif
#ifndef __noinline
#define __noinline __attribute__((__noinline__))
#endif
#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif
#ifndef __used
#define __used __attribute__((__used__))
#endif
#ifndef __section
#define __section(name) __attribute__((__section__(name)))
#endif
#ifndef __deprecated
#define __deprecated __attribute__((__deprecated__))
#endif
#ifndef __must_check
#define __must_check __attribute__((__warn_unused_result__))
#endif
#ifndef __fallthrough
#define __fallthrough __attribute__((__fallthrough__))
#endif
#ifndef fallthrough
#define fallthrough __attribute__((__fallthrough__))
#endif
#ifndef __cold
#define __cold __attribute__((__cold__))
#endif
#ifndef __alias
#define __alias(name) __attribute__((__alias__(name)))
#endif
#ifndef __attr_const
#define __attr_const __attribute__((__const__))
#endif
#ifndef __noprof
#define __noprof __attribute__((__no_instrument_function__))
#endif
#ifndef barrier
#define barrier() __asm__ volatile("" ::: "memory")
#endif
#ifndef likely
#define likely(condition) __builtin_expect(!!(condition), 1)
#endif
#ifndef unlikely
#define unlikely(condition) __builtin_expect(!!(condition), 0)
#endif

/* A statement that holds in every build, or ends it */
#ifndef COMPILE_TIME_ASSERT
#ifdef __cplusplus
#define COMPILE_TIME_ASSERT(condition) static_assert(condition, #condition)
#else
#define COMPILE_TIME_ASSERT(condition) \
    do { \
        _Static_assert(condition, #condition); \
    } while (0)
#endif
#endif

#define __compiler_bswap16(value) __builtin_bswap16(value)
#define __compiler_bswap32(value) __builtin_bswap32(value)
#define __compiler_bswap64(value) __builtin_bswap64(value)

/* 0, and the result stored; else not 0 */
#define ADD_OVERFLOW(a, b, result) __builtin_add_overflow((a), (b), (result))
#define SUB_OVERFLOW(a, b, result) __builtin_sub_overflow((a), (b), (result))
#define MUL_OVERFLOW(a, b, result) __builtin_mul_overflow((a), (b), (result))

#endif

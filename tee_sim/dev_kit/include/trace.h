/*
 * Messages for whoever develops an application: EMSG (error), IMSG (information), DMSG (debug), FMSG (flow).
 *
 * Each takes a format as printf does. TRACE_LEVEL, which CFG_TEE_TA_LOG_LEVEL of the Makefile becomes, says which
 * of them are compiled: 0 none, 1 errors, 2 information, 3 debug, 4 flow. A locked world passes none of them on.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TRACE_MIN 0
#define TRACE_ERROR 1
#define TRACE_INFO 2
#define TRACE_DEBUG 3
#define TRACE_FLOW 4
#define TRACE_MAX TRACE_FLOW

#ifndef TRACE_LEVEL
#define TRACE_LEVEL TRACE_ERROR
#endif

void trace_printf(const char *function, int line, int level, bool level_ok, const char *format, ...)
    __attribute__((__format__(__printf__, 5, 6)));
void trace_vprintf(const char *function, int line, int level, bool level_ok, const char *format,
                   __builtin_va_list arguments) __attribute__((__format__(__printf__, 5, 0)));
void dhex_dump(const char *function, int line, int level, const void *buffer, int len);

/* the constant condition drops the call, and still has the compiler look at the arguments */
#define trace_printf_helper(level, level_ok, ...) \
    do { \
        if ((level) <= TRACE_LEVEL) \
            trace_printf(__func__, __LINE__, (level), (level_ok), __VA_ARGS__); \
    } while (0)

#define MSG(...) trace_printf_helper(TRACE_MIN, false, __VA_ARGS__)
#define EMSG(...) trace_printf_helper(TRACE_ERROR, true, __VA_ARGS__)
#define IMSG(...) trace_printf_helper(TRACE_INFO, true, __VA_ARGS__)
#define DMSG(...) trace_printf_helper(TRACE_DEBUG, true, __VA_ARGS__)
#define FMSG(...) trace_printf_helper(TRACE_FLOW, true, __VA_ARGS__)

#define MSG_RAW(...) MSG(__VA_ARGS__)
#define EMSG_RAW(...) EMSG(__VA_ARGS__)
#define IMSG_RAW(...) IMSG(__VA_ARGS__)
#define DMSG_RAW(...) DMSG(__VA_ARGS__)
#define FMSG_RAW(...) FMSG(__VA_ARGS__)

#define INMSG(...) FMSG("> " __VA_ARGS__)
#define OUTMSG(...) FMSG("< " __VA_ARGS__)
#define OUTRMSG(result) \
    do { \
        OUTMSG("result 0x%x", (unsigned)(result)); \
        return result; \
    } while (0)

#define DHEXDUMP(buffer, len) \
    do { \
        if (TRACE_DEBUG <= TRACE_LEVEL) \
            dhex_dump(__func__, __LINE__, TRACE_DEBUG, (buffer), (int)(len)); \
    } while (0)
#define HEXDUMP(buffer, len) DHEXDUMP(buffer, len)

#ifdef __cplusplus
}
#endif

#endif

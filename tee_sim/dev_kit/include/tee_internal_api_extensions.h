/* What applications use beside the API of the specification: messages (trace.h), the C library's printf, and what follows. */
#ifndef TEE_INTERNAL_API_EXTENSIONS_H
#define TEE_INTERNAL_API_EXTENSIONS_H

#include <stdio.h>
#include <string.h>

#include <tee_api_defines_extensions.h>
#include <tee_api_types.h>
#include <trace.h>

#ifdef __cplusplus
extern "C" {
#endif

/* For TEE_Malloc, from its range of numbers for implementations (section 4.11.4): TEE_MALLOC_NO_FILL under an older name */
#define TEE_USER_MEM_HINT_NO_FILL_ZERO 0x80000000

/* Marks and checks of leaks are the work of a build with -fsanitize=address here */
static inline void tee_user_mem_mark_heap(void)
{
}

static inline size_t tee_user_mem_check_heap(void)
{
    return 0;
}

/* The memory of an application is coherent: nothing is left to clean, to flush or to invalidate. */
static inline TEE_Result TEE_CacheClean(char *buffer, size_t size)
{
    (void)buffer, (void)size;
    return TEE_SUCCESS;
}

static inline TEE_Result TEE_CacheFlush(char *buffer, size_t size)
{
    return TEE_CacheClean(buffer, size);
}

static inline TEE_Result TEE_CacheInvalidate(char *buffer, size_t size)
{
    return TEE_CacheClean(buffer, size);
}

/* A UUID of RFC 4122, section 3 as text: BAD_PARAMETERS if it is none, and nothing is written then. */
static inline TEE_Result tee_uuid_from_str(TEE_UUID *uuid, const char *text)
{
    uint8_t bytes[16] = {0};
    unsigned digits = 0;

    if (strnlen(text, 37) != 36)
        return TEE_ERROR_BAD_PARAMETERS;
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
    uuid->timeLow = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    uuid->timeMid = (uint16_t)(bytes[4] << 8 | bytes[5]);
    uuid->timeHiAndVersion = (uint16_t)(bytes[6] << 8 | bytes[7]);
    memcpy(uuid->clockSeqAndNode, bytes + 8, 8);
    return TEE_SUCCESS;
}

#ifdef __cplusplus
}
#endif

#endif

/* What applications use beside the API of the specification: messages (trace.h), the C library's printf, and what follows. */
#ifndef TEE_INTERNAL_API_EXTENSIONS_H
#define TEE_INTERNAL_API_EXTENSIONS_H

#include <stdio.h>

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
TEE_Result tee_uuid_from_str(TEE_UUID *uuid, const char *text);

#ifdef __cplusplus
}
#endif

#endif

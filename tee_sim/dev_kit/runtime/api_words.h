/* What the functions of the API share when they ask the core: handles, attributes, UUIDs. */
#ifndef TEE_SIM_API_WORDS_H
#define TEE_SIM_API_WORDS_H

#include "tee_internal_api.h"

#define MAX_ATTRIBUTES 32u /* of one call: tee_sim/gp_api/words.py */

/* A handle is the core's number; no memory stands behind it. */
uint64_t number_of(const void *handle);

static inline void *handle_of(uint64_t number)
{
    return (void *)(uintptr_t)number;
}

/* Asks them as one array of [id, bytes] or [id, a, b]. */
void ask_attributes(const tee13_Attribute *attributes, uint32_t count);
/* The same attributes with the sizes of 1.3.1, in the caller's room for MAX_ATTRIBUTES. */
const tee13_Attribute *attributes_of_11(const tee11_Attribute *from, uint32_t count, tee13_Attribute *room);

/* Between the structure and the 16 bytes of RFC 4122. */
void uuid_to_bytes(const TEE_UUID *uuid, uint8_t bytes[16]);
void uuid_of_bytes(const uint8_t bytes[16], TEE_UUID *uuid);

/* Panics unless the whole variable may be written. */
#define NEED_OUT(pointer) need_access((pointer), sizeof(*(pointer)), MEMORY_WRITE)

#endif

/*
 * What a vector gives, as bytes in a row. Numbers are little-endian and of 32 bits.
 *
 *     bytes        their count, the bytes
 *     attributes   their count; each its id, then bytes, or two numbers where the id says so
 *     key          object type, size in bits, attributes
 */
#ifndef GIVEN_H
#define GIVEN_H

#include <tee_internal_api.h>

#define MOST_ATTRIBUTES 10

struct given {
    const uint8_t *at;
    const uint8_t *end;
    bool failed; /* more was read than was there */
};

struct bytes {
    const uint8_t *data;
    uint32_t size;
};

struct attributes {
    TEE_Attribute items[MOST_ATTRIBUTES];
    uint32_t count;
};

uint32_t given_number(struct given *given);
struct bytes given_bytes(struct given *given);
void given_attributes(struct given *given, struct attributes *attributes);
/* A new object. */
TEE_Result given_key(struct given *given, TEE_ObjectHandle *key);

#endif

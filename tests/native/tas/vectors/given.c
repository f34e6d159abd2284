#include "given.h"

uint32_t given_number(struct given *given)
{
    uint32_t number = 0;

    if (given->failed || given->end - given->at < 4) {
        given->failed = true;
        return 0;
    }
    for (unsigned i = 0; i < 4; i++) {
        number |= (uint32_t)*given->at++ << (8 * i);
    }
    return number;
}

struct bytes given_bytes(struct given *given)
{
    struct bytes bytes = { NULL, given_number(given) };

    if (given->failed || (size_t)(given->end - given->at) < bytes.size) {
        given->failed = true;
        bytes.size = 0;
        return bytes;
    }
    bytes.data = given->at;
    given->at += bytes.size;
    return bytes;
}

void given_attributes(struct given *given, struct attributes *attributes)
{
    attributes->count = given_number(given);
    if (attributes->count > MOST_ATTRIBUTES) {
        given->failed = true;
        attributes->count = 0;
    }
    for (uint32_t i = 0; i < attributes->count; i++) {
        uint32_t id = given_number(given);

        if ((id & TEE_ATTR_FLAG_VALUE) != 0) {
            uint32_t a = given_number(given), b = given_number(given);

            TEE_InitValueAttribute(&attributes->items[i], id, a, b);
        } else {
            struct bytes bytes = given_bytes(given);

            TEE_InitRefAttribute(&attributes->items[i], id, bytes.data, bytes.size);
        }
    }
}

TEE_Result given_key(struct given *given, TEE_ObjectHandle *key)
{
    uint32_t type = given_number(given), bits = given_number(given);
    struct attributes attributes;
    TEE_Result result;

    *key = TEE_HANDLE_NULL;
    given_attributes(given, &attributes);
    if (given->failed) {
        return TEE_ERROR_BAD_FORMAT;
    }
    result = TEE_AllocateTransientObject(type, bits, key);
    if (result == TEE_SUCCESS) {
        result = TEE_PopulateTransientObject(*key, attributes.items, attributes.count);
    }
    return result;
}

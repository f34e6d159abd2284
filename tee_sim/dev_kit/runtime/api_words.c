#include "api_words.h"

#include <string.h>

#include "host.h"
#include "panic.h"
#include "runtime.h"

/* Some applications tell their client a handle in 32 bits: its distance from their own `ta_head`, as if it pointed into
 * their memory. To take that back they add the address of `ta_head`, and so its upper half, with or without a carry. */
uint64_t number_of(const void *handle)
{
    uint64_t number = (uintptr_t)handle, head = (uintptr_t)image.head;

    if (number >> 32 != 0 && (number >> 32) - (head >> 32) <= 1)
        return (uint32_t)number;
    return number;
}

static void check(const void *attributes, uint32_t count, size_t size)
{
    if (count > MAX_ATTRIBUTES)
        panic_because(ERROR_BAD_PARAMETERS, "more attributes than any function takes");
    need_access(attributes, count * size, MEMORY_READ);
}

void ask_attributes(const tee13_Attribute *attributes, uint32_t count)
{
    check(attributes, count, sizeof(*attributes));
    ask_array(count);
    for (uint32_t i = 0; i < count; i++) {
        const tee13_Attribute *one = &attributes[i];

        if ((one->attributeID & TEE_ATTR_FLAG_VALUE) != 0) {
            ask_array(3);
            ask_u64(one->attributeID);
            ask_u64(one->content.value.a);
            ask_u64(one->content.value.b);
        } else {
            need_access(one->content.ref.buffer, one->content.ref.length, MEMORY_READ);
            ask_array(2);
            ask_u64(one->attributeID);
            ask_bytes(one->content.ref.buffer, one->content.ref.length);
        }
    }
}

const tee13_Attribute *attributes_of_11(const tee11_Attribute *from, uint32_t count, tee13_Attribute *room)
{
    check(from, count, sizeof(*from));
    for (uint32_t i = 0; i < count; i++) {
        room[i] = (tee13_Attribute){.attributeID = from[i].attributeID};
        if ((from[i].attributeID & TEE_ATTR_FLAG_VALUE) != 0) {
            room[i].content.value.a = from[i].content.value.a;
            room[i].content.value.b = from[i].content.value.b;
        } else {
            room[i].content.ref.buffer = from[i].content.ref.buffer;
            room[i].content.ref.length = from[i].content.ref.length;
        }
    }
    return count == 0 ? NULL : room;
}

void uuid_to_bytes(const TEE_UUID *uuid, uint8_t bytes[16])
{
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(uuid->timeLow >> (24 - 8 * i));
    for (unsigned i = 0; i < 2; i++) {
        bytes[4 + i] = (uint8_t)(uuid->timeMid >> (8 - 8 * i));
        bytes[6 + i] = (uint8_t)(uuid->timeHiAndVersion >> (8 - 8 * i));
    }
    memcpy(bytes + 8, uuid->clockSeqAndNode, 8);
}

void uuid_of_bytes(const uint8_t bytes[16], TEE_UUID *uuid)
{
    uuid->timeLow = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    uuid->timeMid = (uint16_t)(bytes[4] << 8 | bytes[5]);
    uuid->timeHiAndVersion = (uint16_t)(bytes[6] << 8 | bytes[7]);
    memcpy(uuid->clockSeqAndNode, bytes + 8, 8);
}

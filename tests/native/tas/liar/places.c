#include "liar.h"

#define BUFFER_BYTES 8192
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static uint64_t objects[PLACES];
static uint64_t operations[PLACES];
static uint64_t enumerators[PLACES];
static uint64_t sessions[PLACES];
static uint64_t sizes[PLACES];
static uint8_t buffers[4][BUFFER_BYTES];
static uint8_t outputs[4][256];
static uint32_t numbers[6][256];
static TEE_UUID uuids[2];

static const uint64_t never[] = { 0, 1, 0xffffffff, 0x100000000, 0x7fffffffffffffff, UINT64_MAX };
static const uint64_t lengths[] = {
    0, 1, 2, 8, 12, 15, 16, 17, 20, 24, 28, 32, 48, 64, 65, 128, 256, 1000, 4096, BUFFER_BYTES,
};
static const uint64_t huge[] = { 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, UINT64_MAX };
static const uint32_t attribute_ids[] = {
    TEE_ATTR_SECRET_VALUE, TEE_ATTR_ECC_CURVE, TEE_ATTR_ECC_PUBLIC_VALUE_X, TEE_ATTR_ECC_PUBLIC_VALUE_Y,
    TEE_ATTR_ECC_PRIVATE_VALUE, TEE_ATTR_RSA_MODULUS, TEE_ATTR_RSA_PUBLIC_EXPONENT, TEE_ATTR_RSA_PRIVATE_EXPONENT,
};
static const char *const names[] = {
    "gpd.ta.appID", "gpd.ta.singleInstance", "gpd.ta.dataSize", "gpd.tee.apiversion", "gpd.tee.deviceID",
    "gpd.client.identity", "gpd.tee.arith.maxBigIntSize", "gpd.tee.systemTime.protectionLevel", "", "no.such.property",
};
static TEE_Attribute attributes[PLACES];

void places_reset(void)
{
    TEE_MemFill(objects, 0, sizeof objects);
    TEE_MemFill(operations, 0, sizeof operations);
    TEE_MemFill(enumerators, 0, sizeof enumerators);
    TEE_MemFill(sessions, 0, sizeof sessions);
    TEE_MemFill(outputs, 0, sizeof outputs);
    TEE_MemFill(numbers, 0, sizeof numbers);
    for (unsigned i = 0; i < PLACES; i++) {
        bool is_value = attribute_ids[i] == TEE_ATTR_ECC_CURVE;

        sizes[i] = lengths[(i * 3) % COUNT(lengths)];
        attributes[i].attributeID = attribute_ids[i];
        if (is_value) {
            attributes[i].content.value.a = TEE_ECC_CURVE_NIST_P256;
            attributes[i].content.value.b = 0;
        } else {
            attributes[i].content.ref.buffer = buffers[i % 4];
            attributes[i].content.ref.length = i == 0 ? 32 : lengths[4 * i % COUNT(lengths)];
        }
    }
    for (unsigned i = 0; i < sizeof buffers; i++) {
        ((uint8_t *)buffers)[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    uuids[1] = (TEE_UUID){ 0x3f0b7a52, 0x84c1, 0x4e0d, { 0xb1, 0x6a, 0x5c, 0x9e, 0x20, 0x77, 0xd4, 0x18 } };
}

/* Where nothing of the application lies; 16 of 256 choices. */
static uint64_t wild(uint8_t choice)
{
    static const char constant[64] = "constant";
    const uint64_t places_of_nothing[] = {
        0, 16, 0x4141414141414141, 0x00007fffffffe000, UINT64_MAX - 4095, (uint64_t)(uintptr_t)constant,
        (uint64_t)(uintptr_t)&wild, 0,
    };

    return places_of_nothing[choice % COUNT(places_of_nothing)];
}

static uint64_t handle_of(const uint64_t *table, uint8_t choice)
{
    return choice < 232 ? table[choice % PLACES] : never[choice % COUNT(never)];
}

static uint64_t pointer_to(uint64_t *table, uint8_t choice)
{
    return choice < 248 ? (uint64_t)(uintptr_t)&table[choice % PLACES] : wild(choice);
}

static uint64_t buffer_of(uint8_t choice)
{
    if (choice >= 248) {
        return wild(choice);
    }
    return (uint64_t)(uintptr_t)buffers[choice % 4] + (choice >= 200 ? choice % 5 : 0);
}

static uint64_t length_of(uint8_t choice)
{
    return choice < 250 ? lengths[choice % COUNT(lengths)] : huge[choice % COUNT(huge)];
}

static uint64_t size_pointer(uint8_t choice)
{
    if (choice >= 248) {
        return wild(choice);
    }
    sizes[choice % PLACES] = length_of(choice);
    return (uint64_t)(uintptr_t)&sizes[choice % PLACES];
}

static uint8_t next(const uint8_t **program, const uint8_t *end)
{
    return *program < end ? *(*program)++ : 0;
}

static uint32_t next_word(const uint8_t **program, const uint8_t *end)
{
    uint32_t word = 0;

    for (int i = 0; i < 4; i++) {
        word |= (uint32_t)next(program, end) << 8 * i;
    }
    return word;
}

static uint64_t chosen(char letter, uint8_t choice)
{
    switch (letter) {
    case 'o':
        return handle_of(objects, choice);
    case 'p':
        return handle_of(operations, choice);
    case 'e':
        return handle_of(enumerators, choice);
    case 'n':
        return handle_of(sessions, choice);
    case 'h':
        return choice < 100 ? (uint64_t)(uintptr_t)TEE_PROPSET_CURRENT_TA - choice % 3
                            : handle_of(enumerators, choice);
    case 'O':
        return pointer_to(objects, choice);
    case 'P':
        return pointer_to(operations, choice);
    case 'E':
        return pointer_to(enumerators, choice);
    case 'N':
        return pointer_to(sessions, choice);
    case 'b':
        return buffer_of(choice);
    case 'z':
        return length_of(choice);
    case 'Z':
        return size_pointer(choice);
    case 'w':
        return choice * 0x01010101u;
    case 'd':
        return choice < 128 ? choice : choice * 0x0101010101010101u;
    case 'c':
        return choice % 4;
    case 'A':
        return choice < 240 ? choice % 4 : choice;
    case 'l':
        return choice < 240 ? choice % 8 * 32 : huge[choice % COUNT(huge)];
    default:
        return choice;
    }
}

static uint64_t pointer(char letter, uint8_t choice)
{
    if (choice >= 248) {
        return wild(choice);
    }
    switch (letter) {
    case 'a':
        return (uint64_t)(uintptr_t)&attributes[choice % PLACES];
    case 'i':
        return (uint64_t)(uintptr_t)outputs[choice % 4];
    case 't':
        return (uint64_t)(uintptr_t)names[choice % COUNT(names)];
    case 'U':
        return (uint64_t)(uintptr_t)&uuids[choice % 2];
    default:
        return (uint64_t)(uintptr_t)numbers[choice % 6];
    }
}

uint64_t place(char letter, const uint8_t **program, const uint8_t *end)
{
    if (letter == 'u') {
        return next_word(program, end);
    }
    if (letter == 'a' || letter == 'i' || letter == 't' || letter == 'U' || letter == 'B' || letter == 'f') {
        return pointer(letter, next(program, end));
    }
    return chosen(letter, next(program, end));
}

/* TEE Internal Core API 1.3.1, sections 8.4 to 8.7: numbers that are made, converted, compared and looked at. */
#include "api_arith.h"

#include <string.h>

#include "api_words.h"
#include "functions.h"
#include "host.h"
#include "panic.h"
#include "runtime.h"

const TEE_BigInt *big_known(const TEE_BigInt *number)
{
    uint32_t used;

    need_access(number, BIG_HEAD_WORDS * sizeof(*number), MEMORY_READ | MEMORY_WRITE);
    used = big_used(number);
    if (big_room(number) > BIG_MOST_WORDS || used > big_room(number) || (used == 0 && big_is_negative(number)))
        panic_because(ERROR_BAD_PARAMETERS, "no number: it was not initialized, or was overwritten");
    need_access(number, (BIG_HEAD_WORDS + big_room(number)) * sizeof(*number), MEMORY_READ | MEMORY_WRITE);
    if (used > 0 && number[BIG_HEAD_WORDS + used - 1] == 0)
        panic_because(ERROR_BAD_PARAMETERS, "no number: it was overwritten");
    return number;
}

static uint32_t bit_count(const TEE_BigInt *number)
{
    uint32_t used = big_used(number), bits = 0;

    if (used == 0)
        return 0;
    for (uint32_t top = number[BIG_HEAD_WORDS + used - 1]; top != 0; top >>= 1)
        bits++;
    return 32 * (used - 1) + bits;
}

uint32_t big_bytes(const TEE_BigInt *number)
{
    return (bit_count(number) + 7) / 8;
}

void big_write(const TEE_BigInt *number, uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        bytes[size - 1 - i] = (uint8_t)(number[BIG_HEAD_WORDS + i / 4] >> 8 * (i % 4));
}

bool big_read(TEE_BigInt *number, const uint8_t *bytes, size_t size, bool negative)
{
    uint32_t used;

    while (size > 0 && bytes[0] == 0) {
        bytes++;
        size--;
    }
    if (size > (size_t)big_room(number) * 4)
        return false;
    used = (uint32_t)(size + 3) / 4;
    memset(number + BIG_HEAD_WORDS, 0, (size_t)big_room(number) * 4);
    for (size_t i = 0; i < size; i++)
        number[BIG_HEAD_WORDS + i / 4] |= (uint32_t)bytes[size - 1 - i] << 8 * (i % 4);
    number[1] = used | (negative && used > 0 ? 0x80000000u : 0);
    return true;
}

static size_t words_of(size_t bits)
{
    return bits / 32 + (bits % 32 != 0) + BIG_HEAD_WORDS;
}

size_t TEE_BigIntFMMContextSizeInU32(size_t modulusSizeInBits)
{
    count_call(FUNCTION_BIG_INT_FMM_CONTEXT_SIZE_IN_U32);
    return words_of(modulusSizeInBits);
}

size_t TEE_BigIntFMMSizeInU32(size_t modulusSizeInBits)
{
    count_call(FUNCTION_BIG_INT_FMM_SIZE_IN_U32);
    return words_of(modulusSizeInBits);
}

static void init(TEE_BigInt *number, size_t len)
{
    if (len < BIG_HEAD_WORDS || len - BIG_HEAD_WORDS > BIG_MOST_WORDS)
        panic_because(ERROR_BAD_PARAMETERS, "a length that no number may have");
    need_access(number, len * sizeof(*number), MEMORY_WRITE);
    memset(number, 0, len * sizeof(*number));
    number[0] = (uint32_t)(len - BIG_HEAD_WORDS);
}

void TEE_BigIntInit(TEE_BigInt *bigInt, size_t len)
{
    count_call(FUNCTION_BIG_INT_INIT);
    init(bigInt, len);
}

void TEE_BigIntInitFMM(TEE_BigIntFMM *bigIntFMM, size_t len)
{
    count_call(FUNCTION_BIG_INT_INIT_FMM);
    init(bigIntFMM, len);
}

static void init_context(TEE_BigIntFMMContext *context, size_t len, const TEE_BigInt *modulus)
{
    big_known(modulus);
    if (big_is_negative(modulus) || bit_count(modulus) < 2)
        panic_because(ERROR_BAD_PARAMETERS, "a modulus below two");
    init(context, len);
}

TEE_Result TEE_BigIntInitFMMContext1(TEE_BigIntFMMContext *context, size_t len, const TEE_BigInt *modulus)
{
    count_call(FUNCTION_BIG_INT_INIT_FMM_CONTEXT1);
    init_context(context, len, modulus);
    return TEE_SUCCESS;
}

void TEE_BigIntInitFMMContext(TEE_BigIntFMMContext *context, size_t len, const TEE_BigInt *modulus)
{
    count_call(FUNCTION_BIG_INT_INIT_FMM_CONTEXT);
    init_context(context, len, modulus);
}

TEE_Result TEE_BigIntConvertFromOctetString(TEE_BigInt *dest, const uint8_t *buffer, size_t bufferLen, int32_t sign)
{
    count_call(FUNCTION_BIG_INT_CONVERT_FROM_OCTET_STRING);
    big_known(dest);
    need_access(buffer, bufferLen, MEMORY_READ);
    return big_read(dest, buffer, bufferLen, sign < 0) ? TEE_SUCCESS : TEE_ERROR_OVERFLOW;
}

TEE_Result TEE_BigIntConvertToOctetString(uint8_t *buffer, size_t *bufferLen, const TEE_BigInt *bigInt)
{
    size_t room;
    uint32_t size;

    count_call(FUNCTION_BIG_INT_CONVERT_TO_OCTET_STRING);
    big_known(bigInt);
    NEED_OUT(bufferLen);
    room = *bufferLen;
    size = big_bytes(bigInt);
    *bufferLen = size;
    if (size > (buffer == NULL ? 0 : room))
        return TEE_ERROR_SHORT_BUFFER;
    need_access(buffer, size, MEMORY_WRITE);
    big_write(bigInt, buffer, size);
    return TEE_SUCCESS;
}

void TEE_BigIntConvertFromS32(TEE_BigInt *dest, int32_t shortVal)
{
    uint32_t magnitude = shortVal < 0 ? 0u - (uint32_t)shortVal : (uint32_t)shortVal;
    uint8_t bytes[4] = {(uint8_t)(magnitude >> 24), (uint8_t)(magnitude >> 16), (uint8_t)(magnitude >> 8),
                        (uint8_t)magnitude};

    count_call(FUNCTION_BIG_INT_CONVERT_FROM_S32);
    big_known(dest);
    if (!big_read(dest, bytes, sizeof(bytes), shortVal < 0))
        panic_because(TEE_ERROR_OVERFLOW, "a number without room for 32 bits");
}

/* Of a number whose magnitude has at most 32 bits. */
static int64_t small(const TEE_BigInt *number)
{
    int64_t magnitude = big_used(number) == 0 ? 0 : (int64_t)number[BIG_HEAD_WORDS];

    return big_is_negative(number) ? -magnitude : magnitude;
}

TEE_Result TEE_BigIntConvertToS32(int32_t *dest, const TEE_BigInt *src)
{
    count_call(FUNCTION_BIG_INT_CONVERT_TO_S32);
    big_known(src);
    NEED_OUT(dest);
    if (big_used(src) > 1 || small(src) < INT32_MIN || small(src) > INT32_MAX)
        return TEE_ERROR_OVERFLOW;
    *dest = (int32_t)small(src);
    return TEE_SUCCESS;
}

int32_t TEE_BigIntCmp(const TEE_BigInt *op1, const TEE_BigInt *op2)
{
    int32_t larger;

    count_call(FUNCTION_BIG_INT_CMP);
    big_known(op1);
    big_known(op2);
    if (big_is_negative(op1) != big_is_negative(op2))
        return big_is_negative(op1) ? -1 : 1;
    larger = big_is_negative(op1) ? -1 : 1;
    if (big_used(op1) != big_used(op2))
        return big_used(op1) > big_used(op2) ? larger : -larger;
    for (uint32_t i = big_used(op1); i > 0; i--) {
        uint32_t one = op1[BIG_HEAD_WORDS + i - 1], other = op2[BIG_HEAD_WORDS + i - 1];

        if (one != other)
            return one > other ? larger : -larger;
    }
    return 0;
}

int32_t TEE_BigIntCmpS32(const TEE_BigInt *op, int32_t shortVal)
{
    count_call(FUNCTION_BIG_INT_CMP_S32);
    big_known(op);
    if (big_used(op) > 1)
        return big_is_negative(op) ? -1 : 1;
    return (small(op) > shortVal) - (small(op) < shortVal);
}

bool TEE_BigIntGetBit(const TEE_BigInt *src, uint32_t bitIndex)
{
    count_call(FUNCTION_BIG_INT_GET_BIT);
    big_known(src);
    if (bitIndex / 32 >= big_used(src))
        return false;
    return (src[BIG_HEAD_WORDS + bitIndex / 32] >> bitIndex % 32 & 1) != 0;
}

uint32_t TEE_BigIntGetBitCount(const TEE_BigInt *src)
{
    count_call(FUNCTION_BIG_INT_GET_BIT_COUNT);
    return bit_count(big_known(src));
}

TEE_Result TEE_BigIntSetBit(TEE_BigInt *op, uint32_t bitIndex, bool value)
{
    uint32_t used, word = bitIndex / 32, bit = 1u << bitIndex % 32;

    count_call(FUNCTION_BIG_INT_SET_BIT);
    big_known(op);
    if (word >= big_room(op))
        return TEE_ERROR_OVERFLOW;
    used = big_used(op);
    for (uint32_t i = used; i <= word; i++)
        op[BIG_HEAD_WORDS + i] = 0; /* what lies above the number may be anything */
    if (value)
        op[BIG_HEAD_WORDS + word] |= bit;
    else
        op[BIG_HEAD_WORDS + word] &= ~bit;
    used = used > word ? used : word + 1;
    while (used > 0 && op[BIG_HEAD_WORDS + used - 1] == 0)
        used--;
    op[1] = used | (used > 0 ? op[1] & 0x80000000u : 0);
    return TEE_SUCCESS;
}

/* Whether it fits. */
static bool assign(TEE_BigInt *dest, const TEE_BigInt *src, bool negative)
{
    uint32_t used = big_used(big_known(src));

    big_known(dest);
    if (used > big_room(dest))
        return false;
    memmove(dest + BIG_HEAD_WORDS, src + BIG_HEAD_WORDS, (size_t)used * 4);
    dest[1] = used | (negative && used > 0 ? 0x80000000u : 0);
    return true;
}

TEE_Result TEE_BigIntAssign(TEE_BigInt *dest, const TEE_BigInt *src)
{
    count_call(FUNCTION_BIG_INT_ASSIGN);
    return assign(dest, src, big_is_negative(big_known(src))) ? TEE_SUCCESS : TEE_ERROR_OVERFLOW;
}

TEE_Result TEE_BigIntAbs(TEE_BigInt *dest, const TEE_BigInt *src)
{
    count_call(FUNCTION_BIG_INT_ABS);
    return assign(dest, src, false) ? TEE_SUCCESS : TEE_ERROR_OVERFLOW;
}

void TEE_BigIntNeg(TEE_BigInt *dest, const TEE_BigInt *op)
{
    count_call(FUNCTION_BIG_INT_NEG);
    if (!assign(dest, op, !big_is_negative(big_known(op))))
        panic_because(TEE_ERROR_OVERFLOW, "a result without room for it");
}

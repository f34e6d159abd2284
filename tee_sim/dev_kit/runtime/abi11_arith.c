/* TEE Internal Core API 1.1, sections 8.4 to 8.7: the same functions with sizes of 32 bits. */
#include "api_words.h"
#include "runtime.h"

uint32_t tee11_TEE_BigIntFMMContextSizeInU32(uint32_t modulusSizeInBits)
{
    return (uint32_t)TEE_BigIntFMMContextSizeInU32(modulusSizeInBits);
}

uint32_t tee11_TEE_BigIntFMMSizeInU32(uint32_t modulusSizeInBits)
{
    return (uint32_t)TEE_BigIntFMMSizeInU32(modulusSizeInBits);
}

void tee11_TEE_BigIntInit(TEE_BigInt *bigInt, uint32_t len)
{
    TEE_BigIntInit(bigInt, len);
}

void tee11_TEE_BigIntInitFMMContext(TEE_BigIntFMMContext *context, uint32_t len, const TEE_BigInt *modulus)
{
    TEE_BigIntInitFMMContext(context, len, modulus);
}

void tee11_TEE_BigIntInitFMM(TEE_BigIntFMM *bigIntFMM, uint32_t len)
{
    TEE_BigIntInitFMM(bigIntFMM, len);
}

TEE_Result tee11_TEE_BigIntConvertFromOctetString(TEE_BigInt *dest, const uint8_t *buffer, uint32_t bufferLen,
                                                  int32_t sign)
{
    return TEE_BigIntConvertFromOctetString(dest, buffer, bufferLen, sign);
}

TEE_Result tee11_TEE_BigIntConvertToOctetString(uint8_t *buffer, uint32_t *bufferLen, const TEE_BigInt *bigInt)
{
    TEE_Result result;
    size_t wide;

    NEED_OUT(bufferLen);
    wide = *bufferLen;
    result = TEE_BigIntConvertToOctetString(buffer, &wide, bigInt);
    *bufferLen = (uint32_t)wide;
    return result;
}

void tee11_TEE_BigIntShiftRight(TEE_BigInt *dest, const TEE_BigInt *op, uint32_t bits)
{
    TEE_BigIntShiftRight(dest, op, bits);
}

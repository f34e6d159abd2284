/* TEE Internal Core API 1.3.1, sections 8.7.3 and 8.8 to 8.11: what the core computes.
 *
 * A number travels as a byte for its sign and its magnitude, big-endian (tee_sim/gp_api/arithmetic.py). Results are
 * written when all operands have been read, so they may be the same. */
#include "api_arith.h"
#include "api_words.h"
#include "functions.h"
#include "host.h"
#include "panic.h"
#include "runtime.h"

#define LEAST_CONFIDENCE 80u    /* in bits: less is taken for this (section 8.10.3) */
#define MOST_CONFIDENCE 512u    /* more costs time and says nothing */
#define CONFIDENCE_OF_A_PART 8u /* MAX_CONFIDENCE of tee_sim/gp_api/arithmetic.py */

static void ask_number(const TEE_BigInt *number)
{
    uint8_t bytes[1 + BIG_MOST_BYTES];
    uint32_t size = big_bytes(big_known(number));

    bytes[0] = big_is_negative(number);
    big_write(number, bytes + 1, size);
    ask_bytes(bytes, 1 + size);
}

static void got_number(TEE_BigInt *dest)
{
    size_t size;
    const uint8_t *bytes = got_bytes(&size);

    if (dest == NULL)
        return;
    if (size == 0 || bytes[0] > 1)
        host_fail();
    if (!big_read(dest, bytes + 1, size - 1, bytes[0] == 1))
        panic_because(TEE_ERROR_OVERFLOW, "a result without room for it");
}

static TEE_Result compute(uint32_t function, TEE_BigInt *dest, const TEE_BigInt *op1, const TEE_BigInt *op2,
                          const TEE_BigInt *op3)
{
    TEE_Result result;

    ask_begin(function);
    big_known(dest);
    ask_number(op1);
    if (op2 != NULL)
        ask_number(op2);
    if (op3 != NULL)
        ask_number(op3);
    result = ask_send();
    if (result == TEE_SUCCESS)
        got_number(dest);
    return result;
}

/* An operand that is left out is NULL there; one that an application gives as NULL is its mistake. */
static void compute1(uint32_t function, TEE_BigInt *dest, const TEE_BigInt *op)
{
    compute(function, dest, op, NULL, NULL);
}

static void compute2(uint32_t function, TEE_BigInt *dest, const TEE_BigInt *op1, const TEE_BigInt *op2)
{
    compute(function, dest, op1, big_known(op2), NULL);
}

static void compute3(uint32_t function, TEE_BigInt *dest, const TEE_BigInt *op1, const TEE_BigInt *op2,
                     const TEE_BigInt *op3)
{
    compute(function, dest, op1, big_known(op2), big_known(op3));
}

void TEE_BigIntShiftRight(TEE_BigInt *dest, const TEE_BigInt *op, size_t bits)
{
    ask_begin(FUNCTION_BIG_INT_SHIFT_RIGHT);
    big_known(dest);
    ask_number(op);
    ask_u64(bits);
    ask_send();
    got_number(dest);
}

void TEE_BigIntAdd(TEE_BigInt *dest, const TEE_BigInt *op1, const TEE_BigInt *op2)
{
    compute2(FUNCTION_BIG_INT_ADD, dest, op1, op2);
}

void TEE_BigIntSub(TEE_BigInt *dest, const TEE_BigInt *op1, const TEE_BigInt *op2)
{
    compute2(FUNCTION_BIG_INT_SUB, dest, op1, op2);
}

void TEE_BigIntMul(TEE_BigInt *dest, const TEE_BigInt *op1, const TEE_BigInt *op2)
{
    compute2(FUNCTION_BIG_INT_MUL, dest, op1, op2);
}

void TEE_BigIntSquare(TEE_BigInt *dest, const TEE_BigInt *op)
{
    compute1(FUNCTION_BIG_INT_SQUARE, dest, op);
}

void TEE_BigIntDiv(TEE_BigInt *dest_q, TEE_BigInt *dest_r, const TEE_BigInt *op1, const TEE_BigInt *op2)
{
    ask_begin(FUNCTION_BIG_INT_DIV);
    if (dest_q != NULL)
        big_known(dest_q);
    if (dest_r != NULL)
        big_known(dest_r);
    ask_number(op1);
    ask_number(op2);
    ask_send();
    got_number(dest_q);
    got_number(dest_r);
}

void TEE_BigIntMod(TEE_BigInt *dest, const TEE_BigInt *op, const TEE_BigInt *n)
{
    compute2(FUNCTION_BIG_INT_MOD, dest, op, n);
}

void TEE_BigIntAddMod(TEE_BigInt *dest, const TEE_BigInt *op1, const TEE_BigInt *op2, const TEE_BigInt *n)
{
    compute3(FUNCTION_BIG_INT_ADD_MOD, dest, op1, op2, n);
}

void TEE_BigIntSubMod(TEE_BigInt *dest, const TEE_BigInt *op1, const TEE_BigInt *op2, const TEE_BigInt *n)
{
    compute3(FUNCTION_BIG_INT_SUB_MOD, dest, op1, op2, n);
}

void TEE_BigIntMulMod(TEE_BigInt *dest, const TEE_BigInt *op1, const TEE_BigInt *op2, const TEE_BigInt *n)
{
    compute3(FUNCTION_BIG_INT_MUL_MOD, dest, op1, op2, n);
}

void TEE_BigIntSquareMod(TEE_BigInt *dest, const TEE_BigInt *op, const TEE_BigInt *n)
{
    compute2(FUNCTION_BIG_INT_SQUARE_MOD, dest, op, n);
}

void TEE_BigIntInvMod(TEE_BigInt *dest, const TEE_BigInt *op, const TEE_BigInt *n)
{
    compute2(FUNCTION_BIG_INT_INV_MOD, dest, op, n);
}

static void check_context(const TEE_BigIntFMMContext *context)
{
    big_known(context);
}

TEE_Result TEE_BigIntExpMod(TEE_BigInt *dest, const TEE_BigInt *op1, const TEE_BigInt *op2, const TEE_BigInt *n,
                            const TEE_BigIntFMMContext *context)
{
    if (context != NULL)
        check_context(context);
    return compute(FUNCTION_BIG_INT_EXP_MOD, dest, op1, big_known(op2), big_known(n));
}

bool TEE_BigIntRelativePrime(const TEE_BigInt *op1, const TEE_BigInt *op2)
{
    ask_begin(FUNCTION_BIG_INT_RELATIVE_PRIME);
    ask_number(op1);
    ask_number(op2);
    ask_send();
    return got_bool();
}

void TEE_BigIntComputeExtendedGcd(TEE_BigInt *gcd, TEE_BigInt *u, TEE_BigInt *v, const TEE_BigInt *op1,
                                  const TEE_BigInt *op2)
{
    ask_begin(FUNCTION_BIG_INT_COMPUTE_EXTENDED_GCD);
    big_known(gcd);
    if (u != NULL)
        big_known(u);
    if (v != NULL)
        big_known(v);
    ask_number(op1);
    ask_number(op2);
    ask_send();
    got_number(gcd);
    got_number(u);
    got_number(v);
}

static int32_t probable_prime(const TEE_BigInt *op, uint32_t confidence)
{
    ask_begin(FUNCTION_BIG_INT_IS_PROBABLE_PRIME);
    ask_number(op);
    ask_u64(confidence);
    ask_send();
    return (int32_t)got_i64();
}

int32_t TEE_BigIntIsProbablePrime(const TEE_BigInt *op, uint32_t confidenceLevel)
{
    uint32_t wanted = confidenceLevel > LEAST_CONFIDENCE ? confidenceLevel : LEAST_CONFIDENCE;
    uint32_t had = 0;
    int32_t found;

    if (wanted > MOST_CONFIDENCE)
        wanted = MOST_CONFIDENCE;
    do { /* in parts, between which the core works for others, and ends who takes too long */
        found = probable_prime(op, CONFIDENCE_OF_A_PART);
        had += CONFIDENCE_OF_A_PART;
    } while (found == -1 && had < wanted);
    return found;
}

void TEE_BigIntConvertToFMM(TEE_BigIntFMM *dest, const TEE_BigInt *src, const TEE_BigInt *n,
                            const TEE_BigIntFMMContext *context)
{
    check_context(context);
    compute2(FUNCTION_BIG_INT_CONVERT_TO_FMM, dest, src, n);
}

void TEE_BigIntConvertFromFMM(TEE_BigInt *dest, const TEE_BigIntFMM *src, const TEE_BigInt *n,
                              const TEE_BigIntFMMContext *context)
{
    check_context(context);
    compute2(FUNCTION_BIG_INT_CONVERT_FROM_FMM, dest, src, n);
}

void TEE_BigIntComputeFMM(TEE_BigIntFMM *dest, const TEE_BigIntFMM *op1, const TEE_BigIntFMM *op2,
                          const TEE_BigInt *n, const TEE_BigIntFMMContext *context)
{
    check_context(context);
    compute3(FUNCTION_BIG_INT_COMPUTE_FMM, dest, op1, op2, n);
}

/*
 * Calls one function of chapter 8 with numbers that the client gives, and gives back what came of it.
 *
 * Parameters: numbers in, each as sign, length (16 bits, lowest byte first) and magnitude; a value (a: an argument that is
 * no number, b: bits of room of what is computed); numbers out, likewise; a value (a: what was returned).
 * Commands are numbers of the table below, which tests/native/host/test_arithmetic.py reads.
 */
#include <tee_internal_api.h>

#define MOST 3

enum command {
    ADD = 0,
    SUB = 1,
    MUL = 2,
    SQUARE = 3,
    NEG = 4,
    ABS = 5,
    ASSIGN = 6,
    DIV = 7,
    MOD = 8,
    ADD_MOD = 9,
    SUB_MOD = 10,
    MUL_MOD = 11,
    SQUARE_MOD = 12,
    INV_MOD = 13,
    EXP_MOD = 14,
    SHIFT_RIGHT = 15,
    CMP = 16,
    CMP_S32 = 17,
    GET_BIT = 18,
    BIT_COUNT = 19,
    SET_BIT = 20,
    CLEAR_BIT = 21,
    FROM_S32 = 22,
    TO_S32 = 23,
    RELATIVE_PRIME = 24,
    EXTENDED_GCD = 25,
    PROBABLE_PRIME = 26,
    FMM = 27,
    ECHO = 28,
    IN_PLACE = 29,
    OVERWRITTEN = 30,
    QUOTIENT_ALONE = 31,
    TO_OCTETS = 32,
    FMM_1_0 = 33,
};

#ifdef __OPTEE_CORE_API_COMPAT_1_1
typedef uint32_t gp_size;
#else
typedef size_t gp_size;
#endif

struct work {
    TEE_BigInt *in[MOST];
    TEE_BigInt *out[MOST];
    uint32_t room_bits;
    int32_t argument;
};

static TEE_BigInt *new_number(uint32_t bits)
{
    uint32_t words = TEE_BigIntSizeInU32(bits);
    TEE_BigInt *number = TEE_Malloc(words * sizeof(uint32_t), TEE_MALLOC_NO_FILL);

    TEE_BigIntInit(number, words);
    return number;
}

static void read_numbers(struct work *work, const uint8_t *data, gp_size size)
{
    gp_size at = 0;

    for (unsigned i = 0; i < MOST && at + 3 <= size; i++) {
        uint32_t length = data[at + 1] | (uint32_t)data[at + 2] << 8;

        work->in[i] = new_number(8 * length);
        if (TEE_BigIntConvertFromOctetString(work->in[i], data + at + 3, length, data[at] ? -1 : 1) != TEE_SUCCESS)
            TEE_Panic(1);
        at += 3 + length;
    }
    for (unsigned i = 0; i < MOST; i++)
        work->out[i] = new_number(work->room_bits);
}

static gp_size write_number(uint8_t *to, const TEE_BigInt *number)
{
    gp_size size = 600;

    if (TEE_BigIntConvertToOctetString(to + 3, &size, number) != TEE_SUCCESS)
        TEE_Panic(2);
    to[0] = TEE_BigIntCmpS32(number, 0) < 0;
    to[1] = (uint8_t)size;
    to[2] = (uint8_t)(size >> 8);
    return 3 + size;
}

/* Multiplied modulo the third, by way of the other representation. */
static void multiply_fast(struct work *work, bool of_1_0)
{
    uint32_t bits = 32 * TEE_BigIntSizeInU32(TEE_BigIntGetBitCount(work->in[2]));
    gp_size words = TEE_BigIntFMMSizeInU32(bits), context_words = TEE_BigIntFMMContextSizeInU32(bits);
    TEE_BigIntFMM *one = TEE_Malloc(words * 4, 0), *other = TEE_Malloc(words * 4, 0), *both = TEE_Malloc(words * 4, 0);
    TEE_BigIntFMMContext *context = TEE_Malloc(context_words * 4, 0);

    if (of_1_0)
        TEE_BigIntInitFMMContext(context, context_words, work->in[2]);
    else if (TEE_BigIntInitFMMContext1(context, context_words, work->in[2]) != TEE_SUCCESS)
        TEE_Panic(3);
    TEE_BigIntInitFMM(one, words);
    TEE_BigIntInitFMM(other, words);
    TEE_BigIntInitFMM(both, words);
    TEE_BigIntConvertToFMM(one, work->in[0], work->in[2], context);
    TEE_BigIntConvertToFMM(other, work->in[1], work->in[2], context);
    TEE_BigIntComputeFMM(both, one, other, work->in[2], context);
    TEE_BigIntConvertFromFMM(work->out[0], both, work->in[2], context);
    TEE_Free(one);
    TEE_Free(other);
    TEE_Free(both);
    TEE_Free(context);
}

/* Results that are operands at once. */
static void compute_in_place(struct work *work)
{
    TEE_BigInt *one = new_number(4096), *other = new_number(4096);

    if (TEE_BigIntAssign(one, work->in[0]) != TEE_SUCCESS || TEE_BigIntAssign(other, work->in[1]) != TEE_SUCCESS)
        TEE_Panic(4);
    TEE_BigIntAdd(one, one, one);
    TEE_BigIntNeg(other, other);
    TEE_BigIntSub(other, other, one);
    TEE_BigIntAssign(work->out[0], one);
    TEE_BigIntAssign(work->out[1], other);
    TEE_Free(one);
    TEE_Free(other);
}

static uint32_t compute(struct work *work, enum command command)
{
    TEE_BigInt **in = work->in, **out = work->out;
    int32_t argument = work->argument, small = 0;
    TEE_Result result;
    gp_size size;

    switch (command) {
    case ADD: TEE_BigIntAdd(out[0], in[0], in[1]); break;
    case SUB: TEE_BigIntSub(out[0], in[0], in[1]); break;
    case MUL: TEE_BigIntMul(out[0], in[0], in[1]); break;
    case SQUARE: TEE_BigIntSquare(out[0], in[0]); break;
    case NEG: TEE_BigIntNeg(out[0], in[0]); break;
    case ABS: return TEE_BigIntAbs(out[0], in[0]);
    case ASSIGN: return TEE_BigIntAssign(out[0], in[0]);
    case DIV: TEE_BigIntDiv(out[0], out[1], in[0], in[1]); break;
    case MOD: TEE_BigIntMod(out[0], in[0], in[1]); break;
    case ADD_MOD: TEE_BigIntAddMod(out[0], in[0], in[1], in[2]); break;
    case SUB_MOD: TEE_BigIntSubMod(out[0], in[0], in[1], in[2]); break;
    case MUL_MOD: TEE_BigIntMulMod(out[0], in[0], in[1], in[2]); break;
    case SQUARE_MOD: TEE_BigIntSquareMod(out[0], in[0], in[1]); break;
    case INV_MOD: TEE_BigIntInvMod(out[0], in[0], in[1]); break;
    case EXP_MOD: return TEE_BigIntExpMod(out[0], in[0], in[1], in[2], NULL);
    case SHIFT_RIGHT: TEE_BigIntShiftRight(out[0], in[0], (gp_size)argument); break;
    case CMP: return (uint32_t)TEE_BigIntCmp(in[0], in[1]);
    case CMP_S32: return (uint32_t)TEE_BigIntCmpS32(in[0], argument);
    case GET_BIT: return TEE_BigIntGetBit(in[0], (uint32_t)argument);
    case BIT_COUNT: return TEE_BigIntGetBitCount(in[0]);
    case SET_BIT:
    case CLEAR_BIT:
        if (TEE_BigIntAssign(out[0], in[0]) != TEE_SUCCESS)
            TEE_Panic(5);
        return TEE_BigIntSetBit(out[0], (uint32_t)argument, command == SET_BIT);
    case FROM_S32: TEE_BigIntConvertFromS32(out[0], argument); break;
    case TO_S32:
        result = TEE_BigIntConvertToS32(&small, in[0]);
        TEE_BigIntConvertFromS32(out[0], small);
        return result;
    case RELATIVE_PRIME: return TEE_BigIntRelativePrime(in[0], in[1]);
    case EXTENDED_GCD: TEE_BigIntComputeExtendedGcd(out[0], out[1], out[2], in[0], in[1]); break;
    case PROBABLE_PRIME: return (uint32_t)TEE_BigIntIsProbablePrime(in[0], (uint32_t)argument);
    case FMM: multiply_fast(work, false); break;
    case FMM_1_0: multiply_fast(work, true); break;
    case ECHO:
        TEE_Free(out[0]);
        out[0] = in[0];
        break;
    case IN_PLACE: compute_in_place(work); break;
    case OVERWRITTEN:
        ((uint32_t *)in[0])[argument] = 0xA5A5A5A5;
        TEE_BigIntNeg(in[0], in[0]);
        break;
    case QUOTIENT_ALONE:
        TEE_BigIntDiv(NULL, out[1], in[0], in[1]);
        TEE_BigIntDiv(out[0], NULL, in[0], in[1]);
        TEE_BigIntComputeExtendedGcd(out[2], NULL, NULL, in[0], in[1]);
        break;
    case TO_OCTETS:
        size = (gp_size)argument;
        result = TEE_BigIntConvertToOctetString(argument == 0 ? NULL : (uint8_t *)out[0], &size, in[0]);
        TEE_Free(out[0]);
        out[0] = new_number(32);
        TEE_BigIntConvertFromS32(out[0], (int32_t)size);
        return result;
    }
    return TEE_SUCCESS;
}

TEE_Result TA_CreateEntryPoint(void)
{
    return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t paramTypes, TEE_Param params[4], void **sessionContext)
{
    (void)paramTypes;
    (void)params;
    (void)sessionContext;
    return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *sessionContext)
{
    (void)sessionContext;
}

TEE_Result TA_InvokeCommandEntryPoint(void *sessionContext, uint32_t commandID, uint32_t paramTypes,
                                      TEE_Param params[4])
{
    struct work work = { .argument = (int32_t)params[1].value.a, .room_bits = params[1].value.b };
    uint8_t *to = params[2].memref.buffer;
    gp_size at = 0;

    (void)sessionContext;
    if (paramTypes != TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_VALUE_INPUT,
                                      TEE_PARAM_TYPE_MEMREF_OUTPUT, TEE_PARAM_TYPE_VALUE_OUTPUT))
        return TEE_ERROR_BAD_PARAMETERS;
    read_numbers(&work, params[0].memref.buffer, params[0].memref.size);
    params[3].value.a = compute(&work, (enum command)commandID);
    for (unsigned i = 0; i < MOST; i++)
        at += write_number(to + at, work.out[i]);
    params[2].memref.size = at;
    for (unsigned i = 0; i < MOST; i++) {
        TEE_Free(work.in[i]);
        if (work.out[i] != work.in[0])
            TEE_Free(work.out[i]);
    }
    return TEE_SUCCESS;
}

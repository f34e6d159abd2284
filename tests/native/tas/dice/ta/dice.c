#include <dice_ta.h>
#include <tee_internal_api.h>

static TEE_Result fill(TEE_Param *room)
{
    void *bytes = TEE_Malloc(room->memref.size, TEE_MALLOC_FILL_ZERO);

    if (bytes == NULL) {
        return TEE_ERROR_OUT_OF_MEMORY;
    }
    TEE_GenerateRandom(bytes, room->memref.size);
    TEE_MemMove(room->memref.buffer, bytes, room->memref.size);
    TEE_Free(bytes);
    return TEE_SUCCESS;
}

/* Without a bias: numbers above the last whole multiple of the sides are thrown again. */
static TEE_Result throw(TEE_Param *die)
{
    uint32_t sides = die->value.a;
    uint32_t number;

    if (sides == 0) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    do {
        TEE_GenerateRandom(&number, sizeof number);
    } while (number >= UINT32_MAX - UINT32_MAX % sides);
    die->value.a = number % sides + 1;
    return TEE_SUCCESS;
}

TEE_Result TA_CreateEntryPoint(void)
{
    return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param params[4], void **session)
{
    (void)types;
    (void)params;
    (void)session;
    return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *session)
{
    (void)session;
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t command, uint32_t types, TEE_Param params[4])
{
    (void)session;
    if (command == TA_DICE_BYTES && types == TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_OUTPUT, 0, 0, 0)) {
        return fill(&params[0]);
    }
    if (command == TA_DICE_THROW && types == TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INOUT, 0, 0, 0)) {
        return throw(&params[0]);
    }
    return TEE_ERROR_BAD_PARAMETERS;
}

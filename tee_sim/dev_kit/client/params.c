/* What an operation carries: copied in from its references, and out to them (TEE Client API 1.0, sections 4.3.6 to
 * 4.3.9). On the way it is the array of four of tee_sim.shared.params.Param. */
#include <string.h>

#include "../runtime/cbor.h"
#include "teec.h"

enum { IN = 1, OUT = 2 };
enum { FIELDS = 6 };

/* Kinds as the TEE numbers them: two bits of direction, and 4 for memory. Those of values are TEEC's own. */
static const uint32_t MEMREF = 4;

static unsigned direction_of(uint32_t kind)
{
    return kind & (IN | OUT);
}

/* A reference to registered memory. Returns its kind, 0 for a mistake. */
static uint32_t take_registered(uint32_t type, const TEEC_RegisteredMemoryReference *given, uint64_t context,
                                struct reference *taken)
{
    bool whole = type == TEEC_MEMREF_WHOLE;
    struct memory *memory = memory_use(given->parent, context);
    unsigned allowed, wanted;

    if (memory == NULL)
        return 0;
    taken->memory = memory;
    allowed = (memory->flags & TEEC_MEM_INPUT ? IN : 0) | (memory->flags & TEEC_MEM_OUTPUT ? OUT : 0);
    wanted = whole ? allowed : type & (IN | OUT);
    if ((wanted & ~allowed) != 0)
        return 0;
    if (!whole && (given->offset > memory->size || given->size > memory->size - given->offset))
        return 0;
    taken->data = whole ? memory->data : memory->data + given->offset;
    taken->size = whole ? memory->size : given->size;
    return MEMREF | wanted;
}

/* One parameter. Returns its kind; -1 for a mistake. */
static int64_t take(uint32_t type, const TEEC_Parameter *given, uint64_t context, struct reference *taken)
{
    switch (type) {
    case TEEC_NONE:
    case TEEC_VALUE_INPUT:
    case TEEC_VALUE_OUTPUT:
    case TEEC_VALUE_INOUT:
        return type;
    case TEEC_MEMREF_TEMP_INPUT:
    case TEEC_MEMREF_TEMP_OUTPUT:
    case TEEC_MEMREF_TEMP_INOUT:
        taken->data = given->tmpref.buffer;
        taken->size = given->tmpref.size;
        return taken->data == NULL && taken->size > 0 ? -1 : (int64_t)type;
    case TEEC_MEMREF_WHOLE:
    case TEEC_MEMREF_PARTIAL_INPUT:
    case TEEC_MEMREF_PARTIAL_OUTPUT:
    case TEEC_MEMREF_PARTIAL_INOUT: {
        uint32_t kind = take_registered(type, &given->memref, context, taken);

        return kind == 0 ? -1 : (int64_t)kind;
    }
    default:
        return -1;
    }
}

TEEC_Result params_take(const TEEC_Operation *operation, uint64_t context, struct parameters *params)
{
    bool too_large = false;

    *params = (struct parameters){0};
    if (operation == NULL)
        return TEEC_SUCCESS;
    if (operation->paramTypes > 0xFFFF)
        return TEEC_ERROR_BAD_PARAMETERS;
    for (unsigned i = 0; i < 4; i++) {
        struct reference *taken = &params->of[i];
        int64_t kind = take(TEEC_PARAM_TYPE_GET(operation->paramTypes, i), &operation->params[i], context, taken);

        if (kind < 0)
            return TEEC_ERROR_BAD_PARAMETERS;
        taken->kind = (uint32_t)kind;
        too_large = too_large || taken->size > MAX_PARAM_BYTES;
        if (!too_large && (taken->kind & IN))
            params->in_bytes += taken->size;
        if (!too_large && (taken->kind & OUT))
            params->out_bytes += taken->size;
    }
    if (too_large || params->in_bytes > MAX_OPERATION_BYTES || params->out_bytes > MAX_OPERATION_BYTES)
        return TEEC_ERROR_OUT_OF_MEMORY;
    return TEEC_SUCCESS;
}

void params_leave(struct parameters *params)
{
    for (unsigned i = 0; i < 4; i++)
        if (params->of[i].memory != NULL)
            memory_leave(params->of[i].memory);
}

void params_put(const TEEC_Operation *operation, const struct parameters *params, struct cbor_out *out)
{
    cbor_put_array(out, 4);
    for (unsigned i = 0; i < 4; i++) {
        const struct reference *reference = &params->of[i];
        bool memory = (reference->kind & MEMREF) != 0;
        bool goes_in = (direction_of(reference->kind) & IN) != 0;
        bool numbers = !memory && goes_in;

        cbor_put_array(out, FIELDS);
        cbor_put_u64(out, reference->kind);
        cbor_put_u64(out, numbers ? operation->params[i].value.a : 0);
        cbor_put_u64(out, numbers ? operation->params[i].value.b : 0);
        cbor_put_bytes(out, reference->data, memory && goes_in ? reference->size : 0);
        cbor_put_u64(out, memory ? reference->size : 0);
        cbor_put_bool(out, memory && reference->data == NULL);
    }
}

struct left {
    uint64_t kind, a, b, size;
    const uint8_t *data;
    size_t data_size;
};

static bool read_left(struct cbor_in *in, const struct reference *given, struct left *left)
{
    bool changes = (direction_of(given->kind) & OUT) != 0;

    if (cbor_get_array(in) != FIELDS)
        return false;
    left->kind = cbor_get_u64(in);
    left->a = cbor_get_u64(in);
    left->b = cbor_get_u64(in);
    left->data = cbor_get_bytes(in, &left->data_size);
    left->size = cbor_get_u64(in);
    cbor_get_bool(in);
    /* What does not come back is an empty slot. */
    if (in->failed || left->kind != (changes ? given->kind : TEEC_NONE))
        return false;
    return left->a <= UINT32_MAX && left->b <= UINT32_MAX && left->size <= UINT32_MAX &&
           left->data_size <= (given->kind & MEMREF ? given->size : 0) && left->data_size <= left->size;
}

static void set_size(TEEC_Parameter *param, const struct reference *given, size_t size)
{
    if (given->memory == NULL)
        param->tmpref.size = size;
    else
        param->memref.size = size;
}

bool params_get(TEEC_Operation *operation, const struct parameters *params, const struct answer *answer)
{
    struct cbor_in in = {.data = answer->params, .size = answer->params_bytes};
    size_t count = cbor_get_array(&in);
    struct left left[4];

    if (count == 0)
        return !in.failed;
    if (count != 4)
        return false;
    for (unsigned i = 0; i < 4; i++)
        if (!read_left(&in, &params->of[i], &left[i]))
            return false;
    for (unsigned i = 0; operation != NULL && i < 4; i++) {
        const struct reference *given = &params->of[i];

        if ((direction_of(given->kind) & OUT) == 0)
            continue;
        if ((given->kind & MEMREF) == 0) {
            operation->params[i].value.a = (uint32_t)left[i].a;
            operation->params[i].value.b = (uint32_t)left[i].b;
            continue;
        }
        if (left[i].data_size > 0)
            memcpy(given->data, left[i].data, left[i].data_size);
        set_size(&operation->params[i], given, (size_t)left[i].size);
    }
    return true;
}

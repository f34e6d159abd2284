/*
 * Any algorithm with any key on any message, as a vector says: one command.
 *
 * Parameter 0: algorithm and mode. 1: keys, parameters, vector or nonce, associated data, message, and what is compared
 * (code, tag, signature), as given.h has them. 2: what comes out. 3: maxKeySize; the length of a tag in bits above 16 bits
 * of how many bytes of the message come at once, 0 for all.
 */
#include "given.h"

struct work {
    TEE_OperationHandle operation;
    uint32_t mode;
    struct attributes params;
    struct bytes vector, associated, message, compared;
    uint32_t piece, tag_bits;
    uint8_t *out;
    uint32_t room, used;
};

#ifdef __OPTEE_CORE_API_COMPAT_1_1
typedef uint32_t gp_size;
#else
typedef size_t gp_size;
#endif

typedef TEE_Result feeding(TEE_OperationHandle operation, const void *in, gp_size in_size, void *out, gp_size *out_size);

static uint32_t piece_at(const struct work *work, uint32_t at)
{
    uint32_t left = work->message.size - at;

    return left < work->piece ? left : work->piece;
}

static TEE_Result feed(struct work *work, feeding *function, const void *in, uint32_t size)
{
    gp_size room = work->room - work->used;
    TEE_Result result = function(work->operation, in, size, work->out + work->used, &room);

    if (result == TEE_SUCCESS) {
        work->used += (uint32_t)room;
    }
    return result;
}

/* All but the last piece by `update`, which is NULL where there is no output on the way; the rest by `final`. */
static TEE_Result pieces(struct work *work, feeding *update, void (*chunk)(TEE_OperationHandle, const void *, gp_size),
                         feeding *final)
{
    uint32_t at = 0;
    TEE_Result result;

    while (work->message.size - at > work->piece) {
        if (chunk != NULL) {
            chunk(work->operation, work->message.data + at, work->piece);
        } else {
            result = feed(work, update, work->message.data + at, work->piece);
            if (result != TEE_SUCCESS) {
                return result;
            }
        }
        at += work->piece;
    }
    return feed(work, final, work->message.size == 0 ? NULL : work->message.data + at, piece_at(work, at));
}

static TEE_Result digest(struct work *work)
{
    return pieces(work, NULL, TEE_DigestUpdate, TEE_DigestDoFinal);
}

static TEE_Result cipher(struct work *work)
{
    TEE_CipherInit(work->operation, work->vector.size == 0 ? NULL : work->vector.data, work->vector.size);
    return pieces(work, TEE_CipherUpdate, NULL, TEE_CipherDoFinal);
}

static TEE_Result mac(struct work *work)
{
    TEE_MACInit(work->operation, NULL, 0);
    if (work->compared.size == 0) {
        return pieces(work, NULL, TEE_MACUpdate, TEE_MACComputeFinal);
    }
    return TEE_MACCompareFinal(work->operation, work->message.data, work->message.size, work->compared.data,
                               work->compared.size);
}

static TEE_Result authenticated(struct work *work)
{
    gp_size size, tag_size;
    TEE_Result result = TEE_AEInit(work->operation, work->vector.data, work->vector.size, work->tag_bits,
                                   work->associated.size, work->message.size);

    if (result != TEE_SUCCESS) {
        return result;
    }
    TEE_AEUpdateAAD(work->operation, work->associated.size == 0 ? NULL : work->associated.data, work->associated.size);
    result = pieces(work, TEE_AEUpdate, NULL, TEE_AEUpdate);
    if (result != TEE_SUCCESS) {
        return result;
    }
    size = 0;
    if (work->mode == TEE_MODE_DECRYPT) {
        uint8_t tag[16];

        TEE_MemMove(tag, work->compared.data, work->compared.size);
        return TEE_AEDecryptFinal(work->operation, NULL, 0, NULL, &size, tag, work->compared.size);
    }
    tag_size = work->room - work->used;
    result = TEE_AEEncryptFinal(work->operation, NULL, 0, NULL, &size, work->out + work->used, &tag_size);
    work->used += (uint32_t)tag_size;
    return result;
}

static TEE_Result asymmetric_cipher(struct work *work)
{
    gp_size size = work->room;
    TEE_Result result =
        (work->mode == TEE_MODE_ENCRYPT ? TEE_AsymmetricEncrypt : TEE_AsymmetricDecrypt)(
            work->operation, work->params.items, work->params.count, work->message.data, work->message.size, work->out,
            &size);

    work->used = (uint32_t)size;
    return result;
}

static TEE_Result signature(struct work *work)
{
    gp_size size = work->room;
    TEE_Result result;

    if (work->mode == TEE_MODE_VERIFY) {
        return TEE_AsymmetricVerifyDigest(work->operation, work->params.items, work->params.count, work->message.data,
                                          work->message.size, work->compared.data, work->compared.size);
    }
    result = TEE_AsymmetricSignDigest(work->operation, work->params.items, work->params.count, work->message.data,
                                      work->message.size, work->out, &size);
    work->used = (uint32_t)size;
    return result;
}

static TEE_Result derivation(struct work *work)
{
    TEE_ObjectHandle derived = TEE_HANDLE_NULL;
    gp_size size = work->room;
    TEE_Result result = TEE_AllocateTransientObject(TEE_TYPE_GENERIC_SECRET, 4096, &derived);

    if (result != TEE_SUCCESS) {
        return result;
    }
    TEE_DeriveKey(work->operation, work->params.items, work->params.count, derived);
    result = TEE_GetObjectBufferAttribute(derived, TEE_ATTR_SECRET_VALUE, work->out, &size);
    work->used = (uint32_t)size;
    TEE_FreeTransientObject(derived);
    return result;
}

static TEE_Result by_class(struct work *work)
{
    TEE_OperationInfo info;

    TEE_GetOperationInfo(work->operation, &info);
    switch (info.operationClass) {
    case TEE_OPERATION_DIGEST:
        return digest(work);
    case TEE_OPERATION_CIPHER:
        return cipher(work);
    case TEE_OPERATION_MAC:
        return mac(work);
    case TEE_OPERATION_AE:
        return authenticated(work);
    case TEE_OPERATION_ASYMMETRIC_CIPHER:
        return asymmetric_cipher(work);
    case TEE_OPERATION_ASYMMETRIC_SIGNATURE:
        return signature(work);
    case TEE_OPERATION_KEY_DERIVATION:
        return derivation(work);
    default:
        return TEE_ERROR_BAD_STATE;
    }
}

static TEE_Result with_keys(struct work *work, struct given *given)
{
    TEE_ObjectHandle keys[2] = { TEE_HANDLE_NULL, TEE_HANDLE_NULL };
    uint32_t count = given_number(given);
    TEE_Result result = count > 2 ? TEE_ERROR_BAD_FORMAT : TEE_SUCCESS;

    for (uint32_t i = 0; result == TEE_SUCCESS && i < count; i++) {
        result = given_key(given, &keys[i]);
    }
    if (result == TEE_SUCCESS && count > 0) {
        result = count == 1 ? TEE_SetOperationKey(work->operation, keys[0])
                            : TEE_SetOperationKey2(work->operation, keys[0], keys[1]);
    }
    TEE_FreeTransientObject(keys[0]);
    TEE_FreeTransientObject(keys[1]);
    return result;
}

static TEE_Result run(struct work *work, TEE_Param params[4])
{
    struct given given = { params[1].memref.buffer, (uint8_t *)params[1].memref.buffer + params[1].memref.size, false };
    TEE_Result result = TEE_AllocateOperation(&work->operation, params[0].value.a, params[0].value.b, params[3].value.a);

    if (result == TEE_SUCCESS) {
        result = with_keys(work, &given);
    }
    if (result == TEE_SUCCESS) {
        given_attributes(&given, &work->params);
        work->vector = given_bytes(&given);
        work->associated = given_bytes(&given);
        work->message = given_bytes(&given);
        work->compared = given_bytes(&given);
        result = given.failed || given.at != given.end ? TEE_ERROR_BAD_FORMAT : by_class(work);
    }
    TEE_FreeOperation(work->operation);
    return result;
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
    struct work work = { .operation = TEE_HANDLE_NULL };
    TEE_Result result;

    (void)session;
    if (command != 0 || types != TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INPUT, TEE_PARAM_TYPE_MEMREF_INPUT,
                                                 TEE_PARAM_TYPE_MEMREF_OUTPUT, TEE_PARAM_TYPE_VALUE_INPUT)) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    work.mode = params[0].value.b;
    work.piece = (params[3].value.b & 0xffff) == 0 ? UINT32_MAX : params[3].value.b & 0xffff;
    work.tag_bits = params[3].value.b >> 16;
    work.out = params[2].memref.buffer;
    work.room = (uint32_t)params[2].memref.size;
    result = run(&work, params);
    params[2].memref.size = work.used;
    return result;
}

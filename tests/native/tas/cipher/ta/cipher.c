#include <cipher_ta.h>
#include <tee_internal_api.h>

struct stream {
    uint32_t key_bytes;
    TEE_OperationHandle operation;
    TEE_ObjectHandle key;
};

static void forget(struct stream *stream)
{
    if (stream->operation != TEE_HANDLE_NULL) {
        TEE_FreeOperation(stream->operation);
    }
    if (stream->key != TEE_HANDLE_NULL) {
        TEE_FreeTransientObject(stream->key);
    }
    stream->operation = TEE_HANDLE_NULL;
    stream->key = TEE_HANDLE_NULL;
}

static TEE_Result set_key(struct stream *stream, const void *bytes, uint32_t size)
{
    TEE_Attribute attribute;
    TEE_Result result;

    TEE_InitRefAttribute(&attribute, TEE_ATTR_SECRET_VALUE, bytes, size);
    TEE_ResetTransientObject(stream->key);
    result = TEE_PopulateTransientObject(stream->key, &attribute, 1);
    if (result != TEE_SUCCESS) {
        EMSG("populate: %#x", result);
        return result;
    }
    return TEE_SetOperationKey(stream->operation, stream->key);
}

static TEE_Result prepare(struct stream *stream, TEE_Param params[4])
{
    static const uint32_t algorithms[] = { TEE_ALG_AES_ECB_NOPAD, TEE_ALG_AES_CBC_NOPAD, TEE_ALG_AES_CTR };
    static const uint8_t zeros[32];
    uint32_t bits = params[1].value.a * 8;
    TEE_Result result;

    if (params[0].value.a > 2 || (bits != 128 && bits != 256) || params[2].value.a > 1) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    forget(stream);
    stream->key_bytes = params[1].value.a;
    result = TEE_AllocateOperation(&stream->operation, algorithms[params[0].value.a],
                                   params[2].value.a ? TEE_MODE_ENCRYPT : TEE_MODE_DECRYPT, bits);
    if (result == TEE_SUCCESS) {
        result = TEE_AllocateTransientObject(TEE_TYPE_AES, bits, &stream->key);
    }
    if (result == TEE_SUCCESS) {
        /* A key of zeros: without one the operation could not be given a vector. */
        result = set_key(stream, zeros, stream->key_bytes);
    }
    if (result != TEE_SUCCESS) {
        forget(stream);
    }
    return result;
}

static TEE_Result key(struct stream *stream, TEE_Param params[4])
{
    if (params[0].memref.size != stream->key_bytes) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    TEE_ResetOperation(stream->operation);
    return set_key(stream, params[0].memref.buffer, params[0].memref.size);
}

static TEE_Result vector(struct stream *stream, TEE_Param params[4])
{
    TEE_CipherInit(stream->operation, params[0].memref.buffer, params[0].memref.size);
    return TEE_SUCCESS;
}

static TEE_Result update(struct stream *stream, TEE_Param params[4])
{
    return TEE_CipherUpdate(stream->operation, params[0].memref.buffer, params[0].memref.size,
                            params[1].memref.buffer, &params[1].memref.size);
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
    struct stream *stream = TEE_Malloc(sizeof *stream, TEE_MALLOC_FILL_ZERO);

    (void)types;
    (void)params;
    *session = stream;
    return stream == NULL ? TEE_ERROR_OUT_OF_MEMORY : TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *session)
{
    forget(session);
    TEE_Free(session);
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t command, uint32_t types, TEE_Param params[4])
{
    static const struct {
        uint32_t types;
        TEE_Result (*run)(struct stream *stream, TEE_Param params[4]);
    } commands[] = {
        { TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INPUT, TEE_PARAM_TYPE_VALUE_INPUT, TEE_PARAM_TYPE_VALUE_INPUT, 0),
          prepare },
        { TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, 0, 0, 0), key },
        { TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, 0, 0, 0), vector },
        { TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_MEMREF_OUTPUT, 0, 0), update },
    };
    struct stream *stream = session;

    if (command > TA_CIPHER_UPDATE || commands[command].types != types) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    if (command != TA_CIPHER_PREPARE && stream->operation == TEE_HANDLE_NULL) {
        return TEE_ERROR_BAD_STATE;
    }
    return commands[command].run(stream, params);
}

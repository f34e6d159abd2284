#include <hotp_ta.h>
#include <tee_internal_api.h>

#define LEAST_KEY_BYTES 20
#define MOST_KEY_BYTES 32
#define MAC_BYTES 20
#define MODULUS 1000000

static uint8_t shared[MOST_KEY_BYTES];
static uint32_t shared_bytes;
static uint64_t counter;

static TEE_Result mac_of_counter(const uint8_t text[8], uint8_t mac[MAC_BYTES])
{
    TEE_OperationHandle operation = TEE_HANDLE_NULL;
    TEE_ObjectHandle key = TEE_HANDLE_NULL;
    uint32_t mac_bytes = MAC_BYTES;
    TEE_Attribute attribute;
    TEE_Result result = TEE_AllocateOperation(&operation, TEE_ALG_HMAC_SHA1, TEE_MODE_MAC, shared_bytes * 8);

    if (result == TEE_SUCCESS) {
        result = TEE_AllocateTransientObject(TEE_TYPE_HMAC_SHA1, shared_bytes * 8, &key);
    }
    if (result == TEE_SUCCESS) {
        TEE_InitRefAttribute(&attribute, TEE_ATTR_SECRET_VALUE, shared, shared_bytes);
        result = TEE_PopulateTransientObject(key, &attribute, 1);
    }
    if (result == TEE_SUCCESS) {
        result = TEE_SetOperationKey(operation, key);
    }
    if (result == TEE_SUCCESS) {
        TEE_MACInit(operation, NULL, 0);
        TEE_MACUpdate(operation, text, 4);
        result = TEE_MACComputeFinal(operation, text + 4, 4, mac, &mac_bytes);
    }
    if (operation != TEE_HANDLE_NULL) {
        TEE_FreeOperation(operation);
    }
    TEE_FreeTransientObject(key);
    return result;
}

/* RFC 4226, section 5.3: four bytes at the place that the last half byte names. */
static uint32_t truncated(const uint8_t mac[MAC_BYTES])
{
    const uint8_t *at = mac + (mac[MAC_BYTES - 1] & 0xf);

    return (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static TEE_Result next(TEE_Param *answer)
{
    uint8_t text[8], mac[MAC_BYTES];
    TEE_Result result;

    if (shared_bytes == 0) {
        return TEE_ERROR_BAD_STATE;
    }
    for (int i = 0; i < 8; i++) {
        text[i] = (uint8_t)(counter >> (56 - 8 * i));
    }
    result = mac_of_counter(text, mac);
    if (result == TEE_SUCCESS) {
        counter++;
        answer->value.a = truncated(mac) % MODULUS;
    }
    return result;
}

static TEE_Result keep(const TEE_Param *given)
{
    if (given->memref.size < LEAST_KEY_BYTES || given->memref.size > MOST_KEY_BYTES) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    shared_bytes = given->memref.size;
    TEE_MemMove(shared, given->memref.buffer, shared_bytes);
    counter = 0;
    return TEE_SUCCESS;
}

TEE_Result TA_CreateEntryPoint(void)
{
    return shared_bytes == 0 ? TEE_SUCCESS : TEE_ERROR_BAD_STATE;
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
    if (command == TA_HOTP_REGISTER && types == TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, 0, 0, 0)) {
        return keep(&params[0]);
    }
    if (command == TA_HOTP_NEXT && types == TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_OUTPUT, 0, 0, 0)) {
        return next(&params[0]);
    }
    return TEE_ERROR_BAD_PARAMETERS;
}

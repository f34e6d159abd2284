/*
 * Checks PINs as a Gatekeeper does, in C for GlobalPlatform's TEE Internal Core API 1.3.1.
 *
 * The handle that the caller keeps binds a PIN to a user and to this device. A failure is written to the secure store before
 * the PIN is compared, so that cutting the power saves no guess. A right PIN is answered by a token with a MAC, whose key
 * lives as long as this instance.
 */
#include <pin_ta.h>
#include <tee_internal_api.h>

#include "records.h"
#include "throttle.h"

#define VERSION 1
#define MAC_BYTES 32
#define SALT_BYTES 16

struct __attribute__((packed)) handle {
    uint8_t version;
    uint8_t reserved;
    uint32_t user;
    uint64_t id;
    uint8_t salt[SALT_BYTES];
    uint8_t mac[MAC_BYTES];
};

struct __attribute__((packed)) token {
    uint8_t version;
    uint8_t reserved;
    uint32_t user;
    uint64_t challenge;
    uint64_t time_ms;
    uint8_t mac[MAC_BYTES];
};

_Static_assert(sizeof(struct handle) == PIN_HANDLE_BYTES, "callers know this size");
_Static_assert(sizeof(struct token) == PIN_TOKEN_BYTES, "callers know this size");

static TEE_ObjectHandle token_key;

/* An operation that has taken everything but its last piece; the caller finishes and frees it. */
static TEE_Result begin_mac(TEE_ObjectHandle key, const void *head, size_t head_bytes, TEE_OperationHandle *operation)
{
    TEE_Result result = TEE_AllocateOperation(operation, TEE_ALG_HMAC_SHA256, TEE_MODE_MAC, MAC_BYTES * 8);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_SetOperationKey(*operation, key);
    if (result != TEE_SUCCESS) {
        TEE_FreeOperation(*operation);
        return result;
    }
    TEE_MACInit(*operation, NULL, 0);
    TEE_MACUpdate(*operation, head, head_bytes);
    return TEE_SUCCESS;
}

/* The PIN is the last piece: it is bound to what stands before it in the handle. */
static TEE_Result begin_handle_mac(const struct handle *handle, TEE_OperationHandle *operation)
{
    TEE_ObjectHandle key = TEE_HANDLE_NULL;
    TEE_Result result = device_key(&key);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = begin_mac(key, handle, offsetof(struct handle, mac), operation);
    TEE_CloseObject(key);
    return result;
}

static TEE_Result make_handle(struct handle *handle, const void *pin, size_t pin_bytes)
{
    TEE_OperationHandle operation = TEE_HANDLE_NULL;
    size_t mac_bytes = sizeof handle->mac;
    TEE_Result result;

    TEE_GenerateRandom(handle->salt, sizeof handle->salt);
    result = begin_handle_mac(handle, &operation);
    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_MACComputeFinal(operation, pin, pin_bytes, handle->mac, &mac_bytes);
    TEE_FreeOperation(operation);
    return result;
}

static TEE_Result compare_pin(const struct handle *handle, const void *pin, size_t pin_bytes)
{
    TEE_OperationHandle operation = TEE_HANDLE_NULL;
    TEE_Result result = begin_handle_mac(handle, &operation);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_MACCompareFinal(operation, pin, pin_bytes, handle->mac, sizeof handle->mac);
    TEE_FreeOperation(operation);
    return result == TEE_ERROR_MAC_INVALID ? TEE_ERROR_ACCESS_DENIED : result;
}

/* A handle and the record of its user. What is no handle, or is of before a change, is refused without a count. */
static TEE_Result read_handle(const void *given, struct handle *handle, struct record *record)
{
    TEE_Result result;

    TEE_MemMove(handle, given, sizeof *handle);
    if (handle->version != VERSION || handle->reserved != 0) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    result = record_read(handle->user, record);
    if (result == TEE_ERROR_ITEM_NOT_FOUND || (result == TEE_SUCCESS && record->id != handle->id)) {
        return TEE_ERROR_ACCESS_DENIED;
    }
    return result;
}

/* Count, write, compare, in this order. `wait_ms` is what the caller has to wait before the next try. */
static TEE_Result check_pin(const struct handle *handle, struct record *record, const void *pin, size_t pin_bytes,
                            uint32_t *wait_ms)
{
    uint64_t now_ms = throttle_now_ms();
    uint64_t since_ms = record->since_ms;
    TEE_Result result;

    *wait_ms = throttle_left_ms(record->failures, &record->since_ms, now_ms);
    if (*wait_ms != 0) {
        result = since_ms == record->since_ms ? TEE_SUCCESS : record_write(record);
        return result == TEE_SUCCESS ? PIN_WAIT : result;
    }
    if (record->failures < UINT32_MAX) {
        record->failures++;
    }
    record->since_ms = now_ms;
    result = record_write(record);
    if (result != TEE_SUCCESS) {
        return result;
    }
    result = compare_pin(handle, pin, pin_bytes);
    if (result != TEE_SUCCESS) {
        *wait_ms = throttle_wait_ms(record->failures);
        return result;
    }
    record->failures = 0;
    return record_write(record);
}

/* Whoever has no PIN may set one; whoever has one must know it. */
static TEE_Result allow_set(uint32_t user, const TEE_Param *old, uint32_t *wait_ms)
{
    struct handle handle;
    struct record record;
    TEE_Result result = record_read(user, &record);

    if (result == TEE_ERROR_ITEM_NOT_FOUND) {
        return TEE_SUCCESS;
    }
    if (result != TEE_SUCCESS) {
        return result;
    }
    if (old->memref.size < sizeof handle) {
        return TEE_ERROR_ACCESS_DENIED;
    }
    result = read_handle(old->memref.buffer, &handle, &record);
    if (result != TEE_SUCCESS) {
        return result;
    }
    if (handle.user != user) {
        return TEE_ERROR_ACCESS_DENIED;
    }
    return check_pin(&handle, &record, (const uint8_t *)old->memref.buffer + sizeof handle,
                     old->memref.size - sizeof handle, wait_ms);
}

static TEE_Result set_pin(TEE_Param params[4])
{
    struct handle handle = { .version = VERSION, .user = params[0].value.a };
    struct record record = { .user = params[0].value.a };
    TEE_Result result;

    params[0].value.a = 0;
    if (params[1].memref.size < PIN_LEAST_BYTES || params[1].memref.size > PIN_MOST_BYTES) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    if (params[3].memref.size < sizeof handle) {
        params[3].memref.size = sizeof handle;
        return TEE_ERROR_SHORT_BUFFER;
    }
    result = allow_set(handle.user, &params[2], &params[0].value.a);
    if (result != TEE_SUCCESS) {
        return result;
    }
    TEE_GenerateRandom(&handle.id, sizeof handle.id);
    result = make_handle(&handle, params[1].memref.buffer, params[1].memref.size);
    if (result != TEE_SUCCESS) {
        return result;
    }
    record.id = handle.id;
    record.since_ms = throttle_now_ms();
    result = record_write(&record);
    if (result != TEE_SUCCESS) {
        return result;
    }
    TEE_MemMove(params[3].memref.buffer, &handle, sizeof handle);
    params[3].memref.size = sizeof handle;
    return TEE_SUCCESS;
}

static TEE_Result make_token(struct token *token)
{
    TEE_OperationHandle operation = TEE_HANDLE_NULL;
    size_t mac_bytes = sizeof token->mac;
    TEE_Result result = begin_mac(token_key, token, offsetof(struct token, mac), &operation);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_MACComputeFinal(operation, NULL, 0, token->mac, &mac_bytes);
    TEE_FreeOperation(operation);
    return result;
}

static TEE_Result verify_pin(TEE_Param params[4])
{
    struct token token = { .version = VERSION };
    struct handle handle;
    struct record record;
    TEE_Result result;

    token.challenge = (uint64_t)params[0].value.b << 32 | params[0].value.a;
    params[0].value.a = 0;
    params[0].value.b = 0;
    if (params[3].memref.size < sizeof token) {
        params[3].memref.size = sizeof token;
        return TEE_ERROR_SHORT_BUFFER;
    }
    if (params[1].memref.size != sizeof handle) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    result = read_handle(params[1].memref.buffer, &handle, &record);
    if (result != TEE_SUCCESS) {
        return result;
    }
    result = check_pin(&handle, &record, params[2].memref.buffer, params[2].memref.size, &params[0].value.a);
    if (result != TEE_SUCCESS) {
        return result;
    }
    token.user = handle.user;
    token.time_ms = throttle_now_ms();
    result = make_token(&token);
    if (result != TEE_SUCCESS) {
        return result;
    }
    TEE_MemMove(params[3].memref.buffer, &token, sizeof token);
    params[3].memref.size = sizeof token;
    return TEE_SUCCESS;
}

static TEE_Result check_token(TEE_Param params[4])
{
    TEE_OperationHandle operation = TEE_HANDLE_NULL;
    struct token token;
    TEE_Result result;

    if (params[1].memref.size != sizeof token) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    TEE_MemMove(&token, params[1].memref.buffer, sizeof token);
    result = begin_mac(token_key, &token, offsetof(struct token, mac), &operation);
    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_MACCompareFinal(operation, NULL, 0, token.mac, sizeof token.mac);
    TEE_FreeOperation(operation);
    if (result != TEE_SUCCESS) {
        return result;
    }
    if (token.challenge != ((uint64_t)params[0].value.b << 32 | params[0].value.a)) {
        return TEE_ERROR_ACCESS_DENIED;
    }
    return TEE_SUCCESS;
}

static const struct command {
    uint32_t number;
    uint32_t types;
    TEE_Result (*run)(TEE_Param params[4]);
} commands[] = {
    { PIN_SET,
      TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INOUT, TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_MEMREF_INPUT,
                      TEE_PARAM_TYPE_MEMREF_OUTPUT),
      set_pin },
    { PIN_VERIFY,
      TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INOUT, TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_MEMREF_INPUT,
                      TEE_PARAM_TYPE_MEMREF_OUTPUT),
      verify_pin },
    { PIN_CHECK,
      TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INPUT, TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_NONE,
                      TEE_PARAM_TYPE_NONE),
      check_token },
};

TEE_Result TA_CreateEntryPoint(void)
{
    TEE_Result result = TEE_AllocateTransientObject(TEE_TYPE_HMAC_SHA256, MAC_BYTES * 8, &token_key);

    if (result != TEE_SUCCESS) {
        return result;
    }
    return TEE_GenerateKey(token_key, MAC_BYTES * 8, NULL, 0);
}

void TA_DestroyEntryPoint(void)
{
    TEE_FreeTransientObject(token_key);
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param params[4], void **session)
{
    (void)params;
    *session = NULL;
    return types == 0 ? TEE_SUCCESS : TEE_ERROR_BAD_PARAMETERS;
}

void TA_CloseSessionEntryPoint(void *session)
{
    (void)session;
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t number, uint32_t types, TEE_Param params[4])
{
    (void)session;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].number == number) {
            return commands[i].types == types ? commands[i].run(params) : TEE_ERROR_BAD_PARAMETERS;
        }
    }
    return TEE_ERROR_NOT_SUPPORTED;
}

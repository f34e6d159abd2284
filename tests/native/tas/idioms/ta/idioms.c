/* What applications take from the kit's headers beside the functions of the specification: names as they are used. */
#include <tee_internal_api.h>

TEE_Result TA_CreateEntryPoint(void)
{
    DMSG("of tee_internal_api.h alone: %s", __func__);
    return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t __unused types, TEE_Param __maybe_unused params[TEE_NUM_PARAMS],
                                    void __unused **session)
{
    return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *session __unused)
{
}

#include <assert.h>
#include <config.h>
#include <confine_array_index.h>
#include <inttypes.h>
#include <printk.h>
#include <pta_system.h>
#include <string.h>
#include <string_ext.h>
#include <tee_internal_api_extensions.h>
#include <utee_defines.h>
#include <util.h>

#include <idioms_ta.h>

/* some applications say this themselves, in these words */
#define TEE_ATTR_BIT_VALUE (1 << 29)

struct __packed record {
    uint8_t version;
    uint64_t user;
};

struct inside {
    int first, second;
};

extern const void *ta_head;
extern const char idioms_word[];
unsigned lists_emptied(void);

static int __attr_const __noinline kind(int number)
{
    switch (number) {
    case 1:
        number = 2;
        fallthrough;
    case 2:
        return number;
    default:
        return 0;
    }
}

static unsigned check_compiler(void)
{
    struct inside inside = {1, 2};
    uint32_t sum = 0;
    size_t rounded = 0;

    COMPILE_TIME_ASSERT(TEE_NUM_PARAMS == 4);
    COMPILE_TIME_ASSERT(sizeof(struct record) == 9);
    COMPILE_TIME_ASSERT(MEMBER_SIZE(struct record, user) == 8);
    COMPILE_TIME_ASSERT(GENMASK_32(10, 0) == 0x7FF && GENMASK_64(39, 21) == 0x000000FFFFE00000);
    if (kind(1) != 2 || kind(2) != 2 || kind(3) != 0)
        return __LINE__;
    __atomic_fetch_add(&inside.first, 1, __ATOMIC_SEQ_CST);
    if (!__sync_bool_compare_and_swap(&inside.first, 2, 1))
        return __LINE__;
    if (container_of(&inside.second, struct inside, second) != &inside)
        return __LINE__;
    if (ADD_OVERFLOW(UINT32_MAX, 1u, &sum) == 0 || SUB_OVERFLOW(3u, 2u, &sum) != 0 || sum != 1)
        return __LINE__;
    if (ROUNDUP(13u, 8) != 16 || ROUNDUP(16u, 8) != 16 || ROUNDDOWN(13u, 8) != 8 || ROUNDUP_DIV(13u, 8) != 2)
        return __LINE__;
    if (ROUNDUP_OVERFLOW((size_t)13, 8, &rounded) != 0 || rounded != 16 || !ROUNDUP_OVERFLOW(SIZE_MAX, 8, &rounded))
        return __LINE__;
    if (!IS_POWER_OF_TWO(64u) || IS_POWER_OF_TWO(65u) || !IS_ALIGNED_WITH_TYPE(&rounded, size_t))
        return __LINE__;
    if (MAX(3, 4) != 4 || MIN(3, 4) != 3 || CMP_TRILEAN(3, 4) != -1 || CMP_TRILEAN(4, 4) != 0 || UDIV_ROUND_NEAREST(7u, 4) != 2)
        return __LINE__;
    if (strcmp(TO_STR(SIZE_OF_NAME), "SIZE_OF_NAME") != 0 || CONCAT(0x1, 2) != 0x12 || SHIFT_U64(1, 40) != BIT64(40))
        return __LINE__;
    if (reg_pair_to_64(1, 2) != 0x100000002 || SIZE_2M != 2 * SIZE_1M)
        return __LINE__;
    if (confine_array_index(2, 3) != 2 || confine_array_index(3, 3) != 0 || confine_array_index(SIZE_MAX, 3) != 0)
        return __LINE__;
    if (CFG_IDIOMS_SLOTS != 3 || IS_ENABLED(CFG_IDIOMS_NO) || CFG_TEE_TA_LOG_LEVEL < 1 || TRACE_LEVEL < TRACE_DEBUG || IDIOMS_TOP != 1)
        return __LINE__;
#if !defined(CFG_IDIOMS_IN_SUB) || defined(CFG_IDIOMS_NO)
    return __LINE__;
#endif
    if (CFG_IDIOMS_BELOW != 5 || !IS_ENABLED(CFG_IDIOMS_IN_SUB))
        return __LINE__;
    if (strcmp(idioms_word, "made by a command") != 0)
        return __LINE__;
    return 0;
}

static unsigned check_strings(void)
{
    char name[8], text[] = "secret";

    assert(sizeof(name) == 8);
    if (strlcpy(name, "too long a name", sizeof(name)) != 15 || strcmp(name, "too lon") != 0)
        return __LINE__;
    strlcpy(name, "abc", sizeof(name));
    if (strlcat(name, "defghi", sizeof(name)) != 9 || strcmp(name, "abcdefg") != 0)
        return __LINE__;
    if (buf_compare_ct("abc", "abc", 3) != 0 || consttime_memcmp("abc", "abd", 3) == 0)
        return __LINE__;
    memzero_explicit(text, sizeof(text));
    if (text[0] != 0 || text[5] != 0)
        return __LINE__;
    if (lists_emptied() != 28)
        return __LINE__;
    return 0;
}

static unsigned check_algorithms(void)
{
    TEE_Time late = {2, 900}, early = {1, 950}, other;
    const TEE_UUID own = TA_IDIOMS_UUID;
    TEE_UUID uuid = {0};
    char text[48];
    TEE_Attribute attribute;

    if (TEE_ALG_GET_DIGEST_SIZE(TEE_ALG_SHA256) != TEE_SHA256_HASH_SIZE || TEE_ALG_GET_DIGEST_SIZE(TEE_ALG_HMAC_SHA512) != 64 ||
        TEE_ALG_GET_DIGEST_SIZE(TEE_ALG_RSASSA_PKCS1_V1_5_SHA1) != 20 || TEE_ALG_GET_DIGEST_SIZE(TEE_ALG_ECDSA_SHA256) != 32 ||
        TEE_ALG_GET_DIGEST_SIZE(TEE_ALG_ECDSA_SHA3_384) != 48 || TEE_ALG_GET_DIGEST_SIZE(TEE_ALG_AES_CTR) != 0 ||
        TEE_ALG_GET_DIGEST_SIZE(TEE_ALG_RSAES_PKCS1_OAEP_MGF1_SHA384) != 48 || TEE_ALG_GET_DIGEST_SIZE(TEE_ALG_SM3) != 32)
        return __LINE__;
    if (TEE_ALG_GET_KEY_TYPE(TEE_ALG_RSASSA_PKCS1_V1_5_SHA256, true) != TEE_TYPE_RSA_KEYPAIR ||
        TEE_DIGEST_HASH_TO_ALGO(TEE_ALG_RSASSA_PKCS1_V1_5_SHA256) != TEE_ALG_SHA256 ||
        TEE_INTERNAL_HASH_TO_ALGO(TEE_ALG_RSAES_PKCS1_OAEP_MGF1_SHA1) != TEE_ALG_SHA1 ||
        TEE_ALG_HMAC_ALGO(TEE_MAIN_ALGO_SHA384) != TEE_ALG_HMAC_SHA384 || TEE_ALG_GET_CHAIN_MODE(TEE_ALG_AES_XTS) != TEE_CHAIN_MODE_XTS)
        return __LINE__;
    TEE_InitValueAttribute(&attribute, TEE_ATTR_ECC_CURVE, TEE_ECC_CURVE_NIST_P256, 0);
    if ((attribute.attributeID & TEE_ATTR_BIT_VALUE) == 0)
        return __LINE__;
    TEE_TIME_SUB(late, early, other);
    if (other.seconds != 0 || other.millis != 950 || !TEE_TIME_LT(early, late) || TEE_TIME_LE(late, early))
        return __LINE__;
    TEE_TIME_ADD(late, early, other);
    if (other.seconds != 4 || other.millis != 850)
        return __LINE__;
    if (TEE_U32_TO_BIG_ENDIAN(1) != 0x01000000 || TEE_U64_FROM_BIG_ENDIAN(1) != 0x0100000000000000)
        return __LINE__;
    if (tee_uuid_from_str(&uuid, "3e6b1c52-8f0d-4C17-a2b9-5d7e40c8f106") != TEE_SUCCESS || memcmp(&uuid, &own, sizeof(own)) != 0)
        return __LINE__;
    if (tee_uuid_from_str(&uuid, "3e6b1c52-8f0d-4c17-a2b9-5d7e40c8f10") == TEE_SUCCESS ||
        tee_uuid_from_str(&uuid, "3e6b1c52-8f0d-4c17-a2b9+5d7e40c8f106") == TEE_SUCCESS ||
        tee_uuid_from_str(&uuid, "3e6b1c52-8f0d-4c17-a2b9-5d7e40c8f1060") == TEE_SUCCESS)
        return __LINE__;
    if (snprintk(text, sizeof(text), "I am %pUl, %d", (const void *)&own, 7) != 44 ||
        strcmp(text, "I am 3e6b1c52-8f0d-4c17-a2b9-5d7e40c8f106, 7") != 0)
        return __LINE__;
    if (snprintk(text, 8, "I am %pUl, %d", (const void *)&own, 7) != 44 || strcmp(text, "I am 3e") != 0)
        return __LINE__;
    if (snprintk(NULL, 0, "%pUl", (const void *)&own) != 36 || snprintk(text, sizeof(text), "%d%%", 12) != 3 ||
        strcmp(text, "12%") != 0)
        return __LINE__;
    return 0;
}

static unsigned check_memory(void)
{
    char *memory = TEE_Malloc(64, TEE_USER_MEM_HINT_NO_FILL_ZERO);

    if (memory == NULL)
        return __LINE__;
    memset(memory, 1, 64);
    if (TEE_CacheClean(memory, 64) != TEE_SUCCESS || TEE_CacheFlush(memory, 64) != TEE_SUCCESS ||
        TEE_CacheInvalidate(memory, 64) != TEE_SUCCESS || memory[63] != 1)
        return __LINE__;
    TEE_Free(memory);
    TEE_Free(NULL);
    TEE_FreeOperation(TEE_HANDLE_NULL);
    TEE_FreeTransientObject(TEE_HANDLE_NULL);
    TEE_CloseObject(TEE_HANDLE_NULL);
    TEE_CloseTASession(TEE_HANDLE_NULL);
    EMSG("result %#" PRIx32 ", %s", (uint32_t)TEE_ERROR_GENERIC, "as text");
    MSG_RAW("and %d more", 1);
    IMSG("\nbetween\n");
    DHEXDUMP("bytes", 5);
    return 0;
}

/* Without parameters, and with no time to wait for what does not wait. */
static unsigned check_sessions(void)
{
    const TEE_UUID own = TA_IDIOMS_UUID, nobody = {1, 2, 3, {4}}, services = PTA_SYSTEM_UUID;
    TEE_TASessionHandle session = TEE_HANDLE_NULL;
    uint32_t origin = 0;

    if (TEE_OpenTASession(&nobody, 0, 0, NULL, &session, &origin) != TEE_ERROR_ITEM_NOT_FOUND || origin != TEE_ORIGIN_TEE)
        return __LINE__;
    TEE_CloseTASession(session);
    if (TEE_OpenTASession(&services, 0, 0, NULL, &session, &origin) != TEE_ERROR_ITEM_NOT_FOUND)
        return __LINE__;
    origin = 0;
    if (TEE_OpenTASession(&own, 0, 0, NULL, &session, &origin) != TEE_ERROR_BUSY || origin != TEE_ORIGIN_TEE)
        return __LINE__;
    if (session != TEE_HANDLE_NULL)
        return __LINE__;
    return 0;
}

static TEE_Result lend(uint32_t types, TEE_Param params[4])
{
    TEE_OperationHandle digest = TEE_HANDLE_NULL;
    TEE_Result result;

    if (types != TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_OUTPUT, 0, 0, 0))
        return TEE_ERROR_BAD_PARAMETERS;
    result = TEE_AllocateOperation(&digest, TEE_ALG_SHA256, TEE_MODE_DIGEST, 0);
    params[0].value.a = (uint32_t)((uintptr_t)digest - (uintptr_t)&ta_head);
    return result;
}

static TEE_Result use(uint32_t types, TEE_Param params[4])
{
    TEE_OperationHandle digest = (TEE_OperationHandle)((uintptr_t)params[0].value.a + (uintptr_t)&ta_head);
    TEE_Result result;

    if (types != TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INPUT, TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_MEMREF_OUTPUT, 0))
        return TEE_ERROR_BAD_PARAMETERS;
    result = TEE_DigestDoFinal(digest, params[1].memref.buffer, params[1].memref.size, params[2].memref.buffer,
                               &params[2].memref.size);
    TEE_FreeOperation(digest);
    return result;
}

TEE_Result TA_InvokeCommandEntryPoint(void __unused *session, uint32_t command, uint32_t types, TEE_Param params[4])
{
    static unsigned (*const checks[])(void) = {check_compiler, check_strings, check_algorithms, check_memory, check_sessions};
    uint32_t line = 0;

    switch (command) {
    case TA_IDIOMS_LEND:
        return lend(types, params);
    case TA_IDIOMS_USE:
        return use(types, params);
    case TA_IDIOMS_CHECK:
        for (size_t i = 0; i < ARRAY_SIZE(checks) && line == 0; i++)
            line = checks[i]();
        params[0].value.a = line;
        return TEE_SUCCESS;
    default:
        return TEE_ERROR_NOT_SUPPORTED;
    }
}

/* Ciphers, MAC and authenticated encryption: Internal Core API 1.3.1, sections 6.4 to 6.6. */
#include "check_crypto.h"

/* SP 800-38A, F.2.1 and F.5.1: key, vector, the first two blocks. */
static const uint8_t KEY[] = {
    0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c,
};
static const uint8_t IV[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
static const uint8_t PLAIN[] = {
    0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a,
    0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03, 0xac, 0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51,
};
static const uint8_t CBC[] = {
    0x76, 0x49, 0xab, 0xac, 0x81, 0x19, 0xb2, 0x46, 0xce, 0xe9, 0x8e, 0x9b, 0x12, 0xe9, 0x19, 0x7d,
    0x50, 0x86, 0xcb, 0x9b, 0x50, 0x72, 0x19, 0xee, 0x95, 0xdb, 0x11, 0x3a, 0x91, 0x76, 0x78, 0xb2,
};
static const uint8_t CMAC[] = {
    0x07, 0x0a, 0x16, 0xb4, 0x6b, 0x4d, 0x41, 0x44, 0xf7, 0x9b, 0xdd, 0x9d, 0xd0, 0x4a, 0x28, 0x7c,
}; /* RFC 4493, of the first block */
/* The GCM specification, case 2. */
static const uint8_t ZEROS[16];
static const uint8_t GCM[] = {
    0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92, 0xf3, 0x28, 0xc2, 0xb9, 0x71, 0xb2, 0xfe, 0x78,
};
static const uint8_t GCM_TAG[] = {
    0xab, 0x6e, 0x47, 0xd4, 0x2c, 0xec, 0x13, 0xbd, 0xf5, 0x3a, 0x67, 0xb2, 0x12, 0x57, 0xbd, 0xdf,
};

#define MUCH 600008u /* more than two pieces of a frame, and no number of whole blocks */

static TEE_OperationHandle aes(uint32_t algorithm, uint32_t mode)
{
    return keyed(algorithm, mode, TEE_TYPE_AES, KEY, sizeof KEY);
}

CHECK(cipher_known_answer_in_pieces)
{
    TEE_OperationHandle operation = aes(TEE_ALG_AES_CBC_NOPAD, TEE_MODE_ENCRYPT);
    uint8_t out[sizeof PLAIN];
    gp_size used = 0, size;

    TEE_CipherInit(operation, IV, sizeof IV);
    for (gp_size at = 0; at < sizeof PLAIN; at += 5) {
        size = sizeof out - used;
        EXPECT_OK(TEE_CipherUpdate(operation, PLAIN + at, at + 5 < sizeof PLAIN ? 5 : sizeof PLAIN - at, out + used,
                                   &size));
        used += size;
    }
    size = sizeof out - used;
    EXPECT_OK(TEE_CipherDoFinal(operation, NULL, 0, NULL, &size));
    EXPECT(used == sizeof CBC && size == 0);
    EXPECT_BYTES(out, CBC, sizeof CBC);
    TEE_FreeOperation(operation);
}

CHECK(cipher_in_place)
{
    TEE_OperationHandle operation = aes(TEE_ALG_AES_CBC_NOPAD, TEE_MODE_DECRYPT);
    uint8_t text[sizeof CBC];
    gp_size size = sizeof text;

    TEE_MemMove(text, CBC, sizeof CBC);
    TEE_CipherInit(operation, IV, sizeof IV);
    EXPECT_OK(TEE_CipherDoFinal(operation, text, sizeof text, text, &size));
    EXPECT_BYTES(text, PLAIN, sizeof PLAIN);
    TEE_FreeOperation(operation);
}

CHECK(cipher_short_buffer_changes_nothing)
{
    TEE_OperationHandle operation = aes(TEE_ALG_AES_CBC_NOPAD, TEE_MODE_ENCRYPT);
    uint8_t out[sizeof PLAIN];
    gp_size size = 31;

    TEE_CipherInit(operation, IV, sizeof IV);
    EXPECT_RESULT(TEE_CipherUpdate(operation, PLAIN, sizeof PLAIN, out, &size), TEE_ERROR_SHORT_BUFFER);
    EXPECT(size == 32);
    size = 0;
    EXPECT_RESULT(TEE_CipherDoFinal(operation, PLAIN, sizeof PLAIN, NULL, &size), TEE_ERROR_SHORT_BUFFER);
    EXPECT(size == 32);
    EXPECT_OK(TEE_CipherDoFinal(operation, PLAIN, sizeof PLAIN, out, &size));
    EXPECT_BYTES(out, CBC, sizeof CBC);
    TEE_FreeOperation(operation);
}

/* Encrypts in place and back, with pieces that do not lie on frames, then with one call. */
static void there_and_back(uint32_t algorithm, gp_size much)
{
    TEE_OperationHandle there = aes(algorithm, TEE_MODE_ENCRYPT), back = aes(algorithm, TEE_MODE_DECRYPT);
    uint8_t *text = TEE_Malloc(much, TEE_MALLOC_FILL_ZERO);
    gp_size size = much - 1, part;

    EXPECT(text != NULL && there != TEE_HANDLE_NULL && back != TEE_HANDLE_NULL);
    for (gp_size i = 0; i < much; i++) {
        text[i] = (uint8_t)(i * 7 >> 3);
    }
    TEE_CipherInit(there, IV, sizeof IV);
    EXPECT_RESULT(TEE_CipherDoFinal(there, text, much, text, &size), TEE_ERROR_SHORT_BUFFER);
    EXPECT(size == much);
    EXPECT_OK(TEE_CipherDoFinal(there, text, much, text, &size));
    EXPECT(size == much);
    TEE_CipherInit(back, IV, sizeof IV);
    size = 17;
    EXPECT_OK(TEE_CipherUpdate(back, text, 17, text, &size));
    part = size;
    size = much - part;
    EXPECT_OK(TEE_CipherUpdate(back, text + 17, much - 17 - 5, text + part, &size));
    part += size;
    size = much - part;
    EXPECT_OK(TEE_CipherDoFinal(back, text + much - 5, 5, text + part, &size));
    EXPECT(part + size == much);
    for (gp_size i = 0; i < much; i++) {
        EXPECT(text[i] == (uint8_t)(i * 7 >> 3));
    }
    TEE_Free(text);
    TEE_FreeOperation(there);
    TEE_FreeOperation(back);
}

CHECK(cipher_of_more_than_a_frame)
{
    there_and_back(TEE_ALG_AES_CTR, MUCH);
    there_and_back(TEE_ALG_AES_CTS, MUCH);
    there_and_back(TEE_ALG_AES_CBC_NOPAD, MUCH + 8);
}

CHECK(mac_known_answer)
{
    TEE_OperationHandle operation = aes(TEE_ALG_AES_CMAC, TEE_MODE_MAC);
    uint8_t code[16];
    gp_size size = 15;

    TEE_MACInit(operation, NULL, 0);
    TEE_MACUpdate(operation, PLAIN, 7);
    EXPECT_RESULT(TEE_MACComputeFinal(operation, PLAIN + 7, 9, code, &size), TEE_ERROR_SHORT_BUFFER);
    EXPECT(size == 16);
    EXPECT_OK(TEE_MACComputeFinal(operation, PLAIN + 7, 9, code, &size));
    EXPECT_BYTES(code, CMAC, sizeof CMAC);
    TEE_MACInit(operation, NULL, 0);
    EXPECT_OK(TEE_MACCompareFinal(operation, PLAIN, 16, CMAC, sizeof CMAC));
    TEE_MACInit(operation, NULL, 0);
    EXPECT_RESULT(TEE_MACCompareFinal(operation, PLAIN, 16, CMAC, 15), TEE_ERROR_MAC_INVALID);
    code[0] ^= 1;
    TEE_MACInit(operation, NULL, 0);
    EXPECT_RESULT(TEE_MACCompareFinal(operation, PLAIN, 16, code, sizeof code), TEE_ERROR_MAC_INVALID);
    TEE_FreeOperation(operation);
}

CHECK(mac_of_more_than_a_frame)
{
    TEE_OperationHandle operation = aes(TEE_ALG_AES_CMAC, TEE_MODE_MAC);
    uint8_t *much = TEE_Malloc(MUCH, TEE_MALLOC_FILL_ZERO), code[16];
    gp_size size = sizeof code;

    EXPECT(much != NULL);
    TEE_MACInit(operation, NULL, 0);
    TEE_MACUpdate(operation, much, MUCH / 2);
    EXPECT_OK(TEE_MACComputeFinal(operation, much, MUCH / 2, code, &size));
    TEE_MACInit(operation, NULL, 0);
    EXPECT_OK(TEE_MACCompareFinal(operation, much, MUCH, code, size));
    TEE_Free(much);
    TEE_FreeOperation(operation);
}

CHECK(ae_known_answer)
{
    TEE_OperationHandle there = keyed(TEE_ALG_AES_GCM, TEE_MODE_ENCRYPT, TEE_TYPE_AES, ZEROS, sizeof ZEROS);
    TEE_OperationHandle back = keyed(TEE_ALG_AES_GCM, TEE_MODE_DECRYPT, TEE_TYPE_AES, ZEROS, sizeof ZEROS);
    uint8_t out[16], tag[16];
    gp_size size = sizeof out, tag_size = 15;

    EXPECT_OK(TEE_AEInit(there, ZEROS, 12, 128, 0, 0));
    EXPECT_RESULT(TEE_AEEncryptFinal(there, ZEROS, 16, out, &size, tag, &tag_size), TEE_ERROR_SHORT_BUFFER);
    EXPECT(size == 16 && tag_size == 16);
    EXPECT_OK(TEE_AEEncryptFinal(there, ZEROS, 16, out, &size, tag, &tag_size));
    EXPECT_BYTES(out, GCM, sizeof GCM);
    EXPECT_BYTES(tag, GCM_TAG, sizeof GCM_TAG);
    EXPECT_OK(TEE_AEInit(back, ZEROS, 12, 128, 0, 0));
    EXPECT_OK(TEE_AEUpdate(back, out, 5, out, &size));
    EXPECT(size == 5);
    size = 11;
    EXPECT_OK(TEE_AEDecryptFinal(back, out + 5, 11, out + 5, &size, tag, sizeof tag));
    EXPECT_BYTES(out, ZEROS, sizeof ZEROS);
    TEE_FreeOperation(there);
    TEE_FreeOperation(back);
}

CHECK(ae_of_another_tag_gives_nothing)
{
    TEE_OperationHandle back = keyed(TEE_ALG_AES_GCM, TEE_MODE_DECRYPT, TEE_TYPE_AES, ZEROS, sizeof ZEROS);
    uint8_t out[16] = { 0 }, tag[16];
    gp_size size = sizeof out;

    TEE_MemMove(tag, GCM_TAG, sizeof tag);
    tag[15] ^= 1;
    TEE_MemFill(out, 9, sizeof out);
    EXPECT_OK(TEE_AEInit(back, ZEROS, 12, 128, 0, 0));
    EXPECT_RESULT(TEE_AEDecryptFinal(back, GCM, sizeof GCM, out, &size, tag, sizeof tag), TEE_ERROR_MAC_INVALID);
    EXPECT(out[0] == 9 && out[15] == 9);
    EXPECT_OK(TEE_AEInit(back, ZEROS, 12, 128, 0, 0));
    EXPECT_RESULT(TEE_AEDecryptFinal(back, GCM, sizeof GCM, out, &size, tag, 12), TEE_ERROR_MAC_INVALID);
    EXPECT_RESULT(TEE_AEInit(back, ZEROS, 12, 127, 0, 0), TEE_ERROR_NOT_SUPPORTED);
    TEE_FreeOperation(back);
}

CHECK(ae_of_more_than_a_frame)
{
    static const uint32_t algorithms[] = { TEE_ALG_AES_GCM, TEE_ALG_AES_CCM };
    uint8_t *text = TEE_Malloc(MUCH, TEE_MALLOC_FILL_ZERO), tag[16];
    gp_size size, tag_size;

    EXPECT(text != NULL);
    for (int i = 0; i < 2; i++) {
        TEE_OperationHandle there = aes(algorithms[i], TEE_MODE_ENCRYPT), back = aes(algorithms[i], TEE_MODE_DECRYPT);

        TEE_MemFill(text, 3, MUCH);
        EXPECT_OK(TEE_AEInit(there, IV, 11, 128, 5, MUCH));
        TEE_AEUpdateAAD(there, "hello", 5);
        size = MUCH;
        tag_size = sizeof tag;
        EXPECT_OK(TEE_AEEncryptFinal(there, text, MUCH, text, &size, tag, &tag_size));
        EXPECT(size == MUCH && tag_size == 16);
        EXPECT_OK(TEE_AEInit(back, IV, 11, 128, 5, MUCH));
        TEE_AEUpdateAAD(back, "hel", 3);
        TEE_AEUpdateAAD(back, "lo", 2);
        EXPECT_OK(TEE_AEDecryptFinal(back, text, MUCH, text, &size, tag, tag_size));
        EXPECT(size == MUCH && text[0] == 3 && text[MUCH - 1] == 3 && text[MUCH / 2] == 3);
        /* What was decrypted before the tag turned out to be wrong is wiped. */
        EXPECT_OK(TEE_AEInit(back, IV, 11, 128, 0, MUCH));
        EXPECT_RESULT(TEE_AEDecryptFinal(back, text, MUCH, text, &size, tag, tag_size), TEE_ERROR_MAC_INVALID);
        EXPECT(text[0] == 0 && text[1000] == 0);
        TEE_FreeOperation(there);
        TEE_FreeOperation(back);
    }
    TEE_Free(text);
}

PANICS(cipher_update_before_init)
{
    uint8_t out[16];
    gp_size size = sizeof out;

    TEE_CipherUpdate(aes(TEE_ALG_AES_CTR, TEE_MODE_ENCRYPT), PLAIN, 16, out, &size);
}

PANICS(cipher_of_no_whole_blocks)
{
    TEE_OperationHandle operation = aes(TEE_ALG_AES_CBC_NOPAD, TEE_MODE_ENCRYPT);
    uint8_t out[32];
    gp_size size = sizeof out;

    TEE_CipherInit(operation, IV, sizeof IV);
    TEE_CipherDoFinal(operation, PLAIN, 17, out, &size);
}

PANICS(cipher_vector_of_another_length)
{
    TEE_CipherInit(aes(TEE_ALG_AES_CTR, TEE_MODE_ENCRYPT), IV, 12);
}

PANICS(cipher_init_of_a_mac)
{
    TEE_CipherInit(aes(TEE_ALG_AES_CMAC, TEE_MODE_MAC), NULL, 0);
}

PANICS(mac_update_before_init)
{
    TEE_MACUpdate(aes(TEE_ALG_AES_CMAC, TEE_MODE_MAC), PLAIN, 16);
}

PANICS(ae_associated_data_after_payload)
{
    TEE_OperationHandle operation = aes(TEE_ALG_AES_GCM, TEE_MODE_ENCRYPT);
    uint8_t out[16];
    gp_size size = sizeof out;

    EXPECT_OK(TEE_AEInit(operation, IV, 12, 128, 0, 0));
    EXPECT_OK(TEE_AEUpdate(operation, PLAIN, 16, out, &size));
    TEE_AEUpdateAAD(operation, PLAIN, 16);
}

PANICS(ae_encrypt_final_of_a_decryption)
{
    TEE_OperationHandle operation = aes(TEE_ALG_AES_GCM, TEE_MODE_DECRYPT);
    uint8_t out[16], tag[16];
    gp_size size = sizeof out, tag_size = sizeof tag;

    EXPECT_OK(TEE_AEInit(operation, IV, 12, 128, 0, 0));
    TEE_AEEncryptFinal(operation, PLAIN, 16, out, &size, tag, &tag_size);
}

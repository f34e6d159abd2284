/* Every function of sections 6.2 to 6.8 with a handle that is none: each is a panic. */
#include "check_crypto.h"

#define NO_OPERATION TEE_HANDLE_NULL

static uint8_t room[64] __attribute__((aligned(8)));
static gp_size room_size = sizeof room, tag_size = 16;

PANICS(no_operation_of_get_operation_info)
{
    TEE_GetOperationInfo(NO_OPERATION, (TEE_OperationInfo *)room);
}

PANICS(no_operation_of_get_operation_info_multiple)
{
    TEE_GetOperationInfoMultiple(NO_OPERATION, (TEE_OperationInfoMultiple *)room, &room_size);
}

PANICS(no_operation_of_reset_operation)
{
    TEE_ResetOperation(NO_OPERATION);
}

PANICS(no_operation_of_set_operation_key)
{
    TEE_SetOperationKey(NO_OPERATION, TEE_HANDLE_NULL);
}

PANICS(no_operation_of_set_operation_key2)
{
    TEE_SetOperationKey2(NO_OPERATION, TEE_HANDLE_NULL, TEE_HANDLE_NULL);
}

PANICS(no_operation_of_copy_operation)
{
    TEE_CopyOperation(NO_OPERATION, NO_OPERATION);
}

PANICS(no_operation_of_digest_update)
{
    TEE_DigestUpdate(NO_OPERATION, room, 1);
}

PANICS(no_operation_of_digest_do_final)
{
    TEE_DigestDoFinal(NO_OPERATION, room, 1, room, &room_size);
}

PANICS(no_operation_of_digest_extract)
{
    size_t size = 4;

    TEE_DigestExtract(NO_OPERATION, room, &size);
}

PANICS(no_operation_of_cipher_init)
{
    TEE_CipherInit(NO_OPERATION, room, 16);
}

PANICS(no_operation_of_cipher_update)
{
    TEE_CipherUpdate(NO_OPERATION, room, 16, room, &room_size);
}

PANICS(no_operation_of_cipher_do_final)
{
    TEE_CipherDoFinal(NO_OPERATION, room, 16, room, &room_size);
}

PANICS(no_operation_of_mac_init)
{
    TEE_MACInit(NO_OPERATION, NULL, 0);
}

PANICS(no_operation_of_mac_update)
{
    TEE_MACUpdate(NO_OPERATION, room, 16);
}

PANICS(no_operation_of_mac_compute_final)
{
    TEE_MACComputeFinal(NO_OPERATION, NULL, 0, room, &room_size);
}

PANICS(no_operation_of_mac_compare_final)
{
    TEE_MACCompareFinal(NO_OPERATION, NULL, 0, room, 16);
}

PANICS(no_operation_of_ae_init)
{
    TEE_AEInit(NO_OPERATION, room, 12, 128, 0, 0);
}

PANICS(no_operation_of_ae_update_aad)
{
    TEE_AEUpdateAAD(NO_OPERATION, room, 16);
}

PANICS(no_operation_of_ae_update)
{
    TEE_AEUpdate(NO_OPERATION, room, 16, room, &room_size);
}

PANICS(no_operation_of_ae_encrypt_final)
{
    TEE_AEEncryptFinal(NO_OPERATION, NULL, 0, room, &room_size, room, &tag_size);
}

PANICS(no_operation_of_ae_decrypt_final)
{
    TEE_AEDecryptFinal(NO_OPERATION, NULL, 0, room, &room_size, room, 16);
}

PANICS(no_operation_of_asymmetric_encrypt)
{
    TEE_AsymmetricEncrypt(NO_OPERATION, NULL, 0, room, 16, room, &room_size);
}

PANICS(no_operation_of_asymmetric_decrypt)
{
    TEE_AsymmetricDecrypt(NO_OPERATION, NULL, 0, room, 16, room, &room_size);
}

PANICS(no_operation_of_asymmetric_sign_digest)
{
    TEE_AsymmetricSignDigest(NO_OPERATION, NULL, 0, room, 32, room, &room_size);
}

PANICS(no_operation_of_asymmetric_verify_digest)
{
    TEE_AsymmetricVerifyDigest(NO_OPERATION, NULL, 0, room, 32, room, 64);
}

PANICS(no_operation_of_derive_key)
{
    TEE_DeriveKey(NO_OPERATION, NULL, 0, TEE_HANDLE_NULL);
}

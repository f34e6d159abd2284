/*
 * 1.1 as functions of their own: tee11_NAME is NAME with the sizes and layouts of 1.1.
 *
 * An application that was written for 1.1 calls the names of the specification; the macros at the end of this file lead
 * them here. What is called NAME in a shared object is always 1.3.1, so both kinds may stand in one.
 */
#ifndef TEE_API_COMPAT11_H
#define TEE_API_COMPAT11_H

#include <tee_api_types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TEE_SIZED(name) tee11_##name
#define TEE_SIZE uint32_t
#define TEE_OFFSET int32_t
#define TEE_PARAM tee11_Param
#define TEE_ATTRIBUTE tee11_Attribute
#define TEE_OBJECT_INFO tee11_ObjectInfo
#include <tee_api_sized.h>

#ifdef __cplusplus
}
#endif

#ifdef __OPTEE_CORE_API_COMPAT_1_1
#define TEE_GetPropertyAsString          tee11_TEE_GetPropertyAsString
#define TEE_GetPropertyAsBinaryBlock     tee11_TEE_GetPropertyAsBinaryBlock
#define TEE_GetPropertyName              tee11_TEE_GetPropertyName
#define TEE_OpenTASession                tee11_TEE_OpenTASession
#define TEE_InvokeTACommand              tee11_TEE_InvokeTACommand
#define TEE_CheckMemoryAccessRights      tee11_TEE_CheckMemoryAccessRights
#define TEE_Malloc                       tee11_TEE_Malloc
#define TEE_Realloc                      tee11_TEE_Realloc
#define TEE_MemMove                      tee11_TEE_MemMove
#define TEE_MemCompare                   tee11_TEE_MemCompare
#define TEE_MemFill                      tee11_TEE_MemFill
#define TEE_GetObjectInfo                tee11_TEE_GetObjectInfo
#define TEE_GetObjectInfo1               tee11_TEE_GetObjectInfo1
#define TEE_GetObjectBufferAttribute     tee11_TEE_GetObjectBufferAttribute
#define TEE_PopulateTransientObject      tee11_TEE_PopulateTransientObject
#define TEE_InitRefAttribute             tee11_TEE_InitRefAttribute
#define TEE_InitValueAttribute           tee11_TEE_InitValueAttribute
#define TEE_GenerateKey                  tee11_TEE_GenerateKey
#define TEE_OpenPersistentObject         tee11_TEE_OpenPersistentObject
#define TEE_CreatePersistentObject       tee11_TEE_CreatePersistentObject
#define TEE_RenamePersistentObject       tee11_TEE_RenamePersistentObject
#define TEE_GetNextPersistentObject      tee11_TEE_GetNextPersistentObject
#define TEE_ReadObjectData               tee11_TEE_ReadObjectData
#define TEE_WriteObjectData              tee11_TEE_WriteObjectData
#define TEE_TruncateObjectData           tee11_TEE_TruncateObjectData
#define TEE_SeekObjectData               tee11_TEE_SeekObjectData
#define TEE_GetOperationInfoMultiple     tee11_TEE_GetOperationInfoMultiple
#define TEE_DigestUpdate                 tee11_TEE_DigestUpdate
#define TEE_DigestDoFinal                tee11_TEE_DigestDoFinal
#define TEE_CipherInit                   tee11_TEE_CipherInit
#define TEE_CipherUpdate                 tee11_TEE_CipherUpdate
#define TEE_CipherDoFinal                tee11_TEE_CipherDoFinal
#define TEE_MACInit                      tee11_TEE_MACInit
#define TEE_MACUpdate                    tee11_TEE_MACUpdate
#define TEE_MACComputeFinal              tee11_TEE_MACComputeFinal
#define TEE_MACCompareFinal              tee11_TEE_MACCompareFinal
#define TEE_AEInit                       tee11_TEE_AEInit
#define TEE_AEUpdateAAD                  tee11_TEE_AEUpdateAAD
#define TEE_AEUpdate                     tee11_TEE_AEUpdate
#define TEE_AEEncryptFinal               tee11_TEE_AEEncryptFinal
#define TEE_AEDecryptFinal               tee11_TEE_AEDecryptFinal
#define TEE_AsymmetricEncrypt            tee11_TEE_AsymmetricEncrypt
#define TEE_AsymmetricDecrypt            tee11_TEE_AsymmetricDecrypt
#define TEE_AsymmetricSignDigest         tee11_TEE_AsymmetricSignDigest
#define TEE_AsymmetricVerifyDigest       tee11_TEE_AsymmetricVerifyDigest
#define TEE_DeriveKey                    tee11_TEE_DeriveKey
#define TEE_GenerateRandom               tee11_TEE_GenerateRandom
#define TEE_BigIntFMMContextSizeInU32    tee11_TEE_BigIntFMMContextSizeInU32
#define TEE_BigIntFMMSizeInU32           tee11_TEE_BigIntFMMSizeInU32
#define TEE_BigIntInit                   tee11_TEE_BigIntInit
#define TEE_BigIntInitFMMContext         tee11_TEE_BigIntInitFMMContext
#define TEE_BigIntInitFMM                tee11_TEE_BigIntInitFMM
#define TEE_BigIntConvertFromOctetString tee11_TEE_BigIntConvertFromOctetString
#define TEE_BigIntConvertToOctetString   tee11_TEE_BigIntConvertToOctetString
#define TEE_BigIntShiftRight             tee11_TEE_BigIntShiftRight
#endif

#endif

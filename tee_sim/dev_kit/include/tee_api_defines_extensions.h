/*
 * Numbers that existing applications use and that the specification leaves to implementations.
 *
 * Values are those that are in use for these names, in the ranges which section 3.1.2 gives to implementations, so
 * that an application and its caller that were built elsewhere agree with what is built here. That a name stands
 * here does not say that this TEE has the algorithm or the storage: what it lacks is answered with
 * TEE_ERROR_NOT_SUPPORTED, or TEE_ERROR_ITEM_NOT_FOUND for a storage.
 */
#ifndef TEE_API_DEFINES_EXTENSIONS_H
#define TEE_API_DEFINES_EXTENSIONS_H

/* Key derivation: HKDF (RFC 5869), the concatenation function of NIST SP 800-56A, PBKDF2 (RFC 8018) */
#define TEE_ALG_HKDF_MD5_DERIVE_KEY                0x800010C0
#define TEE_ALG_HKDF_SHA1_DERIVE_KEY               0x800020C0
#define TEE_ALG_HKDF_SHA224_DERIVE_KEY             0x800030C0
#define TEE_ALG_HKDF_SHA256_DERIVE_KEY             0x800040C0
#define TEE_ALG_HKDF_SHA384_DERIVE_KEY             0x800050C0
#define TEE_ALG_HKDF_SHA512_DERIVE_KEY             0x800060C0
#define TEE_ALG_CONCAT_KDF_SHA1_DERIVE_KEY         0x800020C1
#define TEE_ALG_CONCAT_KDF_SHA224_DERIVE_KEY       0x800030C1
#define TEE_ALG_CONCAT_KDF_SHA256_DERIVE_KEY       0x800040C1
#define TEE_ALG_CONCAT_KDF_SHA384_DERIVE_KEY       0x800050C1
#define TEE_ALG_CONCAT_KDF_SHA512_DERIVE_KEY       0x800060C1
#define TEE_ALG_PBKDF2_HMAC_SHA1_DERIVE_KEY        0x800020C2

#define TEE_TYPE_HKDF_IKM                          0xA10000C0
#define TEE_TYPE_CONCAT_KDF_Z                      0xA10000C1
#define TEE_TYPE_PBKDF2_PASSWORD                   0xA10000C2

#define TEE_ATTR_HKDF_IKM                          0xC00001C0
#define TEE_ATTR_HKDF_OKM_LENGTH                   0xF00004C0
#define TEE_ATTR_CONCAT_KDF_Z                      0xC00001C1
#define TEE_ATTR_CONCAT_KDF_OTHER_INFO             0xD00002C1
#define TEE_ATTR_CONCAT_KDF_DKM_LENGTH             0xF00003C1
#define TEE_ATTR_PBKDF2_PASSWORD                   0xC00001C2
#define TEE_ATTR_PBKDF2_SALT                       0xD00002C2
#define TEE_ATTR_PBKDF2_ITERATION_COUNT            0xF00003C2
#define TEE_ATTR_PBKDF2_DKM_LENGTH                 0xF00004C2

/* Signatures and encryption */
#define TEE_ALG_MD5SHA1                            0x5000000F
#define TEE_ALG_DES3_CMAC                          0xF0000613
#define TEE_ALG_SM4_XTS                            0xF0000414
#define TEE_ALG_RSASSA_PKCS1_V1_5                  0xF0000830
#define TEE_ALG_RSASSA_PKCS1_V1_5_MD5SHA1          0x7000F830
#define TEE_ALG_RSASSA_PKCS1_PSS_MGF1_MD5          0xF0111930
#define TEE_ALG_RSAES_PKCS1_OAEP_MGF1_MD5          0xF0110230

/* Storages by the medium they lie on */
#define TEE_STORAGE_PRIVATE_REE                    0x80000000
#define TEE_STORAGE_PRIVATE_RPMB                   0x80000100

/* Who opens a session: the system software of the caller's side */
#define TEE_LOGIN_REE_KERNEL                       0x80000000

#endif

/*
 * Functions whose types differ between 1.3.1 and 1.1: declared once, for either.
 *
 * Whoever includes this says before it what the type of a size is, which layouts belong to it, and what the
 * functions are called: TEE_SIZED(name), TEE_SIZE, TEE_OFFSET, TEE_PARAM, TEE_ATTRIBUTE, TEE_OBJECT_INFO. It is
 * included by tee_internal_api.h for the application's own choice, and by tee_api_compat11.h for the other one.
 * Sections are of 1.3.1.
 */

/* 4.4 properties */
TEE_Result TEE_SIZED(TEE_GetPropertyAsString)(TEE_PropSetHandle propsetOrEnumerator, const char *name,
                                              char *valueBuffer, TEE_SIZE *valueBufferLen);
TEE_Result TEE_SIZED(TEE_GetPropertyAsBinaryBlock)(TEE_PropSetHandle propsetOrEnumerator, const char *name,
                                                   void *valueBuffer, TEE_SIZE *valueBufferLen);
TEE_Result TEE_SIZED(TEE_GetPropertyName)(TEE_PropSetHandle enumerator, void *nameBuffer, TEE_SIZE *nameBufferLen);

/* 4.9 sessions with other applications */
TEE_Result TEE_SIZED(TEE_OpenTASession)(const TEE_UUID *destination, uint32_t cancellationRequestTimeout,
                                        uint32_t paramTypes, TEE_PARAM params[4], TEE_TASessionHandle *session,
                                        uint32_t *returnOrigin);
TEE_Result TEE_SIZED(TEE_InvokeTACommand)(TEE_TASessionHandle session, uint32_t cancellationRequestTimeout,
                                          uint32_t commandID, uint32_t paramTypes, TEE_PARAM params[4],
                                          uint32_t *returnOrigin);

/* 4.11 memory */
TEE_Result TEE_SIZED(TEE_CheckMemoryAccessRights)(uint32_t accessFlags, void *buffer, TEE_SIZE size);
void *TEE_SIZED(TEE_Malloc)(TEE_SIZE size, uint32_t hint);
void *TEE_SIZED(TEE_Realloc)(void *buffer, TEE_SIZE newSize);
void TEE_SIZED(TEE_MemMove)(void *dest, const void *src, TEE_SIZE size);
int32_t TEE_SIZED(TEE_MemCompare)(const void *buffer1, const void *buffer2, TEE_SIZE size);
void TEE_SIZED(TEE_MemFill)(void *buffer, uint8_t x, TEE_SIZE size);

/* 5.5 objects of any kind */
void TEE_SIZED(TEE_GetObjectInfo)(TEE_ObjectHandle object, TEE_OBJECT_INFO *objectInfo);
TEE_Result TEE_SIZED(TEE_GetObjectInfo1)(TEE_ObjectHandle object, TEE_OBJECT_INFO *objectInfo);
TEE_Result TEE_SIZED(TEE_GetObjectBufferAttribute)(TEE_ObjectHandle object, uint32_t attributeID, void *buffer,
                                                   TEE_SIZE *size);

/* 5.6 transient objects */
TEE_Result TEE_SIZED(TEE_PopulateTransientObject)(TEE_ObjectHandle object, const TEE_ATTRIBUTE *attrs,
                                                  uint32_t attrCount);
void TEE_SIZED(TEE_InitRefAttribute)(TEE_ATTRIBUTE *attr, uint32_t attributeID, const void *buffer, TEE_SIZE length);
void TEE_SIZED(TEE_InitValueAttribute)(TEE_ATTRIBUTE *attr, uint32_t attributeID, uint32_t a, uint32_t b);
TEE_Result TEE_SIZED(TEE_GenerateKey)(TEE_ObjectHandle object, uint32_t keySize, const TEE_ATTRIBUTE *params,
                                      uint32_t paramCount);

/* 5.7 persistent objects */
TEE_Result TEE_SIZED(TEE_OpenPersistentObject)(uint32_t storageID, const void *objectID, TEE_SIZE objectIDLen,
                                               uint32_t flags, TEE_ObjectHandle *object);
TEE_Result TEE_SIZED(TEE_CreatePersistentObject)(uint32_t storageID, const void *objectID, TEE_SIZE objectIDLen,
                                                 uint32_t flags, TEE_ObjectHandle attributes, const void *initialData,
                                                 TEE_SIZE initialDataLen, TEE_ObjectHandle *object);
TEE_Result TEE_SIZED(TEE_RenamePersistentObject)(TEE_ObjectHandle object, const void *newObjectID,
                                                 TEE_SIZE newObjectIDLen);

/* 5.8 enumerators */
TEE_Result TEE_SIZED(TEE_GetNextPersistentObject)(TEE_ObjectEnumHandle objectEnumerator, TEE_OBJECT_INFO *objectInfo,
                                                  void *objectID, TEE_SIZE *objectIDLen);

/* 5.9 data of persistent objects */
TEE_Result TEE_SIZED(TEE_ReadObjectData)(TEE_ObjectHandle object, void *buffer, TEE_SIZE size, TEE_SIZE *count);
TEE_Result TEE_SIZED(TEE_WriteObjectData)(TEE_ObjectHandle object, const void *buffer, TEE_SIZE size);
TEE_Result TEE_SIZED(TEE_TruncateObjectData)(TEE_ObjectHandle object, TEE_SIZE size);
TEE_Result TEE_SIZED(TEE_SeekObjectData)(TEE_ObjectHandle object, TEE_OFFSET offset, TEE_Whence whence);

/* 6.2 operations of any class */
TEE_Result TEE_SIZED(TEE_GetOperationInfoMultiple)(TEE_OperationHandle operation,
                                                   TEE_OperationInfoMultiple *operationInfoMultiple,
                                                   TEE_SIZE *operationSize);

/* 6.3 digests */
void TEE_SIZED(TEE_DigestUpdate)(TEE_OperationHandle operation, const void *chunk, TEE_SIZE chunkSize);
TEE_Result TEE_SIZED(TEE_DigestDoFinal)(TEE_OperationHandle operation, const void *chunk, TEE_SIZE chunkLen,
                                        void *hash, TEE_SIZE *hashLen);

/* 6.4 symmetric ciphers */
void TEE_SIZED(TEE_CipherInit)(TEE_OperationHandle operation, const void *IV, TEE_SIZE IVLen);
TEE_Result TEE_SIZED(TEE_CipherUpdate)(TEE_OperationHandle operation, const void *srcData, TEE_SIZE srcLen,
                                       void *destData, TEE_SIZE *destLen);
TEE_Result TEE_SIZED(TEE_CipherDoFinal)(TEE_OperationHandle operation, const void *srcData, TEE_SIZE srcLen,
                                        void *destData, TEE_SIZE *destLen);

/* 6.5 MAC */
void TEE_SIZED(TEE_MACInit)(TEE_OperationHandle operation, const void *IV, TEE_SIZE IVLen);
void TEE_SIZED(TEE_MACUpdate)(TEE_OperationHandle operation, const void *chunk, TEE_SIZE chunkSize);
TEE_Result TEE_SIZED(TEE_MACComputeFinal)(TEE_OperationHandle operation, const void *message, TEE_SIZE messageLen,
                                          void *mac, TEE_SIZE *macLen);
TEE_Result TEE_SIZED(TEE_MACCompareFinal)(TEE_OperationHandle operation, const void *message, TEE_SIZE messageLen,
                                          const void *mac, TEE_SIZE macLen);

/* 6.6 authenticated encryption */
TEE_Result TEE_SIZED(TEE_AEInit)(TEE_OperationHandle operation, const void *nonce, TEE_SIZE nonceLen, uint32_t tagLen,
                                 TEE_SIZE AADLen, TEE_SIZE payloadLen);
void TEE_SIZED(TEE_AEUpdateAAD)(TEE_OperationHandle operation, const void *AADdata, TEE_SIZE AADdataLen);
TEE_Result TEE_SIZED(TEE_AEUpdate)(TEE_OperationHandle operation, const void *srcData, TEE_SIZE srcLen, void *destData,
                                   TEE_SIZE *destLen);
TEE_Result TEE_SIZED(TEE_AEEncryptFinal)(TEE_OperationHandle operation, const void *srcData, TEE_SIZE srcLen,
                                         void *destData, TEE_SIZE *destLen, void *tag, TEE_SIZE *tagLen);
TEE_Result TEE_SIZED(TEE_AEDecryptFinal)(TEE_OperationHandle operation, const void *srcData, TEE_SIZE srcLen,
                                         void *destData, TEE_SIZE *destLen, void *tag, TEE_SIZE tagLen);

/* 6.7 asymmetric encryption and signatures */
TEE_Result TEE_SIZED(TEE_AsymmetricEncrypt)(TEE_OperationHandle operation, const TEE_ATTRIBUTE *params,
                                            uint32_t paramCount, const void *srcData, TEE_SIZE srcLen, void *destData,
                                            TEE_SIZE *destLen);
TEE_Result TEE_SIZED(TEE_AsymmetricDecrypt)(TEE_OperationHandle operation, const TEE_ATTRIBUTE *params,
                                            uint32_t paramCount, const void *srcData, TEE_SIZE srcLen, void *destData,
                                            TEE_SIZE *destLen);
TEE_Result TEE_SIZED(TEE_AsymmetricSignDigest)(TEE_OperationHandle operation, const TEE_ATTRIBUTE *params,
                                               uint32_t paramCount, const void *digest, TEE_SIZE digestLen,
                                               void *signature, TEE_SIZE *signatureLen);
TEE_Result TEE_SIZED(TEE_AsymmetricVerifyDigest)(TEE_OperationHandle operation, const TEE_ATTRIBUTE *params,
                                                 uint32_t paramCount, const void *digest, TEE_SIZE digestLen,
                                                 const void *signature, TEE_SIZE signatureLen);

/* 6.8 key derivation, 6.9 random */
void TEE_SIZED(TEE_DeriveKey)(TEE_OperationHandle operation, const TEE_ATTRIBUTE *params, uint32_t paramCount,
                              TEE_ObjectHandle derivedKey);
void TEE_SIZED(TEE_GenerateRandom)(void *randomBuffer, TEE_SIZE randomBufferLen);

/* 8.4 to 8.7 numbers of any length */
TEE_SIZE TEE_SIZED(TEE_BigIntFMMContextSizeInU32)(TEE_SIZE modulusSizeInBits);
TEE_SIZE TEE_SIZED(TEE_BigIntFMMSizeInU32)(TEE_SIZE modulusSizeInBits);
void TEE_SIZED(TEE_BigIntInit)(TEE_BigInt *bigInt, TEE_SIZE len);
void TEE_SIZED(TEE_BigIntInitFMMContext)(TEE_BigIntFMMContext *context, TEE_SIZE len, const TEE_BigInt *modulus);
void TEE_SIZED(TEE_BigIntInitFMM)(TEE_BigIntFMM *bigIntFMM, TEE_SIZE len);
TEE_Result TEE_SIZED(TEE_BigIntConvertFromOctetString)(TEE_BigInt *dest, const uint8_t *buffer, TEE_SIZE bufferLen,
                                                       int32_t sign);
TEE_Result TEE_SIZED(TEE_BigIntConvertToOctetString)(uint8_t *buffer, TEE_SIZE *bufferLen, const TEE_BigInt *bigInt);
void TEE_SIZED(TEE_BigIntShiftRight)(TEE_BigInt *dest, const TEE_BigInt *op, TEE_SIZE bits);

#undef TEE_SIZED
#undef TEE_SIZE
#undef TEE_OFFSET
#undef TEE_PARAM
#undef TEE_ATTRIBUTE
#undef TEE_OBJECT_INFO

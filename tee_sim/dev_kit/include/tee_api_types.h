/*
 * Types of the GlobalPlatform TEE Internal Core API 1.3.1, and of 1.1 where they differ.
 *
 * The two differ in the width of sizes, and so in the layout of three structures: 1.1 has uint32_t where 1.3.1 has
 * size_t. Both layouts have a name of their own (tee13_..., tee11_...); TEE_Param and the others are one of them,
 * as the application chooses: __OPTEE_CORE_API_COMPAT_1_1, which ta_dev_kit.mk defines for
 * CFG_TA_OPTEE_CORE_API_COMPAT_1_1=y.
 */
#ifndef TEE_API_TYPES_H
#define TEE_API_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tee_api_defines.h>

typedef uint32_t TEE_Result; /* section 2.4.1 */

typedef struct {
    uint32_t timeLow;
    uint16_t timeMid;
    uint16_t timeHiAndVersion;
    uint8_t clockSeqAndNode[8];
} TEE_UUID; /* section 3.2.4 */

typedef struct {
    uint32_t login;
    TEE_UUID uuid;
} TEE_Identity; /* section 4.2.1 */

typedef struct {
    uint32_t seconds;
    uint32_t millis;
} TEE_Time; /* section 7.1 */

/* Handles, section 2.4.2: never dereferenced by an application */
typedef struct __TEE_TASessionHandle *TEE_TASessionHandle;
typedef struct __TEE_PropSetHandle *TEE_PropSetHandle;
typedef struct __TEE_ObjectHandle *TEE_ObjectHandle;
typedef struct __TEE_ObjectEnumHandle *TEE_ObjectEnumHandle;
typedef struct __TEE_OperationHandle *TEE_OperationHandle;

typedef uint32_t TEE_ObjectType;    /* section 5.3.1 */
typedef uint32_t TEE_Whence;        /* section 5.3.4 */
typedef uint32_t TEE_OperationMode; /* section 6.1.1 */

typedef union {
    struct {
        void *buffer;
        size_t size;
    } memref;
    struct {
        uint32_t a;
        uint32_t b;
    } value;
} tee13_Param; /* section 4.3.7 */

typedef union {
    struct {
        void *buffer;
        uint32_t size;
    } memref;
    struct {
        uint32_t a;
        uint32_t b;
    } value;
} tee11_Param;

typedef struct {
    uint32_t attributeID;
    union {
        struct {
            void *buffer;
            size_t length;
        } ref;
        struct {
            uint32_t a;
            uint32_t b;
        } value;
    } content;
} tee13_Attribute; /* section 5.3.3 */

typedef struct {
    uint32_t attributeID;
    union {
        struct {
            void *buffer;
            uint32_t length;
        } ref;
        struct {
            uint32_t a;
            uint32_t b;
        } value;
    } content;
} tee11_Attribute;

/* keySize and maxKeySize are the names of 1.0 for objectSize and maxObjectSize */
typedef struct {
    uint32_t objectType;
    __extension__ union {
        uint32_t objectSize;
        uint32_t keySize;
    };
    __extension__ union {
        uint32_t maxObjectSize;
        uint32_t maxKeySize;
    };
    uint32_t objectUsage;
    size_t dataSize;
    size_t dataPosition;
    uint32_t handleFlags;
} tee13_ObjectInfo; /* section 5.3.5 */

typedef struct {
    uint32_t objectType;
    __extension__ union {
        uint32_t objectSize;
        uint32_t keySize;
    };
    __extension__ union {
        uint32_t maxObjectSize;
        uint32_t maxKeySize;
    };
    uint32_t objectUsage;
    uint32_t dataSize;
    uint32_t dataPosition;
    uint32_t handleFlags;
} tee11_ObjectInfo;

#ifdef __OPTEE_CORE_API_COMPAT_1_1
typedef tee11_Param TEE_Param;
typedef tee11_Attribute TEE_Attribute;
typedef tee11_ObjectInfo TEE_ObjectInfo;
#else
typedef tee13_Param TEE_Param;
typedef tee13_Attribute TEE_Attribute;
typedef tee13_ObjectInfo TEE_ObjectInfo;
#endif

typedef struct {
    uint32_t algorithm;
    uint32_t operationClass;
    uint32_t mode;
    uint32_t digestLength;
    uint32_t maxKeySize;
    uint32_t keySize;
    uint32_t requiredKeyUsage;
    uint32_t handleState;
} TEE_OperationInfo; /* section 6.1.4 */

typedef struct {
    uint32_t keySize;
    uint32_t requiredKeyUsage;
} TEE_OperationInfoKey;

typedef struct {
    uint32_t algorithm;
    uint32_t operationClass;
    uint32_t mode;
    uint32_t digestLength;
    uint32_t maxKeySize;
    uint32_t handleState;
    uint32_t operationState;
    uint32_t numberOfKeys;
    __extension__ TEE_OperationInfoKey keyInformation[];
} TEE_OperationInfoMultiple; /* section 6.1.5 */

/* Numbers of any length, section 8.3 */
typedef uint32_t TEE_BigInt;
typedef uint32_t TEE_BigIntFMM;
typedef uint32_t TEE_BigIntFMMContext;

#endif

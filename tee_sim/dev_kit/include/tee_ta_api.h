/* What an application defines: the entry points of TEE Internal Core API 1.3.1, section 4.3. */
#ifndef TEE_TA_API_H
#define TEE_TA_API_H

#include <tee_api_types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TA_EXPORT __attribute__((__visibility__("default")))

TEE_Result TA_EXPORT TA_CreateEntryPoint(void);
void TA_EXPORT TA_DestroyEntryPoint(void);
TEE_Result TA_EXPORT TA_OpenSessionEntryPoint(uint32_t paramTypes, TEE_Param params[4], void **sessionContext);
void TA_EXPORT TA_CloseSessionEntryPoint(void *sessionContext);
TEE_Result TA_EXPORT TA_InvokeCommandEntryPoint(void *sessionContext, uint32_t commandID, uint32_t paramTypes,
                                                TEE_Param params[4]);

#ifdef __cplusplus
}
#endif

#endif

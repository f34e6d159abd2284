/* The name by which some applications include the functions of the Internal Core API. */
#ifndef TEE_API_H
#define TEE_API_H

#include <tee_internal_api.h>

#endif

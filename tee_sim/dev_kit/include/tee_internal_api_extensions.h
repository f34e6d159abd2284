/*
 * What many applications include for their messages (trace.h) and for the C library's printf; no functions of its
 * own.
 */
#ifndef TEE_INTERNAL_API_EXTENSIONS_H
#define TEE_INTERNAL_API_EXTENSIONS_H

#include <stdio.h>

#include <tee_api_defines_extensions.h>
#include <tee_api_types.h>
#include <trace.h>

#endif

#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#include <safe_ta.h>

#define TA_UUID SAFE_TA_UUID

#define TA_FLAGS 0
#define TA_STACK_SIZE (8 * 1024)
#define TA_DATA_SIZE (128 * 1024)

#define TA_VERSION "1.0"
#define TA_DESCRIPTION "Keeps named objects in the secure store"

#define TA_CURRENT_TA_EXT_PROPERTIES                                                \
    { "org.example.safe.nameBytes", USER_TA_PROP_TYPE_U32, &(const uint32_t){ 64 } }

#endif

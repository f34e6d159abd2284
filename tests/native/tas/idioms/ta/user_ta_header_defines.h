#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#include <idioms_ta.h>

#define TA_UUID TA_IDIOMS_UUID
#define TA_FLAGS (TA_FLAG_EXEC_DDR | TA_FLAG_USER_MODE | BIT(3))
#define TA_STACK_SIZE (2 * 1024)
#define TA_DATA_SIZE SIZE_1M

#define TA_CURRENT_TA_EXT_PROPERTIES \
    {"myprop.hello", USER_TA_PROP_TYPE_STRING, "hello"}, \
    {"myprop.version", USER_TA_PROP_TYPE_U32, &(const uint32_t){0x0010}}, \
    {"myprop.true", USER_TA_PROP_TYPE_BOOL, &(const bool){true}}

#endif

#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#include <locker_ta.h>

#define TA_UUID TA_LOCKER_UUID
#define TA_FLAGS (TA_FLAG_SINGLE_INSTANCE | TA_FLAG_MULTI_SESSION | TA_FLAG_INSTANCE_KEEP_ALIVE)
#define TA_STACK_SIZE (12 * 1024)
#define TA_DATA_SIZE (128 * 1024)

#define TA_VERSION "1.0"
#define TA_DESCRIPTION "Tokens, sessions and objects behind handles"

#endif

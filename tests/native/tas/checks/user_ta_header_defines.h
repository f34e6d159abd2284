#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#define TA_UUID { 0x5d0a2c31, 0x9b7e, 0x4f66, { 0x8f, 0x04, 0x1c, 0x7e, 0x6b, 0x93, 0xd2, 0x50 } }

#define TA_FLAGS (TA_FLAG_SINGLE_INSTANCE | TA_FLAG_MULTI_SESSION)
#define TA_STACK_SIZE (64 * 1024)
#define TA_DATA_SIZE (1024 * 1024)

#define TA_VERSION "checks"
#define TA_DESCRIPTION "Conformance checks"

#endif

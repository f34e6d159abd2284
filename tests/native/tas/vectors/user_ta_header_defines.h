#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#define TA_UUID { 0x5d0a2c31, 0x9b7e, 0x4f66, { 0x8f, 0x04, 0x1c, 0x7e, 0x6b, 0x93, 0xd2, 0x60 } }
#define TA_FLAGS TA_FLAG_SINGLE_INSTANCE
#define TA_STACK_SIZE (16 * 1024)
#define TA_DATA_SIZE (32 * 1024)

#endif

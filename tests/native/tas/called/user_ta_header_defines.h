#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#define TA_UUID { 0x7e4c10d2, 0x58ab, 0x4f93, { 0x9d, 0x06, 0x3b, 0x1f, 0xa2, 0xc7, 0xe8, 0x51 } }

#define TA_FLAGS TA_FLAG_MULTI_SESSION
#define TA_STACK_SIZE (16 * 1024)
#define TA_DATA_SIZE (32 * 1024)

#endif

#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#define TA_UUID { 0x7e1f4b90, 0x2a6c, 0x4d35, { 0x9c, 0x18, 0xe3, 0xa5, 0x50, 0x7f, 0x61, 0xb2 } }

#define TA_FLAGS TA_FLAG_SINGLE_INSTANCE
#define TA_STACK_SIZE (64 * 1024)
#define TA_DATA_SIZE (512 * 1024)

#endif

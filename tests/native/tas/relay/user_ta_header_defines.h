#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#define TA_UUID { 0x2f7b1c90, 0x63d4, 0x4c1a, { 0xb6, 0xe8, 0x95, 0xa0, 0xd3, 0xf1, 0x8c, 0x27 } }

#define TA_FLAGS 0
#define TA_STACK_SIZE (16 * 1024)
#define TA_DATA_SIZE (2 * 1024 * 1024)

#endif

#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#define TA_UUID { 0x3c9e6b0a, 0x4f1d, 0x4e2a, { 0x9d, 0x57, 0xb0, 0xc4, 0x1a, 0x8e, 0x7f, 0x13 } }

#define TA_FLAGS 0
#define TA_STACK_SIZE (16 * 1024)
#define TA_DATA_SIZE (64 * 1024)

#endif

#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#define TA_UUID { 0x4b1e77a2, 0x6c0d, 0x4c8a, { 0x9d, 0x2f, 0x52, 0xf0, 0xa3, 0xb1, 0xc9, 0xd8 } }

#define TA_FLAGS 0
#define TA_STACK_SIZE (16 * 1024)
#define TA_DATA_SIZE (256 * 1024)

#endif

#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#define TA_UUID { 0x5a0d3b52, 0x9c1e, 0x4b7f, { 0x8a, 0x31, 0x6e, 0x2f, 0x70, 0xc9, 0xd4, 0x15 } }

#define TA_FLAGS 0
#define TA_STACK_SIZE (16 * 1024)
#define TA_DATA_SIZE (64 * 1024)

#endif

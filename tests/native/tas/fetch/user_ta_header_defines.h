#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#define TA_UUID { 0x77b0a4d1, 0x5a43, 0x4c2e, { 0x8f, 0x0b, 0x6f, 0x1d, 0x2c, 0x3e, 0x4a, 0x05 } }

#define TA_FLAGS 0
#define TA_STACK_SIZE (16 * 1024)
#define TA_DATA_SIZE (64 * 1024)

#endif

#ifndef GREET_TA_H
#define GREET_TA_H

#define TA_GREET_UUID { 0xa7d1c3e0, 0x1b52, 0x4f0a, { 0x8d, 0x36, 0x90, 0xc4, 0xe1, 0x7b, 0x2f, 0x01 } }

/* [0] value in-out: a is one more */
#define TA_GREET_INCREMENT 0
/* [0] value in-out: a is one less */
#define TA_GREET_DECREMENT 1
/* [0] memref in-out: a name becomes a greeting, where there is room */
#define TA_GREET_HELLO 2

#endif

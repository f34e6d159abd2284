#ifndef IDIOMS_TA_H
#define IDIOMS_TA_H

#define TA_IDIOMS_UUID { 0x3e6b1c52, 0x8f0d, 0x4c17, { 0xa2, 0xb9, 0x5d, 0x7e, 0x40, 0xc8, 0xf1, 0x06 } }

/* [0] value out: a = the line of idioms.c that does not hold, or 0 */
#define TA_IDIOMS_CHECK 0
/* [0] value out: a = a digest, told as its distance from the head of the application */
#define TA_IDIOMS_LEND 1
/* [0] value in: a = the same; [1] memref in: what to digest, [2] memref out: SHA-256 of it */
#define TA_IDIOMS_USE 2

#endif

#ifndef HOTP_TA_H
#define HOTP_TA_H

#define TA_HOTP_UUID { 0xa7d1c3e0, 0x1b52, 0x4f0a, { 0x8d, 0x36, 0x90, 0xc4, 0xe1, 0x7b, 0x2f, 0x05 } }

/* [0] memref in: the key, 20 to 32 bytes; the counter begins at 0 */
#define TA_HOTP_REGISTER 0
/* [0] value out: a = the next password, six digits */
#define TA_HOTP_NEXT 1

#endif

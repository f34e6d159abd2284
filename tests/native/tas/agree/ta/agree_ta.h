#ifndef AGREE_TA_H
#define AGREE_TA_H

#define TA_AGREE_UUID { 0xa7d1c3e0, 0x1b52, 0x4f0a, { 0x8d, 0x36, 0x90, 0xc4, 0xe1, 0x7b, 0x2f, 0x04 } }

#define TA_AGREE_COORDINATE_BYTES 32
#define TA_AGREE_SIGNATURE_BYTES 64

/* [0] memref out, [1] memref out: the public point of this session's pair for agreeing */
#define TA_AGREE_PUBLIC 0
/* [0] memref in, [1] memref in: the other's point; [2] memref out: SHA-256 of the secret */
#define TA_AGREE_SECRET 1
/* [0] memref in: a message; [1] memref out: the signature, by this session's pair for signing */
#define TA_AGREE_SIGN 2
/* [0] memref in: a message; [1] memref in: a signature */
#define TA_AGREE_VERIFY 3

#endif

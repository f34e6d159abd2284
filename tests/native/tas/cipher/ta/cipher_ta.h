#ifndef CIPHER_TA_H
#define CIPHER_TA_H

#define TA_CIPHER_UUID { 0xa7d1c3e0, 0x1b52, 0x4f0a, { 0x8d, 0x36, 0x90, 0xc4, 0xe1, 0x7b, 0x2f, 0x03 } }

/* [0] value in: a = mode of operation; [1] value in: a = bytes of the key; [2] value in: a = 0 decipher, 1 encipher */
#define TA_CIPHER_PREPARE 0
#define TA_CIPHER_ECB 0
#define TA_CIPHER_CBC 1
#define TA_CIPHER_CTR 2
/* [0] memref in: the key */
#define TA_CIPHER_KEY 1
/* [0] memref in: the initial vector */
#define TA_CIPHER_VECTOR 2
/* [0] memref in, [1] memref out */
#define TA_CIPHER_UPDATE 3

#endif

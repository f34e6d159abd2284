/* What the safe and its callers share: identity, commands and sizes. */
#ifndef SAFE_TA_H
#define SAFE_TA_H

#define SAFE_TA_UUID \
    { 0x3f0b7a52, 0x84c1, 0x4e0d, { 0xb1, 0x6a, 0x5c, 0x9e, 0x20, 0x77, 0xd4, 0x18 } }

/*
 * A name is 1 to SAFE_NAME_BYTES bytes, in parameter 0 (memref in) of every command but SAFE_LIST.
 * Where the room for an answer is too small the result is TEE_ERROR_SHORT_BUFFER, with the size that is needed.
 */

/* Put something new into the safe: [1] memref in, its content. TEE_ERROR_ACCESS_CONFLICT if the name is taken. */
#define SAFE_CREATE 0

/* Read: [1] memref out. */
#define SAFE_READ 1

/* Replace the whole content: [1] memref in. What was not there is made. */
#define SAFE_REPLACE 2

/* Write in the middle: [1] memref in, [2] value in: a = offset. Past the end there are zeros in between. */
#define SAFE_WRITE 3

/* Cut off, or lengthen with zeros: [1] value in: a = size. */
#define SAFE_RESIZE 4

/* Give another name: [1] memref in, the new one. TEE_ERROR_ACCESS_CONFLICT if it is taken. */
#define SAFE_RENAME 5

/* Take out for good. */
#define SAFE_DELETE 6

/* What is in it: [0] memref out; for each object its size (four bytes, little endian), the length of its name, the name. */
#define SAFE_LIST 7

#define SAFE_NAME_BYTES 64

#endif

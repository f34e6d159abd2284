#ifndef DICE_TA_H
#define DICE_TA_H

#define TA_DICE_UUID { 0xa7d1c3e0, 0x1b52, 0x4f0a, { 0x8d, 0x36, 0x90, 0xc4, 0xe1, 0x7b, 0x2f, 0x02 } }

/* [0] memref out: filled with random bytes */
#define TA_DICE_BYTES 0
/* [0] value in-out: a = sides; out: a = what lies on top, from 1 */
#define TA_DICE_THROW 1

#endif

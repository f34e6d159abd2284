/*
 * Keys behind handles, as tokens have them. Every command:
 *
 * [0] memref in-out: eight bytes, two numbers (struct locker_words); out: `first` is what the command answers
 * [1] memref in: what the command takes; [2] memref out: what it gives; each may be left out (TEE_PARAM_TYPE_NONE)
 */
#ifndef LOCKER_TA_H
#define LOCKER_TA_H

#include <stdint.h>

#define TA_LOCKER_UUID { 0xa7d1c3e0, 0x1b52, 0x4f0a, { 0x8d, 0x36, 0x90, 0xc4, 0xe1, 0x7b, 0x2f, 0x06 } }

struct locker_words {
    uint32_t first;
    uint32_t second;
};

/* first = slot; [1] PIN */
#define LOCKER_INIT_TOKEN 1
/* first = slot; answers a session */
#define LOCKER_OPEN 2
/* first = session */
#define LOCKER_CLOSE 3
/* first = session; [1] PIN */
#define LOCKER_LOGIN 4
/* first = session, second = 1 for a key that stays; answers an object */
#define LOCKER_MAKE_KEY 5
/* first = session, second = object; [1] data, [2] MAC */
#define LOCKER_SIGN 6
/* first = session, second = object; [1] the MAC (32 bytes), then the data */
#define LOCKER_VERIFY 7
/* first = session; answers how many objects it sees; [2] their numbers */
#define LOCKER_FIND 8
/* first = session, second = object */
#define LOCKER_DESTROY 9

#define LOCKER_SLOTS 3
#define LOCKER_MAC_BYTES 32

/* Results of its own */
#define LOCKER_SLOT_INVALID 0x00010003
#define LOCKER_SESSION_INVALID 0x000100b3
#define LOCKER_OBJECT_INVALID 0x00010082
#define LOCKER_PIN_INCORRECT 0x000100a0
#define LOCKER_NOT_LOGGED_IN 0x00010101
#define LOCKER_TOKEN_MISSING 0x000100e0
#define LOCKER_SIGNATURE_INVALID 0x000100c0

#endif

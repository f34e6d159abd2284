/* What the PIN application and its callers share: identity, commands, results and sizes. */
#ifndef PIN_TA_H
#define PIN_TA_H

#define PIN_TA_UUID \
    { 0xd1c6a9e0, 0x6d0e, 0x4b5c, { 0x9a, 0x37, 0x21, 0x0f, 0x5e, 0x84, 0xb2, 0x6d } }

/*
 * Set or change the PIN of a user.
 * [0] value in-out: a = user; out: a = milliseconds to wait
 * [1] memref in: new PIN, PIN_LEAST_BYTES to PIN_MOST_BYTES
 * [2] memref in: the handle that is in force, and the old PIN behind it; empty if the user has none
 * [3] memref out: the new handle
 */
#define PIN_SET 0

/*
 * Check a PIN.
 * [0] value in-out: a, b = challenge of the caller, low and high half; out: a = milliseconds to wait
 * [1] memref in: handle
 * [2] memref in: PIN
 * [3] memref out: token
 */
#define PIN_VERIFY 1

/*
 * Check a token that this instance of the application made.
 * [0] value in: a, b = challenge that it must answer
 * [1] memref in: token
 */
#define PIN_CHECK 2

/* A result of our own: the caller has to wait, parameter 0 says how long. */
#define PIN_WAIT 0x00010001

#define PIN_LEAST_BYTES 4
#define PIN_MOST_BYTES 32
#define PIN_HANDLE_BYTES 62
#define PIN_TOKEN_BYTES 54

#endif

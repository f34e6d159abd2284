/*
 * The application that some trusted operating systems have built in for services of their own. There is none here: to open
 * a session with it answers ITEM_NOT_FOUND, for which applications have to be ready that run on more than one system.
 */
#ifndef PTA_SYSTEM_H
#define PTA_SYSTEM_H

#define PTA_SYSTEM_UUID {0x3a2f8978, 0x5dc0, 0x11e8, {0x9c, 0x2d, 0xfa, 0x7a, 0xe0, 0x1b, 0xbe, 0xbc}}

#define PTA_SYSTEM_ADD_RNG_ENTROPY 0
#define PTA_SYSTEM_DERIVE_TA_UNIQUE_KEY 1

/* sizes in bytes, of the command for a key of the application */
#define TA_DERIVED_KEY_MIN_SIZE 16
#define TA_DERIVED_KEY_MAX_SIZE 32
#define TA_DERIVED_EXTRA_DATA_MAX_SIZE 1024

#endif

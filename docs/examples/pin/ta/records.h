/* What is kept in the secure store: a key of this application, and for each user a record of failures. */
#ifndef RECORDS_H
#define RECORDS_H

#include <tee_internal_api.h>

/*
 * The failures of a user.
 *
 * id:        which handle is in force; one with another id is of before a change
 * failures:  in a row, the one that is being checked counted
 * since_ms:  system time of the last of them
 */
struct record {
    uint64_t id;
    uint64_t since_ms;
    uint32_t failures;
    uint32_t user;
};

/* TEE_ERROR_ITEM_NOT_FOUND if the user has no PIN. */
TEE_Result record_read(uint32_t user, struct record *record);

/* The whole record, or what was there before. */
TEE_Result record_write(const struct record *record);

/* The key that binds handles to this device, made the first time. The caller closes it. */
TEE_Result device_key(TEE_ObjectHandle *key);

#endif

/* How long a user waits after how many failures. */
#ifndef THROTTLE_H
#define THROTTLE_H

#include <tee_internal_api.h>

/* Milliseconds to wait after this many failures in a row. */
uint32_t throttle_wait_ms(uint32_t failures);

/* Milliseconds since the start of the device, as TEE_GetSystemTime counts. */
uint64_t throttle_now_ms(void);

/*
 * What is left of a wait that began at `since_ms`. A clock that stands before that has begun anew, at a reboot: the wait
 * begins again, so that a reboot does not shorten it. The caller stores the new beginning.
 */
uint32_t throttle_left_ms(uint32_t failures, uint64_t *since_ms, uint64_t now_ms);

#endif

/* A test mode for applications that read an input twice (docs/gp-api.md, "Double fetch"). */
#ifndef TEE_SIM_DOUBLE_FETCH_H
#define TEE_SIM_DOUBLE_FETCH_H

#include <stddef.h>
#include <stdint.h>

/* The bytes of parameter `i`, which the client could change on a device while the application runs. */
void fetch_begin(unsigned i, uint8_t *data, size_t size);
void fetch_end(void);

/* Said by each function that reads for the application, before it does. */
void fetch_read(const void *data, size_t size);

#endif

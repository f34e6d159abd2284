/* The heap of the instance that runs. */
#ifndef TEE_SIM_MEMORY_H
#define TEE_SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

void *memory_get(size_t size, bool fill); /* filled with zero, or with what nobody should rely on */
void *memory_resize(void *block, size_t size);
void memory_put(void *block);

#endif

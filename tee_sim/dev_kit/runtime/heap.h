/* The heap of one instance: TA_DATA_SIZE bytes, and who owns what in them is kept where the TA does not write. */
#ifndef TEE_SIM_HEAP_H
#define TEE_SIM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap {
    uint8_t *arena;
    size_t size;
    size_t limit; /* TA_DATA_SIZE */
    size_t used;  /* by the TA, in granules of 16 bytes */
    uint8_t *starts; /* one bit for each granule: whether a block that is in use starts there */
};

size_t heap_map_bytes(size_t data_bytes); /* what heap_new maps for a heap of this size */
bool heap_new(struct heap *heap, size_t data_bytes);
void heap_end(struct heap *heap);

/* Not filled. NULL if there is no room. */
void *heap_get(struct heap *heap, size_t size, bool fill);
/* Keeps the contents; what is new is zero if the block was got so. NULL if there is no room: the block stays. */
void *heap_resize(struct heap *heap, void *block, size_t size);
void heap_put(struct heap *heap, void *block);
/* Whether it is a block in use. Ask before resizing or putting back. */
bool heap_owns(const struct heap *heap, const void *block);

#endif

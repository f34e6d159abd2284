/* Where AddressSanitizer is in the process (an unlocked run): its own heap, so that it knows of each block, and finds
 * what is written beyond it, used after it was freed, or never freed. */
#ifndef TEE_SIM_SANITIZER_H
#define TEE_SIM_SANITIZER_H

#include "heap.h"

bool sanitizer_is_there(void);
bool sanitizer_owns(const struct heap *heap, const void *block);
void *sanitizer_get(struct heap *heap, size_t size, bool fill);
void *sanitizer_resize(struct heap *heap, void *block, size_t size);
void sanitizer_put(struct heap *heap, void *block);
void sanitizer_free_all(struct heap *heap);
void sanitizer_say_left(const struct heap *heap); /* which blocks an instance that ends has not freed */
void sanitizer_no_return(void); /* before frames are left that do not return */

#endif

/* Keep an index inside of its array, also where a processor runs ahead of the check. */
#ifndef CONFINE_ARRAY_INDEX_H
#define CONFINE_ARRAY_INDEX_H

#include <stddef.h>

/* The index if it is below `size`, else 0: by arithmetic, as a branch could be guessed wrong. */
static inline size_t confine_array_index(size_t index, size_t size)
{
    size_t below = (size_t)0 - (size_t)(index < size);

    __asm__ volatile("" : "+r"(below));
    return index & below;
}

#endif

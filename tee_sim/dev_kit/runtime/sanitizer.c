#include "sanitizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

/* Of libasan; not there in any other process. */
extern void __asan_init(void) __attribute__((weak));
extern void __asan_handle_no_return(void) __attribute__((weak));
extern void __asan_describe_address(void *address) __attribute__((weak));

#define MOST_DESCRIBED 4u

/* What lies beside each block: the blocks of all heaps in a list of their own. */
struct owned {
    struct owned *next;
    const struct heap *heap;
    void *block;
    size_t size;
    bool fill;
};

static struct owned *all;

bool sanitizer_is_there(void)
{
    return __asan_init != NULL;
}

void sanitizer_no_return(void)
{
    if (__asan_handle_no_return != NULL)
        __asan_handle_no_return();
}

static struct owned **find(const struct heap *heap, const void *block)
{
    struct owned **at = &all;

    while (*at != NULL && ((*at)->heap != heap || (*at)->block != block))
        at = &(*at)->next;
    return at;
}

bool sanitizer_owns(const struct heap *heap, const void *block)
{
    return *find(heap, block) != NULL;
}

void *sanitizer_get(struct heap *heap, size_t size, bool fill)
{
    struct owned *owned = malloc(sizeof(*owned));
    void *block = malloc(size == 0 ? 1 : size);

    if (owned == NULL || block == NULL) {
        free(owned);
        free(block);
        return NULL;
    }
    *owned = (struct owned){.next = all, .heap = heap, .block = block, .size = size, .fill = fill};
    all = owned;
    heap->used += size;
    return block;
}

void sanitizer_put(struct heap *heap, void *block)
{
    struct owned **at = find(heap, block), *owned = *at;

    *at = owned->next;
    heap->used -= owned->size;
    free(block);
    free(owned);
}

void *sanitizer_resize(struct heap *heap, void *block, size_t size)
{
    struct owned *owned = *find(heap, block);
    void *moved;

    /* As on a heap where the block grows in its place. */
    if (size > owned->size && size - owned->size > heap->limit - heap->used)
        return NULL;
    moved = sanitizer_get(heap, size, owned->fill);
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, owned->size < size ? owned->size : size);
    if (owned->fill && size > owned->size)
        memset((uint8_t *)moved + owned->size, 0, size - owned->size);
    sanitizer_put(heap, block);
    return moved;
}

void sanitizer_say_left(const struct heap *heap)
{
    size_t count = 0, size = 0;
    char text[128];
    int length;

    for (const struct owned *owned = all; owned != NULL; owned = owned->next)
        if (owned->heap == heap) {
            count++;
            size += owned->size;
        }
    if (count == 0)
        return;
    length = snprintf(text, sizeof(text), "not freed when the instance ended: %zu bytes in %zu blocks", size, count);
    report_line(text, (size_t)length);
    count = 0;
    for (const struct owned *owned = all; owned != NULL && count < MOST_DESCRIBED; owned = owned->next)
        if (owned->heap == heap && __asan_describe_address != NULL) {
            __asan_describe_address(owned->block);
            count++;
        }
}

void sanitizer_free_all(struct heap *heap)
{
    struct owned **at = &all;

    while (*at != NULL) {
        struct owned *owned = *at;

        if (owned->heap != heap) {
            at = &owned->next;
            continue;
        }
        *at = owned->next;
        free(owned->block);
        free(owned);
    }
}

/* First fit over one list of blocks that lie one after the other. Each begins with a head, which an overrun may have
 * changed: what it says is held against the arena before it is followed. */
#include "heap.h"

#include <string.h>
#include <sys/mman.h>

#include "host.h"
#include "panic.h"
#include "sanitizer.h"

#define GRANULE 16u
#define PAGE 4096u
#define IN_USE ((size_t)1)
#define FILLED ((size_t)2)
#define FLAGS (IN_USE | FILLED)

struct block {
    size_t size;   /* with this head, a multiple of GRANULE, and flags */
    size_t before; /* size of the block before it; 0 for the first */
    size_t asked;  /* what the TA wanted */
    size_t unused;
};

#define HEAD sizeof(struct block)

static size_t rounded(size_t size, size_t to)
{
    return (size + to - 1) / to * to;
}

/* Heads are not the TA's: a quarter more, and what the first ones take. */
static size_t arena_bytes(size_t data_bytes)
{
    return rounded(data_bytes + data_bytes / 4 + PAGE, PAGE);
}

size_t heap_map_bytes(size_t data_bytes)
{
    return arena_bytes(data_bytes) + rounded(arena_bytes(data_bytes) / GRANULE / 8, PAGE);
}

bool heap_new(struct heap *heap, size_t data_bytes)
{
    struct block *first;

    *heap = (struct heap){.limit = data_bytes};
    heap->size = arena_bytes(data_bytes);
    heap->arena = mmap(NULL, heap_map_bytes(data_bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (heap->arena == MAP_FAILED) {
        heap->arena = NULL;
        return false;
    }
    heap->starts = heap->arena + heap->size;
    first = (struct block *)heap->arena;
    first->size = heap->size;
    return true;
}

void heap_end(struct heap *heap)
{
    sanitizer_free_all(heap);
    if (heap->arena != NULL)
        munmap(heap->arena, heap_map_bytes(heap->limit));
    heap->arena = NULL;
}

static size_t size_of(const struct block *block)
{
    return block->size & ~FLAGS;
}

static struct block *block_of(const void *data)
{
    return (struct block *)((uintptr_t)data - HEAD);
}

/* The block after this one; NULL after the last. */
static struct block *next_of(const struct heap *heap, const struct block *block)
{
    size_t at = (size_t)((const uint8_t *)block - heap->arena), size = size_of(block);

    if (size < HEAD || size % GRANULE != 0 || size > heap->size - at)
        panic_because(ERROR_BAD_STATE, "the heap was written over");
    return at + size == heap->size ? NULL : (struct block *)(heap->arena + at + size);
}

static void mark(struct heap *heap, const struct block *block, bool starts)
{
    size_t granule = (size_t)((const uint8_t *)block - heap->arena) / GRANULE;
    uint8_t bit = (uint8_t)(1u << granule % 8);

    if (starts)
        heap->starts[granule / 8] |= bit;
    else
        heap->starts[granule / 8] &= (uint8_t)~bit;
}

bool heap_owns(const struct heap *heap, const void *data)
{
    uintptr_t at = (uintptr_t)data - (uintptr_t)heap->arena - HEAD;

    if (sanitizer_is_there())
        return sanitizer_owns(heap, data);
    if ((uintptr_t)data < (uintptr_t)heap->arena + HEAD || at >= heap->size || at % GRANULE != 0)
        return false;
    return (heap->starts[at / GRANULE / 8] >> at / GRANULE % 8 & 1) != 0;
}

/* Gives back what a block has beyond `need`. */
static void split(struct heap *heap, struct block *block, size_t need)
{
    size_t size = size_of(block);
    struct block *after = next_of(heap, block), *rest;

    if (size - need < HEAD + GRANULE)
        return;
    rest = (struct block *)((uint8_t *)block + need);
    *rest = (struct block){.size = size - need, .before = need};
    block->size = need | (block->size & FLAGS);
    if (after != NULL)
        after->before = size - need;
    if (after != NULL && (after->size & IN_USE) == 0) {
        struct block *beyond = next_of(heap, after);

        rest->size += size_of(after);
        if (beyond != NULL)
            beyond->before = rest->size;
    }
}

void *heap_get(struct heap *heap, size_t size, bool fill)
{
    size_t net = rounded(size == 0 ? 1 : size, GRANULE), need = net + HEAD;

    if (size > heap->limit || net > heap->limit - heap->used)
        return NULL;
    if (sanitizer_is_there())
        return sanitizer_get(heap, size, fill);
    for (struct block *block = (struct block *)heap->arena; block != NULL; block = next_of(heap, block)) {
        if ((block->size & IN_USE) != 0 || size_of(block) < need)
            continue;
        next_of(heap, block);
        block->size |= IN_USE;
        split(heap, block, need);
        block->size |= fill ? FILLED : 0;
        block->asked = size;
        heap->used += net;
        mark(heap, block, true);
        return (uint8_t *)block + HEAD;
    }
    return NULL;
}

static size_t net_of(const struct block *block)
{
    return rounded(block->asked == 0 ? 1 : block->asked, GRANULE);
}

void heap_put(struct heap *heap, void *data)
{
    struct block *block = block_of(data), *after;

    if (sanitizer_is_there()) {
        sanitizer_put(heap, data);
        return;
    }
    after = next_of(heap, block);
    if (block->asked > size_of(block) - HEAD || net_of(block) > heap->used || block->before % GRANULE != 0 ||
        block->before > (size_t)((uint8_t *)block - heap->arena))
        panic_because(ERROR_BAD_STATE, "the heap was written over");
    heap->used -= net_of(block);
    mark(heap, block, false);
    block->size &= ~FLAGS;
    if (after != NULL && (after->size & IN_USE) == 0) {
        next_of(heap, after);
        block->size += size_of(after);
    }
    if (block->before != 0) {
        struct block *before = (struct block *)((uint8_t *)block - block->before);

        if ((before->size & IN_USE) == 0 && size_of(before) == block->before) {
            before->size += block->size;
            block = before;
        }
    }
    after = next_of(heap, block);
    if (after != NULL)
        after->before = size_of(block);
}

/* Takes what follows a block into it, if that is free and makes it large enough. */
static void extend(struct heap *heap, struct block *block, size_t need)
{
    struct block *after = next_of(heap, block), *beyond;

    if (after == NULL || (after->size & IN_USE) != 0)
        return;
    beyond = next_of(heap, after);
    if (size_of(block) + size_of(after) < need)
        return;
    block->size += size_of(after);
    if (beyond != NULL)
        beyond->before = size_of(block);
}

void *heap_resize(struct heap *heap, void *data, size_t size)
{
    struct block *block = block_of(data);
    size_t before, room;
    void *moved;
    bool fill;

    if (sanitizer_is_there())
        return sanitizer_resize(heap, data, size);
    next_of(heap, block);
    before = block->asked;
    if (size > size_of(block) - HEAD && size <= heap->limit)
        extend(heap, block, rounded(size, GRANULE) + HEAD);
    room = size_of(block) - HEAD;
    fill = (block->size & FILLED) != 0;
    if (before > room)
        panic_because(ERROR_BAD_STATE, "the heap was written over");
    if (size <= room && net_of(block) <= heap->used) {
        size_t net = rounded(size == 0 ? 1 : size, GRANULE);

        if (net > net_of(block) && net - net_of(block) > heap->limit - heap->used) {
            split(heap, block, net_of(block) + HEAD);
            return NULL;
        }
        heap->used = heap->used - net_of(block) + net;
        block->asked = size;
        split(heap, block, net + HEAD);
        if (fill && size > before)
            memset((uint8_t *)data + before, 0, size - before);
        return data;
    }
    moved = heap_get(heap, size, fill);
    if (moved == NULL)
        return NULL;
    memcpy(moved, data, before);
    if (fill)
        memset((uint8_t *)moved + before, 0, size - before);
    heap_put(heap, data);
    return moved;
}

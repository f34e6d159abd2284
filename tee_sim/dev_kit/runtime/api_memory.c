/* TEE Internal Core API 1.3.1, sections 4.8.1 (panic) and 4.11 (memory): what needs no core. */
#include <string.h>

#include "double_fetch.h"
#include "functions.h"
#include "host.h"
#include "memory.h"
#include "panic.h"
#include "runtime.h"
#include "tee_api_compat11.h"
#include "tee_internal_api.h"

/* Known from existing code: an older name of TEE_MALLOC_NO_FILL. */
#define HINT_NO_FILL_ZERO 0x80000000u
/* What memory holds that nobody asked to be filled: whoever takes it for zero finds out here and not on a device. */
#define NOT_FILLED 0xA5

static uint64_t allocations;

void TEE_Panic(TEE_Result panicCode)
{
    last_function = FUNCTION_PANIC;
    tee_panic(panicCode);
}

static bool in_stack(uintptr_t start, size_t size)
{
    uintptr_t first = (uintptr_t)current->stack + GUARD_BYTES, end = (uintptr_t)instance_stack_top(current);

    return start >= first && start <= end && size <= end - start;
}

static bool in_heap(uintptr_t start, size_t size)
{
    uintptr_t first = (uintptr_t)current->heap.arena;

    return start >= first && start - first <= current->heap.size && size <= current->heap.size - (start - first);
}

bool may_access(const void *buffer, size_t size, unsigned rights)
{
    uintptr_t start = (uintptr_t)buffer;
    bool inside, may;

    if (size == 0)
        return true;
    if (buffer == NULL || size > UINTPTR_MAX - start)
        return false;
    may = params_may_access(start, size, rights, &inside);
    if (inside)
        return may && (rights & MEMORY_ANY_OWNER) != 0;
    /* The stack of the process is not known here; what goes wrong is found by the sanitizer. */
    return config.unlocked || in_stack(start, size) || in_heap(start, size) || params_hold(start, size) ||
           image_may_access(start, size, rights);
}

void need_access(const void *buffer, size_t size, unsigned rights)
{
    if (!may_access(buffer, size, rights | MEMORY_ANY_OWNER))
        panic_because(ERROR_ACCESS_DENIED, "a buffer that the application may not access");
}

TEE_Result TEE_CheckMemoryAccessRights(uint32_t accessFlags, void *buffer, size_t size)
{
    count_call(FUNCTION_CHECK_MEMORY_ACCESS_RIGHTS);
    return may_access(buffer, size, accessFlags) ? TEE_SUCCESS : TEE_ERROR_ACCESS_DENIED;
}

void TEE_SetInstanceData(const void *instanceData)
{
    count_call(FUNCTION_SET_INSTANCE_DATA);
    current->data = (void *)(uintptr_t)instanceData;
}

const void *TEE_GetInstanceData(void)
{
    count_call(FUNCTION_GET_INSTANCE_DATA);
    return current->data;
}

/* Whether this allocation is one that a fault makes fail. */
static bool fails(void)
{
    allocations++;
    return config.no_memory_at != 0 && allocations == config.no_memory_at;
}

void *memory_get(size_t size, bool fill)
{
    void *block = fails() ? NULL : heap_get(&current->heap, size, fill);

    if (block != NULL)
        memset(block, fill ? 0 : NOT_FILLED, size);
    return block;
}

void *memory_resize(void *block, size_t size)
{
    if (!heap_owns(&current->heap, block))
        panic_because(ERROR_BAD_PARAMETERS, "a block that was not allocated, or is free");
    return fails() ? NULL : heap_resize(&current->heap, block, size);
}

void memory_put(void *block)
{
    if (block == NULL)
        return;
    if (!heap_owns(&current->heap, block))
        panic_because(ERROR_BAD_PARAMETERS, "a block that was not allocated, or is free");
    heap_put(&current->heap, block);
}

void *TEE_Malloc(size_t size, uint32_t hint)
{
    count_call(FUNCTION_MALLOC);
    return memory_get(size, (hint & (TEE_MALLOC_NO_FILL | HINT_NO_FILL_ZERO)) == 0);
}

void *TEE_Realloc(void *buffer, size_t newSize)
{
    count_call(FUNCTION_REALLOC);
    return buffer == NULL ? memory_get(newSize, true) : memory_resize(buffer, newSize);
}

void TEE_Free(void *buffer)
{
    count_call(FUNCTION_FREE);
    memory_put(buffer);
}

void TEE_MemMove(void *dest, const void *src, size_t size)
{
    count_call(FUNCTION_MEM_MOVE);
    fetch_read(src, size);
    if (size > 0)
        memmove(dest, src, size);
}

/* The sign of the first difference, without an end at it: time says nothing of the contents. */
int32_t TEE_MemCompare(const void *buffer1, const void *buffer2, size_t size)
{
    const volatile uint8_t *one = buffer1, *other = buffer2;
    int32_t found = 0;

    count_call(FUNCTION_MEM_COMPARE);
    fetch_read(buffer1, size);
    fetch_read(buffer2, size);
    for (size_t i = size; i > 0; i--) {
        int32_t difference = (int32_t)one[i - 1] - (int32_t)other[i - 1];
        int32_t differs = -(int32_t)(difference != 0);

        found = (difference & differs) | (found & ~differs);
    }
    return found;
}

void TEE_MemFill(void *buffer, uint8_t x, size_t size)
{
    count_call(FUNCTION_MEM_FILL);
    if (size > 0)
        memset(buffer, x, size);
}

TEE_Result tee11_TEE_CheckMemoryAccessRights(uint32_t accessFlags, void *buffer, uint32_t size)
{
    return TEE_CheckMemoryAccessRights(accessFlags, buffer, size);
}

void *tee11_TEE_Malloc(uint32_t size, uint32_t hint)
{
    return TEE_Malloc(size, hint);
}

void *tee11_TEE_Realloc(void *buffer, uint32_t newSize)
{
    return TEE_Realloc(buffer, newSize);
}

void tee11_TEE_MemMove(void *dest, const void *src, uint32_t size)
{
    TEE_MemMove(dest, src, size);
}

int32_t tee11_TEE_MemCompare(const void *buffer1, const void *buffer2, uint32_t size)
{
    return TEE_MemCompare(buffer1, buffer2, size);
}

void tee11_TEE_MemFill(void *buffer, uint8_t x, uint32_t size)
{
    TEE_MemFill(buffer, x, size);
}

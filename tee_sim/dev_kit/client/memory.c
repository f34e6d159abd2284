/* Shared memory (TEE Client API 1.0, sections 4.5.4 to 4.5.6).
 *
 * Nothing is shared with another process here: what a reference covers is copied in when an operation begins, and out
 * when it has ended. So registering costs nothing and may cover any size, while one reference carries 512 KiB. */
#include <stdlib.h>

#include "teec.h"

static struct memory *memories;

static TEEC_Result added(TEEC_Context *context, TEEC_SharedMemory *shared, bool allocated)
{
    struct memory *memory = calloc(1, sizeof(*memory));

    if (memory == NULL)
        return TEEC_ERROR_OUT_OF_MEMORY;
    pthread_mutex_lock(&teec_lock);
    if (!context_is_open(context->imp.id)) {
        pthread_mutex_unlock(&teec_lock);
        free(memory);
        return TEEC_ERROR_BAD_PARAMETERS;
    }
    *memory = (struct memory){
        .next = memories,
        .id = new_id(),
        .context = context->imp.id,
        .data = shared->buffer,
        .size = shared->size,
        .flags = shared->flags,
        .allocated = allocated,
    };
    memories = memory;
    shared->imp.id = memory->id;
    pthread_mutex_unlock(&teec_lock);
    return TEEC_SUCCESS;
}

static bool has_direction(const TEEC_SharedMemory *shared)
{
    const uint32_t known = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT;

    return (shared->flags & known) != 0 && (shared->flags & ~known) == 0;
}

TEEC_Result TEEC_RegisterSharedMemory(TEEC_Context *context, TEEC_SharedMemory *shared)
{
    if (context == NULL || shared == NULL || shared->buffer == NULL || !has_direction(shared))
        return TEEC_ERROR_BAD_PARAMETERS;
    return added(context, shared, false);
}

TEEC_Result TEEC_AllocateSharedMemory(TEEC_Context *context, TEEC_SharedMemory *shared)
{
    TEEC_Result result = TEEC_ERROR_OUT_OF_MEMORY;

    if (context == NULL || shared == NULL || !has_direction(shared))
        return TEEC_ERROR_BAD_PARAMETERS;
    shared->buffer = NULL;
    if (shared->size > TEEC_CONFIG_SHAREDMEM_MAX_SIZE)
        return TEEC_ERROR_OUT_OF_MEMORY;
    /* Section 4.5.5: of size 0 too the buffer is not NULL. */
    shared->buffer = calloc(1, shared->size > 0 ? shared->size : 1);
    if (shared->buffer != NULL)
        result = added(context, shared, true);
    if (result != TEEC_SUCCESS) {
        free(shared->buffer);
        shared->buffer = NULL;
    }
    return result;
}

static struct memory **place_of(uint64_t id)
{
    struct memory **at = &memories;

    while (*at != NULL && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static void forget(struct memory *memory)
{
    if (memory->allocated)
        free(memory->data);
    free(memory);
}

void TEEC_ReleaseSharedMemory(TEEC_SharedMemory *shared)
{
    struct memory **at;

    if (shared == NULL)
        return;
    pthread_mutex_lock(&teec_lock);
    at = place_of(shared->imp.id);
    if (*at != NULL) {
        struct memory *memory = *at;

        *at = memory->next;
        if (memory->allocated)
            shared->buffer = NULL;
        shared->size = 0;
        /* In use: section 4.5.6 calls that an error of the caller. What the operation copies out still has a place. */
        memory->released = true;
        if (memory->users == 0)
            forget(memory);
    }
    shared->imp.id = 0;
    pthread_mutex_unlock(&teec_lock);
}

struct memory *memory_use(const TEEC_SharedMemory *shared, uint64_t context)
{
    struct memory *memory = shared == NULL ? NULL : *place_of(shared->imp.id);

    if (memory == NULL || memory->context != context)
        return NULL;
    memory->users++;
    return memory;
}

void memory_leave(struct memory *memory)
{
    memory->users--;
    if (memory->users == 0 && memory->released)
        forget(memory);
}

/* Instances of a TA that live in one process: each with its own heap and stack, and its own globals, which stand in
 * the image while it runs and are kept beside it while another one does. */
#include <string.h>
#include <sys/mman.h>

#include "host.h"
#include "user_ta_header.h"

static struct instance instances[MAX_INSTANCES];
static struct instance *inside; /* whose globals the image holds */

/* A loop and no memcpy: AddressSanitizer would look into it, and find the zones between the TA's globals. */
static void copy(uint8_t *to, const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((volatile uint8_t *)to)[i] = from[i];
}

static void *map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

struct instance *instance_of(uint32_t number)
{
    for (unsigned i = 0; i < MAX_INSTANCES; i++)
        if (instances[i].used && instances[i].number == number)
            return &instances[i];
    return NULL;
}

struct instance *instance_any(void)
{
    for (unsigned i = 0; i < MAX_INSTANCES; i++)
        if (instances[i].used)
            return &instances[i];
    return NULL;
}

static void leave(void)
{
    if (inside != NULL)
        copy(inside->globals, image.globals, image.globals_size);
    inside = NULL;
}

struct instance *instance_new(uint32_t number)
{
    struct instance *instance = NULL;

    for (unsigned i = 0; i < MAX_INSTANCES && instance == NULL; i++)
        if (!instances[i].used)
            instance = &instances[i];
    if (instance == NULL)
        return NULL;
    *instance = (struct instance){.used = true, .number = number};
    instance->stack_size = (image.head->stack_bytes + STACK_ALLOWANCE_BYTES + 15) / 16 * 16 + GUARD_BYTES;
    instance->stack = map(instance->stack_size);
    instance->globals = image.globals_size == 0 ? NULL : map(image.globals_size);
    if (instance->stack == NULL || (image.globals_size > 0 && instance->globals == NULL) ||
        mprotect(instance->stack, GUARD_BYTES, PROT_NONE) != 0 || !heap_new(&instance->heap, image.head->data_bytes)) {
        instance_end(instance);
        return NULL;
    }
    leave();
    copy(image.globals, image.initial, image.globals_size);
    inside = instance;
    return instance;
}

void instance_enter(struct instance *instance)
{
    if (inside == instance)
        return;
    leave();
    copy(image.globals, instance->globals, image.globals_size);
    inside = instance;
}

void instance_end(struct instance *instance)
{
    if (inside == instance) {
        /* Nothing of it is left for the next one, or for whoever reads the memory of this process. */
        copy(image.globals, image.initial, image.globals_size);
        inside = NULL;
    }
    if (instance->stack != NULL)
        munmap(instance->stack, instance->stack_size);
    if (instance->globals != NULL)
        munmap(instance->globals, image.globals_size);
    heap_end(&instance->heap);
    *instance = (struct instance){0};
}

uint8_t *instance_stack_top(const struct instance *instance)
{
    return instance->stack + instance->stack_size;
}

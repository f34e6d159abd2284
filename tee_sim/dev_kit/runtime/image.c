/* What a TA exports, and where its bytes are. */
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "runtime.h"
#include "user_ta_header.h"

struct image image;
struct host_config config;

bool image_may_access(uintptr_t start, size_t size, unsigned rights)
{
    uintptr_t globals = (uintptr_t)image.globals;

    /* What is read-only after relocation lies in a segment that is writable in the file. */
    if ((rights & MEMORY_WRITE) != 0)
        return start >= globals && start - globals <= image.globals_size &&
               size <= image.globals_size - (start - globals);
    for (unsigned i = 0; i < image.segment_count; i++) {
        const struct segment *segment = &image.segments[i];
        uintptr_t first = (uintptr_t)segment->start;

        if (segment->readable && start >= first && start - first <= segment->size &&
            size <= segment->size - (start - first))
            return true;
    }
    return false;
}

/* Whether a table of functions lies in the image, whole. */
static bool is_table(const ta_constructor *first, const ta_constructor *end)
{
    size_t size = (size_t)((uintptr_t)end - (uintptr_t)first);

    return first == end || (first < end && image_may_access((uintptr_t)first, size, MEMORY_READ));
}

const char *image_complete(lookup find)
{
    const struct ta_head *head = find("ta_head");

    if (head == NULL || !image_may_access((uintptr_t)head, sizeof(*head), MEMORY_READ) ||
        memcmp(head->magic, TA_HEAD_MAGIC, sizeof(head->magic)) != 0)
        return "it has no head";
    if (head->abi != TA_HEAD_ABI_1_1 && head->abi != TA_HEAD_ABI_1_3)
        return "it is built for another version of the API";
    if (!is_table(head->constructors, head->constructors_end) || !is_table(head->destructors, head->destructors_end))
        return "its table of constructors lies outside of it";
    image.head = head;
    *(void **)&image.create = find("TA_CreateEntryPoint");
    *(void **)&image.destroy = find("TA_DestroyEntryPoint");
    *(void **)&image.open = find("TA_OpenSessionEntryPoint");
    *(void **)&image.close = find("TA_CloseSessionEntryPoint");
    *(void **)&image.invoke = find("TA_InvokeCommandEntryPoint");
    if (image.create == NULL || image.destroy == NULL || image.open == NULL || image.close == NULL ||
        image.invoke == NULL)
        return "it lacks an entry point";
    image.initial = malloc(image.globals_size == 0 ? 1 : image.globals_size);
    if (image.initial == NULL)
        return "no memory for its globals";
    for (size_t i = 0; i < image.globals_size; i++)
        image.initial[i] = ((volatile uint8_t *)image.globals)[i];
    return NULL;
}

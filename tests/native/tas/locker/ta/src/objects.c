/* Keys: those of a session are transient objects; those that stay are found again in the store at the next start. */
#include "locker.h"

#define KEY_BITS 256

struct name {
    uint32_t slot;
    uint32_t number;
};

static struct object *objects;
static uint32_t last_number;

static struct object *add(uint32_t slot, const struct session *owner, uint32_t number)
{
    struct object *object = TEE_Malloc(sizeof *object, TEE_MALLOC_FILL_ZERO);

    if (object != NULL) {
        object->slot = slot;
        object->owner = owner;
        object->number = number;
        object->next = objects;
        objects = object;
        if (number > last_number) {
            last_number = number;
        }
    }
    return object;
}

static void drop(struct object *object)
{
    for (struct object **at = &objects; *at != NULL; at = &(*at)->next) {
        if (*at == object) {
            *at = object->next;
            break;
        }
    }
    if (object->owner != NULL) {
        TEE_FreeTransientObject(object->key);
    } else {
        TEE_CloseObject(object->key);
    }
    TEE_Free(object);
}

/* An object of the store that is a key: its name is of eight bytes, a token's is of seven. */
static TEE_Result load(const struct name *name)
{
    struct object *object = add(name->slot, NULL, name->number);

    if (object == NULL) {
        return TEE_ERROR_OUT_OF_MEMORY;
    }
    return TEE_OpenPersistentObject(TEE_STORAGE_PRIVATE, name, sizeof *name,
                                    TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_ACCESS_WRITE_META, &object->key);
}

TEE_Result objects_load(void)
{
    uint8_t name[TEE_OBJECT_ID_MAX_LEN] __attribute__((aligned(4)));
    TEE_ObjectEnumHandle all;
    size_t size;
    TEE_Result result = TEE_AllocatePersistentObjectEnumerator(&all);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_StartPersistentObjectEnumerator(all, TEE_STORAGE_PRIVATE);
    while (result == TEE_SUCCESS) {
        size = sizeof name;
        result = TEE_GetNextPersistentObject(all, NULL, name, &size);
        if (result == TEE_SUCCESS && size == sizeof(struct name)) {
            result = load((const struct name *)name);
        }
    }
    TEE_FreePersistentObjectEnumerator(all);
    return result == TEE_ERROR_ITEM_NOT_FOUND ? TEE_SUCCESS : result;
}

TEE_Result object_make(const struct session *session, bool stays, uint32_t *number)
{
    struct name name = { .slot = session->slot, .number = last_number + 1 };
    TEE_ObjectHandle made = TEE_HANDLE_NULL;
    struct object *object;
    TEE_Result result = TEE_AllocateTransientObject(TEE_TYPE_HMAC_SHA256, KEY_BITS, &made);

    if (result != TEE_SUCCESS) {
        return result;
    }
    result = TEE_GenerateKey(made, KEY_BITS, NULL, 0);
    if (result != TEE_SUCCESS) {
        TEE_FreeTransientObject(made);
        return result;
    }
    object = add(session->slot, stays ? NULL : session, name.number);
    if (object == NULL) {
        TEE_FreeTransientObject(made);
        return TEE_ERROR_OUT_OF_MEMORY;
    }
    *number = name.number;
    object->key = made;
    if (!stays) {
        return TEE_SUCCESS;
    }
    result = TEE_CreatePersistentObject(TEE_STORAGE_PRIVATE, &name, sizeof name,
                                        TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_ACCESS_WRITE_META, made, NULL, 0,
                                        &object->key);
    TEE_FreeTransientObject(made);
    if (result != TEE_SUCCESS) {
        object->key = TEE_HANDLE_NULL;
        drop(object);
    }
    return result;
}

struct object *object_find(const struct session *session, uint32_t number)
{
    for (struct object *object = objects; object != NULL; object = object->next) {
        bool own = object->owner == session || (object->owner == NULL && session->logged_in);

        if (object->number == number && object->slot == session->slot && own) {
            return object;
        }
    }
    return NULL;
}

TEE_Result object_destroy(struct object *object)
{
    TEE_Result result = TEE_SUCCESS;

    if (object->owner == NULL) {
        result = TEE_CloseAndDeletePersistentObject1(object->key);
        object->key = TEE_HANDLE_NULL;
    }
    drop(object);
    return result;
}

uint32_t objects_list(const struct session *session, uint32_t *numbers, uint32_t most)
{
    uint32_t count = 0;

    for (struct object *object = objects; object != NULL; object = object->next) {
        if (object_find(session, object->number) == object) {
            if (count < most) {
                numbers[count] = object->number;
            }
            count++;
        }
    }
    return count;
}

void objects_drop(const struct session *owner)
{
    struct object *next;

    for (struct object *object = objects; object != NULL; object = next) {
        next = object->next;
        if (object->owner == owner) {
            drop(object);
        }
    }
}

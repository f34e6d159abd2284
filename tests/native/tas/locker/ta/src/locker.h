#ifndef LOCKER_H
#define LOCKER_H

#include <locker_ta.h>
#include <tee_internal_api.h>

struct object {
    struct object *next;
    uint32_t number;
    uint32_t slot;
    const struct session *owner; /* NULL for one that stays */
    TEE_ObjectHandle key;
};

struct session {
    struct session *next;
    uint32_t number;
    uint32_t slot;
    bool logged_in;
    const void *client;
};

TEE_Result token_init(uint32_t slot, const TEE_Param *pin);
TEE_Result token_check(uint32_t slot, const TEE_Param *pin);

struct session *session_open(const void *client, uint32_t slot);
struct session *session_find(const void *client, uint32_t number);
void session_close(struct session *session);
void sessions_close_all(const void *client);

TEE_Result objects_load(void);
TEE_Result object_make(const struct session *session, bool stays, uint32_t *number);
struct object *object_find(const struct session *session, uint32_t number);
TEE_Result object_destroy(struct object *object);
uint32_t objects_list(const struct session *session, uint32_t *numbers, uint32_t most);
void objects_drop(const struct session *owner);

#endif

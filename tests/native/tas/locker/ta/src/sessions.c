#include "locker.h"

static struct session *sessions;
static uint32_t last_number;

struct session *session_open(const void *client, uint32_t slot)
{
    struct session *session = TEE_Malloc(sizeof *session, TEE_MALLOC_FILL_ZERO);

    if (session != NULL) {
        session->number = ++last_number;
        session->slot = slot;
        session->client = client;
        session->next = sessions;
        sessions = session;
    }
    return session;
}

struct session *session_find(const void *client, uint32_t number)
{
    for (struct session *session = sessions; session != NULL; session = session->next) {
        if (session->number == number && session->client == client) {
            return session;
        }
    }
    return NULL;
}

void session_close(struct session *session)
{
    for (struct session **at = &sessions; *at != NULL; at = &(*at)->next) {
        if (*at == session) {
            *at = session->next;
            objects_drop(session);
            TEE_Free(session);
            return;
        }
    }
}

void sessions_close_all(const void *client)
{
    struct session *next;

    for (struct session *session = sessions; session != NULL; session = next) {
        next = session->next;
        if (session->client == client) {
            session_close(session);
        }
    }
}

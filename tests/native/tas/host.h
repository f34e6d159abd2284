/* What every host program of these trees does first and last. */
#ifndef HOST_H
#define HOST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tee_client_api.h>

#define TYPES TEEC_PARAM_TYPES

/* End the program where something is not as it must be. */
#define NEED(condition)                                                       \
    do {                                                                      \
        if (!(condition)) {                                                   \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
            exit(1);                                                          \
        }                                                                     \
    } while (0)

#define NEED_RESULT(call, wanted)                                             \
    do {                                                                      \
        TEEC_Result got_ = (call);                                            \
        if (got_ != (wanted)) {                                               \
            printf("%s:%d: %s answered %#x\n", __FILE__, __LINE__, #call, got_); \
            exit(1);                                                          \
        }                                                                     \
    } while (0)

static TEEC_Context context;

static inline void open_session(TEEC_Session *session, TEEC_UUID uuid)
{
    NEED_RESULT(TEEC_InitializeContext(NULL, &context), TEEC_SUCCESS);
    NEED_RESULT(TEEC_OpenSession(&context, session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL), TEEC_SUCCESS);
}

static inline void set_buffer(TEEC_Parameter *parameter, void *buffer, size_t size)
{
    parameter->tmpref.buffer = buffer;
    parameter->tmpref.size = size;
}

#endif

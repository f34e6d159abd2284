/* What the files of libteec share. TEE Client API Specification 1.0; how requests travel: docs/tee-sim.md, "The pipes of
 * run".
 *
 * One lock, `teec_lock`, guards every list. It is never held while anything is read or written: an operation keeps what
 * it uses by counts. Handles are numbers that are never given twice, so one that was closed, or never was opened, is
 * found out and is BAD_PARAMETERS. */
#ifndef TEE_SIM_TEEC_H
#define TEE_SIM_TEEC_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../runtime/cbor.h"
#include "tee_client_api.h"

#define MAX_PARAM_BYTES (512u << 10)         /* tee_sim.shared.limits.MAX_PARAM_BYTES */
#define MAX_OPERATION_BYTES ((1u << 20) - 256u) /* tee_sim.shared.limits.MAX_ANSWER_BYTES */
#define CANCELLED_BEFORE 0x43414E43u         /* TEEC_Operation.started: cancelled, and not begun yet */

/* --- The way to one machine, shared by all contexts of this process on it. --- */

struct machine {
    struct machine *next;
    char *name; /* its directory; empty for the one that was inherited */
    unsigned references;
    int read_fd, write_fd;
    pid_t owner; /* the process that started it; 0 for one that was inherited */
    bool gone;
    bool in_use; /* an exchange is going on */
    uint32_t next_number;
    pthread_mutex_t writing;
};

/* One request, from the call of an API function to its return. */
struct request {
    struct request *next;
    const TEEC_Operation *operation;
    struct machine *machine;
    uint64_t number;
    bool sent, cancelled;
};

struct answer {
    TEEC_Result result;
    uint32_t origin;
    uint32_t session;
    const uint8_t *params; /* their array in `body` */
    size_t params_bytes;
    uint8_t *body;
};

extern pthread_mutex_t teec_lock;
extern pthread_cond_t teec_changed; /* a turn has ended, a request was cancelled, a machine has started */

/* Called with teec_lock: a number that was never given before. */
uint64_t new_id(void);
bool context_is_open(uint64_t id);

/* Called with teec_lock: counted, and started if it does not run yet. Gives the lock away while it starts. */
TEEC_Result machine_find(const char *name, struct machine **found);
void machine_keep(struct machine *machine);
/* Called without teec_lock. With the last reference a machine that was started here ends. */
void machine_drop(struct machine *machine);

/* Called in the child of a fork: there are no others' requests. */
void requests_forget(void);

/* Who opens a session (TEE Client API 1.0, table 4-5); the machine makes the identity of it. */
struct login {
    uint32_t method;
    bool has_group;
    uint32_t group;
    char name[4096]; /* of the program */
};

/* Looks at connection method and data. */
TEEC_Result login_take(uint32_t method, const void *data, struct login *login);
void login_put(const struct login *login, struct cbor_out *out);

#define HEAD_ROOM 4400 /* for the frame before a request: deadline, number, and of OpenSession who asks */

/* A request to be sent. Its body is written to `body`, behind the room for what goes before it. */
struct message {
    uint8_t *frames;
    struct cbor_out body;
    const struct login *login;
};

bool message_begin(struct message *message, size_t most_bytes);

/* Called with teec_lock: the request stands in the list, where it can be cancelled, until its end. */
void request_begin(struct request *request, TEEC_Operation *operation);
void request_end(struct request *request);

/* Sends a message, and waits for the answer. Returns TEEC_SUCCESS if there is one, whatever it says; else
 * answer->origin says who failed. */
TEEC_Result machine_exchange(struct request *request, const struct message *message, struct answer *answer);
/* Called with teec_lock. */
void answer_end(struct answer *answer);

/* Starts `tee-sim serve NAME`, with pipes for it, and waits until it is ready. */
TEEC_Result child_start(const char *name, int *read_fd, int *write_fd);

/* A write that is whole or has failed, and that ends nobody by SIGPIPE. */
bool write_all(int fd, const uint8_t *data, size_t size);

/* --- Memory references --- */

struct memory {
    struct memory *next;
    uint64_t id, context;
    uint8_t *data; /* as it was registered: what the caller writes into its structure later changes nothing */
    size_t size;
    uint32_t flags;
    bool allocated, released;
    unsigned users;
};

/* Called with teec_lock: the memory of this context, counted as in use; NULL if it is none. */
struct memory *memory_use(const TEEC_SharedMemory *shared, uint64_t context);
/* Called with teec_lock. */
void memory_leave(struct memory *memory);

/* --- Parameters: an operation as it was when it was called, for what is copied in and out. --- */

struct reference {
    uint32_t kind; /* of tee_sim.shared.params.ParamType */
    uint8_t *data;
    size_t size;
    struct memory *memory; /* in use until the operation has ended */
};

struct parameters {
    struct reference of[4];
    size_t in_bytes, out_bytes;
};

/* Called with teec_lock: looks at an operation of this context, NULL for none. BAD_PARAMETERS, or OUT_OF_MEMORY for more
 * than travels. */
TEEC_Result params_take(const TEEC_Operation *operation, uint64_t context, struct parameters *params);
/* Called with teec_lock. */
void params_leave(struct parameters *params);

void params_put(const TEEC_Operation *operation, const struct parameters *params, struct cbor_out *out);
/* Copies out what came back. Returns false, with nothing changed, for what does not fit the operation. */
bool params_get(TEEC_Operation *operation, const struct parameters *params, const struct answer *answer);

#endif

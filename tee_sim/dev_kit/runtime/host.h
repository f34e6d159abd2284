/* What the files of the host share: the image of a TA, its instances, and how they are entered. */
#ifndef TEE_SIM_HOST_H
#define TEE_SIM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cbor.h"
#include "frame.h"
#include "heap.h"

struct ta_head;

#define EXIT_PROTOCOL 70              /* tee_sim.shared.wire.EXIT_PROTOCOL */
#define MAX_SEGMENTS 8u
#define MAX_INSTANCES 64u
#define MAX_SESSIONS_OF_HOST 512u     /* 16 clients' and 16 of each of 15 other applications, and room */
#define MAX_PARAM_BYTES (512u << 10)  /* tee_sim.shared.limits.MAX_PARAM_BYTES */
#define GUARD_BYTES (64u << 10) /* which nobody may touch, below a stack and behind a parameter: the largest page */
#define STACK_ALLOWANCE_BYTES (32u << 10)
/* Beyond TA_STACK_SIZE: what the functions of the API and of the C library take of the same stack here, which on a
 * device have one of their own; and larger frames than those of a 32-bit processor. */

enum { TEE_SUCCESS_ = 0, ERROR_BAD_STATE = 0xFFFF0007, ERROR_OUT_OF_MEMORY = 0xFFFF000C,
       ERROR_EXCESS_DATA = 0xFFFF0004, ERROR_BAD_PARAMETERS = 0xFFFF0006, ERROR_ACCESS_DENIED = 0xFFFF0001,
       ERROR_SHORT_BUFFER = 0xFFFF0010, ERROR_TARGET_DEAD = 0xFFFF3024 };

/* The messages of the private pipe: places in tee_sim.secure.hosts.messages.HostMessage. */
enum message {
    MESSAGE_HOST_LOCKED = 1,
    MESSAGE_CREATE = 2,
    MESSAGE_OPEN = 3,
    MESSAGE_RUN = 4,
    MESSAGE_CLOSE = 5,
    MESSAGE_DESTROY = 6,
    MESSAGE_CORE_ANSWER = 7,
    MESSAGE_ASK = 8,
    MESSAGE_HOST_RETURN = 9,
    MESSAGE_HOST_REFUSAL = 10,
    MESSAGE_PANICKED = 11,
    MESSAGE_DEBUG_REPORT = 12,
    MESSAGE_LOAD = 13,
};

/* Given before the lock; the layout is repeated in tee_sim/secure/native/load.py. */
struct host_config {
    uint32_t reports;      /* whether debug reports may be sent */
    uint32_t unlocked;     /* whether nothing is enforced here: destructors of an instance that panicked run too */
    uint64_t panic_at;     /* fault: the call of the API that panics, counted from 1; 0 for none */
    uint64_t no_memory_at; /* fault: the allocation that fails, likewise */
    char name[40];         /* of the application, for reports */
    const struct refusals *refusals; /* in the debug profile: what the filter refused; NULL where nobody notes it */
};

/* The page of tee_sim/secure/lockdown/watcher.py. */
#define MAX_REFUSALS 32u
struct refusals {
    volatile uint32_t count; /* ever; the last ones are kept */
    uint32_t listener;
    struct refused_call {
        uint32_t number, unused;
        uint64_t arguments[6];
    } calls[MAX_REFUSALS];
};

struct segment {
    uint8_t *start;
    size_t size;
    bool readable;
    bool writable;
    bool executable;
};

/* TEE_Param as a TA sees it (TEE Internal Core API 1.3.1, section 4.3.7): in 1.1 `size` has 32 bits. */
union ta_param {
    struct {
        void *buffer;
        uint64_t size;
    } memref;
    struct {
        uint32_t a, b;
    } value;
};

/* A loaded TA. */
struct image {
    uint8_t *base;
    struct segment segments[MAX_SEGMENTS];
    unsigned segment_count;
    uint8_t *globals; /* what a TA may write, without what is read-only after relocation */
    size_t globals_size;
    uint8_t *initial; /* the same bytes before any code of the TA ran */
    const struct ta_head *head;
    uint32_t (*create)(void);
    void (*destroy)(void);
    uint32_t (*open)(uint32_t types, union ta_param *params, void **session);
    void (*close)(void *session);
    uint32_t (*invoke)(void *session, uint32_t command, uint32_t types, union ta_param *params);
};

struct instance {
    bool used;
    uint32_t number; /* the core's */
    uint8_t *globals; /* while another instance lives in the image */
    struct heap heap;
    uint8_t *stack; /* its guard page; the stack lies above */
    size_t stack_size;
    void *data; /* TEE_SetInstanceData */
};

extern struct image image;
extern struct host_config config;
extern struct instance *current; /* in which a call of the core runs; NULL between two */

/* load.c: maps what is in these bytes. Returns NULL, or why not. */
const char *load_image(const uint8_t *elf, size_t size, void *runtime);

/* image.c */
typedef void *(*lookup)(const char *name); /* what a TA exports; NULL for nothing */
const char *image_complete(lookup find); /* with base, segments and globals set. Returns NULL, or why not */
bool image_may_access(uintptr_t start, size_t size, unsigned rights);

/* instance.c */
struct instance *instance_of(uint32_t number);
struct instance *instance_any(void); /* NULL if there is none */
struct instance *instance_new(uint32_t number); /* NULL if there is no room; its globals are in the image */
void instance_enter(struct instance *instance); /* puts its globals into the image */
void instance_end(struct instance *instance);
uint8_t *instance_stack_top(const struct instance *instance);

/* stack.c: calls function(argument) on another stack. Returns 0, or the code that stack_leave was given. */
uint64_t stack_call(void **saved, void *top, void (*function)(void *), void *argument);
_Noreturn void stack_leave(void **saved, uint64_t code);
extern void *left_stack; /* of the call that runs; NULL outside of one */

/* params.c */
bool params_read(struct cbor_in *in, union ta_param params[4], uint32_t *types); /* false: no room for them */
bool params_write(struct cbor_out *out, const union ta_param params[4], bool refused); /* false: a panic */
void params_forget(void); /* what was in them */
bool params_may_access(uintptr_t start, size_t size, unsigned rights, bool *inside);
bool params_hold(uintptr_t start, size_t size); /* whether this is in the array of parameters itself */

/* ask.c */
extern int host_read_fd, host_write_fd;
extern uint8_t frame_in[], frame_out[];
extern uint32_t last_function;
extern uint64_t call_count;
_Noreturn void host_fail(void); /* ends the process */
void count_call(uint32_t function); /* one call of the API; may be the one that a fault makes panic */

/* host.c */
void run_destructors(void); /* of the instance that runs */
_Noreturn void host_serve(int read_fd, int write_fd);

/* report.c: reports of the debug profile; nothing in the strict one. */
void report_begin_call(void);
void report_panic(uint32_t code, const char *why);
void report_line(const char *text, size_t size); /* one line, whole */
void report_text(const char *text, size_t size); /* a part of one, or several */
void report_at(const char *what, const char *text, size_t size, const void *where); /* an address in the image */
void report_refused_calls(void); /* those since the last time */
bool crash_handler_install(void);

#endif

/* What the functions of the TEE Internal Core API are written with: one question to the core, and its answer.
 *
 *     ask_begin(0x701);                    TEE_OpenPersistentObject, by its number of Annex B
 *     ask_u64(storage); ask_bytes(id, id_size); ask_u64(flags);
 *     result = ask_send();                 what is a panic does not return from here
 *     if (result == TEE_SUCCESS) *object = got_u64();
 *
 * A TA has one thread, so there is one question at a time and its state is not passed along. Results are TEE_Result,
 * which is uint32_t: this header needs none of those that a TA includes. */
#ifndef TEE_SIM_RUNTIME_H
#define TEE_SIM_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* tee_sim.secure.hosts.questions.Question; NATIVE is that of every function which has no question of its own. */
enum question {
    QUESTION_RANDOM = 17,
    QUESTION_OPEN_PEER = 18,
    QUESTION_INVOKE_PEER = 19,
    QUESTION_CLOSE_PEER = 20,
    QUESTION_MASK = 21,
    QUESTION_LOOK = 22,
    QUESTION_NATIVE = 27,
};

/* --- One question. Values that do not fit into a frame end the TA: panic with TEE_ERROR_EXCESS_DATA. --- */

void ask_begin(uint32_t function);
/* One of the questions that exist besides. Its words follow; `function` names the caller in a crash report. */
void ask_begin_question(enum question question, uint32_t function);
void ask_u64(uint64_t value);
void ask_i64(int64_t value);
void ask_bool(bool value);
void ask_null(void);
void ask_bytes(const void *data, size_t size);  /* NULL with size 0: the empty string */
void ask_room(const void *buffer, size_t size); /* the size, or null for NULL */
void ask_array(size_t items);                   /* the next `items` values that are asked are its items */

/* Sends it and waits. Returns the result; does not return if the core says panic. After ask_begin_question a result
 * other than TEE_SUCCESS is the core's refusal: then [origin, params] can be read. */
uint32_t ask_send(void);

/* --- The answer, in order. What does not stand there ends the process: the core does not write such answers. --- */

uint64_t got_u64(void);
int64_t got_i64(void);
bool got_bool(void);
bool got_is_null(void);                  /* whether null comes next, which is taken if so */
size_t got_array(void);                  /* takes the head of an array; its items follow */
const void *got_bytes(size_t *size);     /* valid until the next ask_begin */
/* Copies bytes into the caller's room of *size and sets *size; or sets *size alone if a size stands there, as with
 * TEE_ERROR_SHORT_BUFFER. More bytes than the room that was asked for end the process. */
void got_into(void *buffer, size_t *size);
bool got_more(void);                     /* whether anything is left of the answer */

/* --- Panics --- */

/* Ends the instance: out of the TA, over its frames alone. */
_Noreturn void tee_panic(uint32_t code);

/* --- What else the functions share --- */

/* TEE_CheckMemoryAccessRights without the call: whether the instance may access these bytes. */
#define MEMORY_READ 1u
#define MEMORY_WRITE 2u
#define MEMORY_ANY_OWNER 4u
bool may_access(const void *buffer, size_t size, unsigned rights);
/* Panics with TEE_ERROR_ACCESS_DENIED unless the whole buffer may be accessed so. NULL with size 0 is allowed. */
void need_access(const void *buffer, size_t size, unsigned rights);

#endif

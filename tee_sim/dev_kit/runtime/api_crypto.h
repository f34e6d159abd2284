/* What the functions of section 6 share: inputs that may be longer than a frame, outputs, attributes. */
#ifndef TEE_SIM_API_CRYPTO_H
#define TEE_SIM_API_CRYPTO_H

#include "api_words.h"
#include "functions.h"
#include "host.h"
#include "runtime.h"

#define PIECE_BYTES ((size_t)256 << 10) /* of an input in one question; a multiple of every block */

static inline size_t piece_of(size_t left)
{
    return left < PIECE_BYTES ? left : PIECE_BYTES;
}

/* Panics for bytes that may not be read, or a NULL that is not empty. */
static inline void need_in(const void *data, size_t size)
{
    need_access(data, size, MEMORY_READ);
}

/* Panics unless the size, and the room that it says, may be written. A buffer that is NULL has no room. */
static inline void need_room(const void *buffer, const size_t *size)
{
    NEED_OUT(size);
    if (buffer != NULL)
        need_access(buffer, *size, MEMORY_WRITE);
}

static inline void ask_operation(uint32_t function, TEE_OperationHandle operation)
{
    ask_begin(function);
    ask_u64(number_of(operation));
}

/* The next piece of what one call does: however many questions it takes, it counts once. */
static inline void ask_next(uint32_t function, TEE_OperationHandle operation, size_t done)
{
    if (done > 0)
        call_count--;
    ask_operation(function, operation);
}

/* A piece of an input, and how many bytes of it come after. */
static inline void ask_piece(const void *data, size_t size, size_t ahead)
{
    ask_bytes(data, size);
    ask_u64(ahead);
}

/* Functions of a handle, a chunk of a message, and nothing else: in as many questions as it takes. */
void feed_chunks(uint32_t function, TEE_OperationHandle operation, const void *chunk, size_t size);

/* What is asked after the room for the output; NULL for nothing. */
typedef void ask_rest(const void *rest);

/* Functions that turn an input into an output. The first question asks for the room of all. What an answer has after
 * the output is left to be read. */
TEE_Result transform(uint32_t function, TEE_OperationHandle operation, const void *in, size_t in_size, void *out,
                     size_t *out_size, ask_rest *ask, const void *rest);

#endif

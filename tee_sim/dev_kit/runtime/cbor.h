/* The canonical subset of CBOR (RFC 8949) that the messages of the simulated TEE are written in; rules as in
 * tee_sim/shared/codec.py: shortest heads, 64-bit integers, byte strings, text, arrays, booleans, null; no tags, floats
 * or indefinite lengths. Maps do not occur in any message that C reads, and are refused. */
#ifndef TEE_SIM_CBOR_H
#define TEE_SIM_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CBOR_MAX_DEPTH 8 /* tee_sim.shared.limits.MAX_DEPTH */

enum cbor_kind {
    CBOR_UNSIGNED,
    CBOR_NEGATIVE,
    CBOR_BYTES,
    CBOR_TEXT,
    CBOR_ARRAY,
    CBOR_BOOL,
    CBOR_NULL,
    CBOR_NOTHING, /* the end, or what is none of these */
};

/* Bytes being written. What does not fit sets `failed`, and nothing is written from then on. */
struct cbor_out {
    uint8_t *data;
    size_t size; /* written so far */
    size_t room;
    bool failed;
};

void cbor_put_u64(struct cbor_out *out, uint64_t value);
void cbor_put_i64(struct cbor_out *out, int64_t value);
void cbor_put_bool(struct cbor_out *out, bool value);
void cbor_put_null(struct cbor_out *out);
void cbor_put_bytes(struct cbor_out *out, const void *data, size_t size);
void cbor_put_text(struct cbor_out *out, const char *text, size_t size);
void cbor_put_array(struct cbor_out *out, size_t items);
/* Reserves a byte string of this size and returns where its bytes go; NULL, and failed, if it does not fit. */
uint8_t *cbor_put_bytes_room(struct cbor_out *out, size_t size);

/* Bytes being read. What is not of the kind that was asked for sets `failed`; every later answer is zero or empty. */
struct cbor_in {
    const uint8_t *data;
    size_t size;
    size_t at;
    bool failed;
};

/* Whether all of it is one canonical item. Ask first: what follows looks at kinds alone. */
bool cbor_is_canonical(const uint8_t *data, size_t size);
enum cbor_kind cbor_peek(const struct cbor_in *in);
uint64_t cbor_get_u64(struct cbor_in *in);
int64_t cbor_get_i64(struct cbor_in *in);
bool cbor_get_bool(struct cbor_in *in);
void cbor_get_null(struct cbor_in *in);
/* Returns where the bytes stand in the buffer that is read. */
const uint8_t *cbor_get_bytes(struct cbor_in *in, size_t *size);
const char *cbor_get_text(struct cbor_in *in, size_t *size);
size_t cbor_get_array(struct cbor_in *in);
void cbor_skip(struct cbor_in *in);

#endif

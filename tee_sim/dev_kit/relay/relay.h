/* What passes between a program and the secure world without being read (tee_sim/normal/quick_relay.py, which repeats the
 * layout). */
#ifndef TEE_SIM_RELAY_H
#define TEE_SIM_RELAY_H

#include <stdint.h>

#define MAX_FRAME_BYTES (1u << 20) /* tee_sim.shared.limits.MAX_FRAME_BYTES */
#define SMALL_NUMBERS 24u          /* of CBOR: those that take one byte */
#define HEAD_ROOM 64u

enum relay_state {
    RELAY_PASS,    /* it goes on; never returned */
    RELAY_LOOK,    /* nothing has come for look_ms, or a signal did; call again */
    RELAY_REQUEST, /* `in` holds bytes of the program that have to be read */
    RELAY_ANSWER,  /* a request was sent, and what is in `out` is not its answer, or not all of it: whoever reads on
                      will see why, be it that the time is over or that the secure world has ended */
    RELAY_END,     /* the program has closed its end */
};

struct relay {
    int32_t program_read, program_write, core_read, core_write;
    uint32_t look_ms, timeout_ms;
    uint32_t process;            /* that asks: the upper half of its numbers */
    uint32_t before_size;        /* of what stands before the number in the frame before a request */
    uint8_t before[16];
    uint8_t inner[SMALL_NUMBERS]; /* the secure world's number of each session; 0 for none */
    uint64_t number;             /* of the request that is in the works */
    int64_t deadline_ns;         /* for its answer, on CLOCK_MONOTONIC */
    uint32_t working;            /* whether there is one */
    uint32_t in_size, out_size;
    uint8_t in[HEAD_ROOM + 4 + MAX_FRAME_BYTES + HEAD_ROOM];
    uint8_t out[HEAD_ROOM + 4 + MAX_FRAME_BYTES];
};

uint32_t relay_serve(struct relay *relay);

#endif

/* Frames on a pair of pipes: length u32 little-endian, then that many bytes (tee_sim/shared/wire.py). */
#ifndef TEE_SIM_FRAME_H
#define TEE_SIM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_FRAME_BYTES (1u << 20) /* tee_sim.shared.limits.MAX_FRAME_BYTES */
#define FRAME_HEAD_BYTES 4u

enum frame_state {
    FRAME_READ,
    FRAME_END,    /* the other side has closed its end, and nothing of a frame had come */
    FRAME_BROKEN, /* it closed within a frame, the length is above the limit, or the pipe failed */
};

/* Reads one body into `body`, which has room for `room` bytes. */
enum frame_state frame_read(int fd, uint8_t *body, size_t room, size_t *size);

/* Writes a frame whose body stands FRAME_HEAD_BYTES into `frame`: the length is put before it, so that it leaves in
 * one piece. Returns whether all of it went. */
bool frame_write(int fd, uint8_t *frame, size_t body_size);

#endif

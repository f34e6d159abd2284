#include "frame.h"

#include <errno.h>
#include <unistd.h>

static enum frame_state read_all(int fd, uint8_t *data, size_t size)
{
    size_t at = 0;

    while (at < size) {
        ssize_t got = read(fd, data + at, size - at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0 && at == 0 ? FRAME_END : FRAME_BROKEN;
        at += (size_t)got;
    }
    return FRAME_READ;
}

enum frame_state frame_read(int fd, uint8_t *body, size_t room, size_t *size)
{
    uint8_t head[FRAME_HEAD_BYTES];
    enum frame_state state = read_all(fd, head, sizeof(head));

    *size = 0;
    if (state != FRAME_READ)
        return state;
    *size = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
    if (*size > MAX_FRAME_BYTES || *size > room)
        return FRAME_BROKEN;
    if (*size > 0 && read_all(fd, body, *size) != FRAME_READ)
        return FRAME_BROKEN;
    return FRAME_READ;
}

bool frame_write(int fd, uint8_t *frame, size_t body_size)
{
    size_t at = 0, size = FRAME_HEAD_BYTES + body_size;

    if (body_size > MAX_FRAME_BYTES)
        return false;
    for (unsigned i = 0; i < FRAME_HEAD_BYTES; i++)
        frame[i] = (uint8_t)(body_size >> 8 * i);
    while (at < size) {
        ssize_t put = write(fd, frame + at, size - at);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        at += (size_t)put;
    }
    return true;
}

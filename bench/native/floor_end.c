/* The far end of the floor: reads what a host of an application is sent, and answers as it does. */
#include <string.h>

#include "cbor.h"
#include "frame.h"

static uint8_t in_body[4096], out_frame[4096];

int main(void)
{
    for (;;) {
        struct cbor_in in = {.data = in_body};
        struct cbor_out out = {.data = out_frame + FRAME_HEAD_BYTES, .room = sizeof(out_frame) - FRAME_HEAD_BYTES};

        if (frame_read(0, in_body, sizeof(in_body), &in.size) != FRAME_READ || !cbor_is_canonical(in_body, in.size))
            return 0;
        cbor_put_array(&out, 4);
        cbor_put_u64(&out, 9); /* tee_sim.secure.hosts.messages.HostReturn */
        cbor_put_u64(&out, 0);
        cbor_put_array(&out, 4);
        for (unsigned i = 0; i < 4; i++) {
            cbor_put_array(&out, 6);
            cbor_put_u64(&out, i == 0 ? 3 : i == 1 ? 7 : 0);
            cbor_put_u64(&out, 0);
            cbor_put_u64(&out, 0);
            cbor_put_bytes(&out, in_body, i == 1 ? 32 : 0);
            cbor_put_u64(&out, i == 1 ? 32 : 0);
            cbor_put_bool(&out, false);
        }
        cbor_put_array(&out, 0);
        if (out.failed || !frame_write(1, out_frame, out.size))
            return 1;
    }
}

/* Reads bodies (u32 little-endian length, bytes) and prints 1 for each that the client's header takes, 0 for others. */
#define _POSIX_C_SOURCE 200809L
#include "bioguard2.h"
#include <stdlib.h>

int main(void) {
    uint8_t length[4];
    while (fread(length, 1, 4, stdin) == 4) {
        size_t size = bg2_length(length);
        uint8_t *body = malloc(size ? size : 1); /* of exactly this size: a sanitizer sees a read past its end */
        if (!body || fread(body, 1, size, stdin) != size) return 1;
        putchar(bg2_item(body, body + size, BG2_DEPTH) == body + size ? '1' : '0');
        free(body);
    }
    return 0;
}

/* Commands of the application that is timed. */
#ifndef TIMED_H
#define TIMED_H

enum timed_command {
    TIMED_ECHO = 1,   /* 0: value inout, 1: memory inout; as it came */
    TIMED_UP = 2,     /* 0: value in, how many calls that the core answers */
    TIMED_DIGEST = 3, /* 0: memory in, 1: memory out of 32 bytes; SHA-256 */
    TIMED_WRITE = 4,  /* 0: memory in; what the object holds then */
    TIMED_NONE = 5,   /* 0: memory in, as TIMED_DIGEST and TIMED_WRITE; nothing is done with it */
};

#endif

/* What the commands of this application do; tests/native/host names them by these numbers. */
#ifndef ROUGH_H
#define ROUGH_H

#include <tee_internal_api.h>

enum command {
    COUNT = 0,        /* values: how often it was called, what a constructor left, a variable in .data */
    RESULT = 1,       /* returns the number that it was given */
    ECHO = 2,         /* parameter 1 becomes parameter 0, whole */
    PANIC = 3,
    WRITE_NULL = 4,
    WRITE_WILD = 5,   /* at the address a << 32 | b */
    RECURSE = 6,      /* so many frames of 1 KiB */
    LOOP = 7,
    RAW_CALL = 8,     /* a system call of this number with these arguments */
    WRITE_INPUT = 9,  /* every byte of an input and a value */
    SAY_SIZE = 10,    /* parameter 0 has b bytes, result a */
    MOVE_BUFFER = 11, /* parameter 0 points elsewhere, with its size */
    SMASH = 12,       /* the stack, so many bytes */
    ASSERT = 13,
    ABORT = 14,
    TRACE = 15,       /* so many lines */
    OVERRUN = 16,     /* parameter 0, so many bytes beyond */
    TYPES = 17,       /* what types and sizes came */
    KEEP = 18,        /* instance data */
    OPEN_RESULT = 19,
    READ_CODE = 20,
    WRITE_CODE = 21,
    FLOATS = 22,
    SPEAK = 23,       /* writes parameter 0 to descriptor a, past its host */
    ARM = 24,         /* panics later: 1 in TA_CloseSessionEntryPoint, 2 in TA_DestroyEntryPoint */
    SORT = 25,        /* so many numbers, and what else of the C library could ask the kernel for something */
    FORTIFIED = 26,   /* an overrun that the compiler has the size for */
    MEMORY = 100,     /* and above: memory.c */
};

TEE_Result memory_command(uint32_t command, TEE_Param params[4]);

#endif

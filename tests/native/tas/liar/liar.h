/*
 * An application that calls anything with anything, as a program of bytes says.
 *
 * Every call is a row of a table: a function and one letter an argument. The program gives a byte for each argument; the
 * letter says what that byte chooses from.
 *
 *     o p e n   a handle of an object, operation, enumerator, session: eight places, and what was never one
 *     O P E N   where such a handle is written
 *     b         a buffer of those in places.c
 *     z         how many bytes
 *     Z         where such a number is written
 *     u         a 32-bit number, four bytes of the program
 *     w d       a 32-bit number, a 64-bit number: that byte, again and again
 *     c         a timeout, at most 3 ms
 *     a A       an attribute list, how many of it
 *     i         where other outputs are written
 *     t         a property's name
 *     U         a UUID
 *     h         a property set, or an enumerator
 *     B f l     a big integer or context, another one, how many words it has
 */
#ifndef LIAR_H
#define LIAR_H

#include <tee_internal_api.h>

#define MOST_ARGUMENTS 8
#define PLACES 8

typedef uint64_t (*raw_function)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

struct row {
    uint32_t number;
    void (*function)(void);
    const char *letters;
    bool answers;
};

extern const struct row rows[];
extern const uint32_t row_count;

void places_reset(void);

/* What the program says of an argument; it goes on behind it. What is missing at its end is zero. */
uint64_t place(char letter, const uint8_t **program, const uint8_t *end);

#endif

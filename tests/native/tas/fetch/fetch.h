#ifndef FETCH_H
#define FETCH_H

/* Parameter 0: a message in. Parameter 1: a value out, the sum of its bytes. */
enum fetch_command {
    READS_LENGTH_TWICE = 1,
    READS_LENGTH_ONCE = 2,
    COPIES_AND_READS_ITS_COPY = 3,
    COPIES_TWICE = 4,
    COMPARES_TWICE = 5,
    WRITES_AND_READS_ITS_OWN = 6,
    PEEKS_AND_COPIES_WITH_MEMCPY = 7,
    READS_ALL_TWICE_BY_BYTE = 8,
};

#endif

/* What both halves of the Python side use. */
#ifndef BIOGUARD_MODULE_H
#define BIOGUARD_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define MAX_ROWS ((Py_ssize_t)1 << 31)

/* Functions over float scores, NULL-terminated. */
extern PyMethodDef float_methods[];

/* True if the buffer is aligned and holds exactly a * b * unit bytes, without that product overflowing. */
static inline int holds(const Py_buffer *buffer, size_t a, size_t b, size_t unit, size_t alignment)
{
    size_t bytes;
    if (__builtin_mul_overflow(a, b, &bytes) || __builtin_mul_overflow(bytes, unit, &bytes))
        return 0;
    return (size_t)buffer->len == bytes && (bytes == 0 || (uintptr_t)buffer->buf % alignment == 0);
}

static inline int overlap(const Py_buffer *a, const Py_buffer *b)
{
    if (!a->obj || !b->obj || a->len == 0 || b->len == 0)
        return 0;
    uintptr_t start_a = (uintptr_t)a->buf, start_b = (uintptr_t)b->buf;
    return start_a < start_b + (size_t)b->len && start_b < start_a + (size_t)a->len;
}

#endif

/* bioguard.match._cylinders: the Python side of the fingerprint kernel.
 *
 * Sizes, alignment and every record's extent are checked here and refused with ValueError, so no call from Python,
 * however wrong, reads or writes outside a buffer. Limited API of Python 3.11; the GIL is released while comparing.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>

#include "compare.h"
#include "describe.h"

enum { CODES, PLACES, CONSTANTS, KEPT, EVIDENCE, N_BUFFERS };
enum { RECORDS, STARTS, COUNTS, N_PARTS };

/* bytes per element, and the alignment that the C types need */
static const size_t UNIT[N_BUFFERS] = {1, 2, 4, 4, 4}, PART_UNIT[N_PARTS] = {1, 8, 1};

static int misaligned(const Py_buffer *b, const size_t *unit, int n)
{
    for (int i = 0; i < n; i++)
        if ((uintptr_t)b[i].buf % unit[i] || (size_t)b[i].len % unit[i])
            return 1;
    return 0;
}

/* Check one piece of the gallery; b holds its records, starts and counts. */
static const char *check_part(const Py_buffer *b, size_t dimensions)
{
    const int64_t *starts = b[STARTS].buf;
    const uint8_t *counts = b[COUNTS].buf;
    if (misaligned(b, PART_UNIT, N_PARTS))
        return "a buffer is not aligned";
    if (b[STARTS].len != b[COUNTS].len * 8)
        return "gallery buffers differ in length";
    for (Py_ssize_t row = 0; row < b[COUNTS].len; row++) {
        const size_t lanes = ((size_t)counts[row] + LANE_STEP - 1) / LANE_STEP * LANE_STEP;
        const size_t size = lanes * (dimensions + 8);
        if (starts[row] < 0 || starts[row] % 2 || (size_t)starts[row] > (size_t)b[RECORDS].len ||
            (size_t)b[RECORDS].len - (size_t)starts[row] < size)
            return "a record lies outside the buffer";
    }
    return NULL;
}

static const char *check(const Py_buffer *b, Py_ssize_t variant, Py_ssize_t dimensions, Py_ssize_t threads)
{
    const fg_variant *list;
    if (variant < 0 || (size_t)variant >= fg_variants(&list))
        return "no such variant on this processor";
    if (dimensions < 8 || dimensions > MAX_DIMENSIONS || dimensions % 8)
        return "number of dimensions out of range";
    if (threads < 1 || threads > MAX_THREADS)
        return "number of threads out of range";
    if (misaligned(b, UNIT, N_BUFFERS))
        return "a buffer is not aligned";
    const Py_ssize_t n = b[PLACES].len / 8;
    if (b[PLACES].len % 8 || n > MAX_MINUTIAE || b[CODES].len != n * dimensions)
        return "probe has the wrong size";
    if (b[CONSTANTS].len != sizeof(fg_constants) || b[KEPT].len != 256 * 4)
        return "constants have the wrong size";
    const fg_constants *q = b[CONSTANTS].buf;
    const int32_t *kept = b[KEPT].buf;
    if (!(q->floor >= 0 && q->floor < 1e6f && q->iterations >= 0 && q->iterations < 100 && q->min_matched >= 1 &&
          q->min_matched < 256))
        return "a constant is out of range";
    for (int i = 0; i < 256; i++)
        if (kept[i] < 1)
            return "a constant is out of range";
    return NULL;
}

/* The pieces of a gallery, held while they are compared with. */
typedef struct {
    Py_ssize_t n, held; /* pieces; buffers that are held */
    Py_buffer *buffers; /* [n][N_PARTS] */
    fg_part *parts;
} pieces;

static void release_pieces(pieces *all)
{
    while (all->held-- > 0)
        PyBuffer_Release(&all->buffers[all->held]);
    PyMem_Free(all->buffers);
    PyMem_Free(all->parts);
}

/* Hold the buffers of a tuple of (records, starts, counts). 0, or -1 with an exception. */
static int hold_pieces(pieces *all, PyObject *tuple)
{
    all->n = PyTuple_Size(tuple);
    if (all->n < 0)
        return -1;
    all->buffers = PyMem_Calloc((size_t)all->n * N_PARTS + 1, sizeof *all->buffers);
    all->parts = PyMem_Calloc((size_t)all->n + 1, sizeof *all->parts);
    if (!all->buffers || !all->parts)
        return PyErr_NoMemory(), -1;
    for (Py_ssize_t i = 0; i < all->n; i++) {
        PyObject *object[N_PARTS];
        PyObject *piece = PyTuple_GetItem(tuple, i);
        if (!PyTuple_Check(piece))
            return PyErr_SetString(PyExc_TypeError, "a piece is no tuple"), -1;
        if (!PyArg_ParseTuple(piece, "OOO", &object[RECORDS], &object[STARTS], &object[COUNTS]))
            return -1;
        for (int k = 0; k < N_PARTS; k++, all->held++)
            if (PyObject_GetBuffer(object[k], &all->buffers[all->held], PyBUF_SIMPLE) < 0)
                return -1;
        const Py_buffer *b = &all->buffers[i * N_PARTS];
        all->parts[i] = (fg_part){b[RECORDS].buf, b[STARTS].buf, b[COUNTS].buf, (size_t)b[COUNTS].len};
    }
    return 0;
}

static const char *check_pieces(const pieces *all, size_t dimensions, Py_ssize_t evidence_bytes)
{
    Py_ssize_t rows = 0;
    for (Py_ssize_t i = 0; i < all->n; i++) {
        const char *problem = check_part(&all->buffers[i * N_PARTS], dimensions);
        if (problem)
            return problem;
        rows += all->buffers[i * N_PARTS + COUNTS].len;
    }
    return evidence_bytes == rows * 4 * N_EVIDENCE ? NULL : "gallery buffers differ in length";
}

static PyObject *py_compare(PyObject *self, PyObject *args)
{
    (void)self;
    PyObject *object[N_BUFFERS], *tuple, *result = NULL;
    Py_buffer b[N_BUFFERS] = {{0}};
    pieces all = {0};
    fg_probe *probe = NULL;
    Py_ssize_t variant, dimensions, threads;
    int held = 0;
    if (!PyArg_ParseTuple(args, "nnnOOOOO!O", &variant, &dimensions, &threads, &object[CODES], &object[PLACES],
                          &object[CONSTANTS], &object[KEPT], &PyTuple_Type, &tuple, &object[EVIDENCE]))
        return NULL;
    for (; held < N_BUFFERS; held++)
        if (PyObject_GetBuffer(object[held], &b[held], held == EVIDENCE ? PyBUF_WRITABLE : PyBUF_SIMPLE) < 0)
            goto done;
    const char *problem = check(b, variant, dimensions, threads);
    if (!problem) {
        if (hold_pieces(&all, tuple) < 0)
            goto done;
        problem = check_pieces(&all, (size_t)dimensions, b[EVIDENCE].len);
    }
    if (problem) {
        PyErr_SetString(PyExc_ValueError, problem);
        goto done;
    }
    int status = -1;
    probe = PyMem_Malloc(sizeof *probe);
    if (probe) {
        const fg_variant *list;
        fg_variants(&list);
        fg_load_probe(probe, b[CODES].buf, b[PLACES].buf, (int)(b[PLACES].len / 8), (int)dimensions);
        const fg_job common = {.probe = probe, .constants = b[CONSTANTS].buf, .kept = b[KEPT].buf};
        Py_BEGIN_ALLOW_THREADS
        status = fg_compare_parts(list[variant].compare, &common, all.parts, (size_t)all.n, (size_t)threads, b[EVIDENCE].buf);
        Py_END_ALLOW_THREADS
    }
    result = status == 0 ? Py_NewRef(Py_None) : PyErr_NoMemory();
done:
    PyMem_Free(probe);
    release_pieces(&all);
    while (held-- > 0)
        PyBuffer_Release(&b[held]);
    return result;
}

/* describe(shape, points, counts, out): cylinders of several templates whose minutiae follow each other. */
static PyObject *py_describe(PyObject *self, PyObject *args)
{
    (void)self;
    enum { SHAPE, POINTS, EACH, OUT, N };
    PyObject *object[N], *result = NULL;
    Py_buffer b[N] = {{0}};
    int held = 0;
    if (!PyArg_ParseTuple(args, "OOOO", &object[SHAPE], &object[POINTS], &object[EACH], &object[OUT]))
        return NULL;
    for (; held < N; held++)
        if (PyObject_GetBuffer(object[held], &b[held], held == OUT ? PyBUF_WRITABLE : PyBUF_SIMPLE) < 0)
            goto done;
    const uint8_t *each = b[EACH].buf;
    Py_ssize_t total = 0;
    for (Py_ssize_t t = 0; t < b[EACH].len; t++)
        total += each[t];
    if (b[SHAPE].len != sizeof(fd_shape) || b[POINTS].len != total * 16 || b[OUT].len != total * VALUES * 4 ||
        (uintptr_t)b[SHAPE].buf % 4 || (uintptr_t)b[POINTS].buf % 4 || (uintptr_t)b[OUT].buf % 4) {
        PyErr_SetString(PyExc_ValueError, "a buffer has the wrong size or alignment");
        goto done;
    }
    const fd_shape *shape = b[SHAPE].buf;
    int cells = 0;
    for (int g = 0; g < SIDE * SIDE; g++)
        cells += shape->disc[g] != 0.0f;
    if (cells != CELLS) {
        PyErr_SetString(PyExc_ValueError, "a constant is out of range");
        goto done;
    }
    Py_BEGIN_ALLOW_THREADS
    const float *points = b[POINTS].buf;
    float *out = b[OUT].buf;
    for (Py_ssize_t t = 0; t < b[EACH].len; points += 4 * each[t], out += (size_t)each[t] * VALUES, t++)
        fd_describe(shape, points, each[t], out);
    Py_END_ALLOW_THREADS
    result = Py_NewRef(Py_None);
done:
    while (held-- > 0)
        PyBuffer_Release(&b[held]);
    return result;
}

static PyObject *py_variants(PyObject *self, PyObject *args)
{
    (void)self, (void)args;
    const fg_variant *list;
    const size_t n = fg_variants(&list);
    PyObject *names = PyTuple_New((Py_ssize_t)n);
    for (size_t i = 0; names && i < n; i++) {
        PyObject *name = PyUnicode_FromString(list[i].name);
        if (!name || PyTuple_SetItem(names, (Py_ssize_t)i, name) < 0)
            Py_CLEAR(names);
    }
    return names;
}

static PyMethodDef METHODS[] = {
    {"variants", py_variants, METH_NOARGS, "Names of the variants this processor can run, fastest first."},
    {"describe", py_describe, METH_VARARGS, "describe(shape, points, counts, out)"},
    {"compare", py_compare, METH_VARARGS,
     "compare(variant, dimensions, threads, codes, places, constants, kept, ((records, starts, counts), ...), evidence)"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "bioguard.match._cylinders", NULL, 0, METHODS, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__cylinders(void)
{
    return PyModule_Create(&MODULE);
}

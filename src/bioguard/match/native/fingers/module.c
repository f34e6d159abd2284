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

enum { CODES, PLACES, CONSTANTS, KEPT, RECORDS, STARTS, COUNTS, EVIDENCE, N_BUFFERS };

/* bytes per element, and the alignment that the C types need */
static const size_t UNIT[N_BUFFERS] = {1, 2, 4, 4, 1, 8, 1, 4};

static const char *check_records(const Py_buffer *b, size_t dimensions, size_t first, size_t last)
{
    const int64_t *starts = b[STARTS].buf;
    const uint8_t *counts = b[COUNTS].buf;
    for (size_t row = first; row < last; row++) {
        const size_t lanes = ((size_t)counts[row] + LANE_STEP - 1) / LANE_STEP * LANE_STEP;
        const size_t size = lanes * (dimensions + 8);
        if (starts[row] < 0 || starts[row] % 2 || (size_t)starts[row] > (size_t)b[RECORDS].len ||
            (size_t)b[RECORDS].len - (size_t)starts[row] < size)
            return "a record lies outside the buffer";
    }
    return NULL;
}

static const char *check(const Py_buffer *b, Py_ssize_t variant, Py_ssize_t dimensions, Py_ssize_t first, Py_ssize_t last)
{
    const fg_variant *list;
    if (variant < 0 || (size_t)variant >= fg_variants(&list))
        return "no such variant on this processor";
    if (dimensions < 8 || dimensions > MAX_DIMENSIONS || dimensions % 8)
        return "number of dimensions out of range";
    for (int i = 0; i < N_BUFFERS; i++)
        if ((uintptr_t)b[i].buf % UNIT[i] || (size_t)b[i].len % UNIT[i])
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
    const Py_ssize_t rows = b[COUNTS].len;
    if (b[STARTS].len != rows * 8 || b[EVIDENCE].len != rows * 4 * N_EVIDENCE)
        return "gallery buffers differ in length";
    if (first < 0 || last < first || last > rows)
        return "row range out of bounds";
    return check_records(b, (size_t)dimensions, (size_t)first, (size_t)last);
}

static PyObject *py_compare(PyObject *self, PyObject *args)
{
    (void)self;
    PyObject *object[N_BUFFERS], *result = NULL;
    Py_buffer b[N_BUFFERS] = {{0}};
    Py_ssize_t variant, dimensions, first, last;
    int held = 0;
    if (!PyArg_ParseTuple(args, "nnOOOOOOOnnO", &variant, &dimensions, &object[CODES], &object[PLACES], &object[CONSTANTS],
                          &object[KEPT], &object[RECORDS], &object[STARTS], &object[COUNTS], &first, &last, &object[EVIDENCE]))
        return NULL;
    for (; held < N_BUFFERS; held++)
        if (PyObject_GetBuffer(object[held], &b[held], held == EVIDENCE ? PyBUF_WRITABLE : PyBUF_SIMPLE) < 0)
            goto done;
    const char *problem = check(b, variant, dimensions, first, last);
    if (problem) {
        PyErr_SetString(PyExc_ValueError, problem);
        goto done;
    }
    fg_probe *probe = PyMem_Malloc(sizeof *probe);
    void *space = PyMem_Malloc(sizeof(int32_t) * MAX_LANES * MAX_LANES + 64);
    if (probe && space) {
        const fg_variant *list;
        fg_variants(&list);
        fg_load_probe(probe, b[CODES].buf, b[PLACES].buf, (int)(b[PLACES].len / 8), (int)dimensions);
        const fg_job job = {probe,          b[CONSTANTS].buf, b[KEPT].buf,  b[RECORDS].buf,
                            b[STARTS].buf,  b[COUNTS].buf,    (size_t)first, (size_t)last,
                            (int32_t *)(((uintptr_t)space + 63) & ~(uintptr_t)63), b[EVIDENCE].buf};
        Py_BEGIN_ALLOW_THREADS
        list[variant].compare(&job);
        Py_END_ALLOW_THREADS
        result = Py_NewRef(Py_None);
    } else {
        PyErr_NoMemory();
    }
    PyMem_Free(probe);
    PyMem_Free(space);
done:
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
     "compare(variant, dimensions, codes, places, constants, kept, records, starts, counts, first, last, evidence)"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "bioguard.match._cylinders", NULL, 0, METHODS, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__cylinders(void)
{
    return PyModule_Create(&MODULE);
}

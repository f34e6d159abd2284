/* bioguard.match._kernels: the Python side of hamming.c; that of the float scores is in module_floats.c.
 *
 * Every size, alignment and overlap that the C code relies on is checked here and refused with ValueError, so no call
 * from Python, however wrong, reads or writes outside a buffer. Limited API of Python 3.11; the GIL is released.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "hamming.h"
#include "module.h"

#define MAX_STEPS 2046 /* 65,472 bits: distances fit in uint16 */

typedef struct {
    Py_buffer heads, tails, live, probes, out[2];
    hm_job job;
} call;

static void release(call *c)
{
    PyBuffer_Release(&c->heads);
    PyBuffer_Release(&c->tails);
    PyBuffer_Release(&c->live);
    PyBuffer_Release(&c->probes);
    PyBuffer_Release(&c->out[0]);
    PyBuffer_Release(&c->out[1]);
}

static const char *fill(call *c, Py_ssize_t variant, Py_ssize_t rows, Py_ssize_t steps, Py_ssize_t m,
                        Py_ssize_t threads)
{
    if (variant < 0 || variant > 8 || !(c->job.scan = hm_variant((size_t)variant)))
        return "no such variant on this processor";
    if (rows < 0 || rows >= MAX_ROWS || m < 0 || m >= MAX_ROWS)
        return "number of rows or probes out of range";
    if (steps < 2 || steps > MAX_STEPS || steps % 2)
        return "code length out of range";
    if (threads < 1 || threads > 64)
        return "number of threads out of range";
    size_t blocks = ((size_t)rows + LANES - 1) / LANES;
    size_t head = steps < HEAD ? (size_t)steps : HEAD, tail = (size_t)steps - head;
    if (!holds(&c->heads, blocks, head * LANES, sizeof(uint32_t), 64) ||
        !holds(&c->tails, blocks, tail * LANES, sizeof(uint32_t), 64))
        return "blocks have the wrong size or alignment";
    if (!holds(&c->live, blocks, 1, sizeof(uint16_t), sizeof(uint16_t)))
        return "live mask has the wrong size or alignment";
    if (!holds(&c->probes, (size_t)m, (size_t)steps, sizeof(uint32_t), 1))
        return "probes have the wrong size";
    const uint16_t *live = c->live.buf;
    if (rows % LANES && live[blocks - 1] >> (rows % LANES))
        return "live mask marks rows past the end";
    for (int i = 0; i < 2; i++)
        if (overlap(&c->out[i], &c->heads) || overlap(&c->out[i], &c->tails) || overlap(&c->out[i], &c->live) ||
            overlap(&c->out[i], &c->probes))
            return "an output overlaps an input";
    if (overlap(&c->out[0], &c->out[1]))
        return "outputs overlap";
    c->job.rows_of = (gallery){c->heads.buf, c->tails.buf, live, (size_t)steps};
    c->job.rows = (size_t)rows;
    c->job.probes = c->probes.buf;
    c->job.m = (size_t)m;
    c->job.threads = (size_t)threads;
    return NULL;
}

static PyObject *finish(call *c, const char *why, int status)
{
    release(c);
    if (why)
        PyErr_SetString(PyExc_ValueError, why);
    else if (status != HM_OK)
        PyErr_NoMemory();
    else
        Py_RETURN_NONE;
    return NULL;
}

/* True if at least k rows are live; k >= 1. */
static int has_live(const call *c, Py_ssize_t k)
{
    const uint16_t *live = c->live.buf;
    for (Py_ssize_t b = 0; k > 0 && b < c->live.len / 2; b++)
        k -= live[b] == 0xffff ? LANES : __builtin_popcount(live[b]);
    return k <= 0;
}

PyDoc_STRVAR(search_doc, "search(variant, rows, steps, m, k, threads, head_radius, heads, tails, live, probes, distances,"
                         " positions)\n--\n\nWrite the k nearest live rows of each probe: uint16 and int64 [m, k]. Rows "
                         "whose first 320 bits differ in more than head_radius are passed over; 320 for none.");

static PyObject *py_search(PyObject *self, PyObject *args)
{
    (void)self;
    call c = {0};
    Py_ssize_t variant, rows, steps, m, k, threads, head;
    if (!PyArg_ParseTuple(args, "nnnnnnny*y*y*y*w*w*", &variant, &rows, &steps, &m, &k, &threads, &head,
                          &c.heads, &c.tails, &c.live, &c.probes, &c.out[0], &c.out[1]))
        return NULL;
    const char *why = fill(&c, variant, rows, steps, m, threads);
    if (!why && (k < 1 || !has_live(&c, k)))
        why = "k out of range";
    if (!why && (head < 0 || head > EVERY_HEAD || (head < EVERY_HEAD && steps < HEAD)))
        why = "radius out of range";
    if (!why && (!holds(&c.out[0], (size_t)m, (size_t)k, sizeof(uint16_t), sizeof(uint16_t)) ||
                 !holds(&c.out[1], (size_t)m, (size_t)k, sizeof(int64_t), sizeof(int64_t))))
        why = "an output has the wrong size or alignment";
    int status = HM_OK;
    if (!why && m) {
        Py_BEGIN_ALLOW_THREADS
        status = hm_search(&c.job, (size_t)k, (uint32_t)head, c.out[0].buf, c.out[1].buf);
        Py_END_ALLOW_THREADS
    }
    return finish(&c, why, status);
}

PyDoc_STRVAR(distances_doc, "distances(variant, rows, steps, m, threads, heads, tails, live, probes, distances)\n--\n\n"
                            "Write the distance of each probe to each live row: uint16 [m, rows].");

static PyObject *py_distances(PyObject *self, PyObject *args)
{
    (void)self;
    call c = {0};
    Py_ssize_t variant, rows, steps, m, threads;
    if (!PyArg_ParseTuple(args, "nnnnny*y*y*y*w*", &variant, &rows, &steps, &m, &threads, &c.heads, &c.tails, &c.live,
                          &c.probes, &c.out[0]))
        return NULL;
    const char *why = fill(&c, variant, rows, steps, m, threads);
    if (!why && !holds(&c.out[0], (size_t)m, (size_t)rows, sizeof(uint16_t), sizeof(uint16_t)))
        why = "an output has the wrong size or alignment";
    int status = HM_OK;
    if (!why && m) {
        Py_BEGIN_ALLOW_THREADS
        status = hm_distances(&c.job, c.out[0].buf);
        Py_END_ALLOW_THREADS
    }
    return finish(&c, why, status);
}

PyDoc_STRVAR(histogram_doc, "histogram(variant, rows, steps, m, threads, heads, tails, live, probes, counts)\n--\n\n"
                            "Add the number of pairs at each distance to counts: int64 [32 * steps + 1].");

static PyObject *py_histogram(PyObject *self, PyObject *args)
{
    (void)self;
    call c = {0};
    Py_ssize_t variant, rows, steps, m, threads;
    if (!PyArg_ParseTuple(args, "nnnnny*y*y*y*w*", &variant, &rows, &steps, &m, &threads, &c.heads, &c.tails, &c.live,
                          &c.probes, &c.out[0]))
        return NULL;
    const char *why = fill(&c, variant, rows, steps, m, threads);
    if (!why && !holds(&c.out[0], 32 * (size_t)steps + 1, 1, sizeof(int64_t), sizeof(int64_t)))
        why = "an output has the wrong size or alignment";
    int status = HM_OK;
    if (!why && m) {
        Py_BEGIN_ALLOW_THREADS
        status = hm_histogram(&c.job, c.out[0].buf);
        Py_END_ALLOW_THREADS
    }
    return finish(&c, why, status);
}

PyDoc_STRVAR(count_doc, "count_within(variant, rows, steps, m, radius, heads, tails, live, probes, counts)\n--\n\n"
                        "Write the number of live rows at distance <= radius of each probe: int64 [m].");

static PyObject *py_count_within(PyObject *self, PyObject *args)
{
    (void)self;
    call c = {0};
    Py_ssize_t variant, rows, steps, m, radius;
    if (!PyArg_ParseTuple(args, "nnnnny*y*y*y*w*", &variant, &rows, &steps, &m, &radius, &c.heads, &c.tails, &c.live,
                          &c.probes, &c.out[0]))
        return NULL;
    const char *why = fill(&c, variant, rows, steps, m, 1);
    if (!why && (radius < 0 || radius > 32 * steps))
        why = "radius out of range";
    if (!why && !holds(&c.out[0], (size_t)m, 1, sizeof(int64_t), sizeof(int64_t)))
        why = "an output has the wrong size or alignment";
    int status = HM_OK;
    if (!why && m) {
        Py_BEGIN_ALLOW_THREADS
        status = hm_count_within(&c.job, (uint32_t)radius, c.out[0].buf);
        Py_END_ALLOW_THREADS
    }
    return finish(&c, why, status);
}

static const char *check_bounds(const Py_buffer *bounds, size_t m, const Py_buffer *distances,
                                const Py_buffer *positions)
{
    if (!holds(bounds, m + 1, 1, sizeof(int64_t), sizeof(int64_t)))
        return "bounds have the wrong size or alignment";
    const int64_t *edge = bounds->buf;
    if (edge[0] != 0)
        return "bounds do not start at 0";
    for (size_t p = 0; p < m; p++)
        if (edge[p + 1] < edge[p])
            return "bounds are not ascending";
    if (!holds(distances, (size_t)edge[m], 1, sizeof(uint16_t), sizeof(uint16_t)) ||
        !holds(positions, (size_t)edge[m], 1, sizeof(int64_t), sizeof(int64_t)))
        return "an output has the wrong size or alignment";
    if (overlap(bounds, distances) || overlap(bounds, positions))
        return "an output overlaps an input";
    return NULL;
}

PyDoc_STRVAR(list_doc,
             "list_within(variant, rows, steps, m, radius, heads, tails, live, probes, bounds, distances, positions)\n--\n\n"
             "Write the live rows at distance <= radius of probe p to [bounds[p], bounds[p + 1]).");

static PyObject *py_list_within(PyObject *self, PyObject *args)
{
    (void)self;
    call c = {0};
    Py_buffer bounds = {0};
    Py_ssize_t variant, rows, steps, m, radius;
    if (!PyArg_ParseTuple(args, "nnnnny*y*y*y*y*w*w*", &variant, &rows, &steps, &m, &radius, &c.heads, &c.tails,
                          &c.live, &c.probes, &bounds, &c.out[0], &c.out[1]))
        return NULL;
    const char *why = fill(&c, variant, rows, steps, m, 1);
    if (!why && (radius < 0 || radius > 32 * steps))
        why = "radius out of range";
    if (!why)
        why = check_bounds(&bounds, (size_t)m, &c.out[0], &c.out[1]);
    int status = HM_OK;
    if (!why && m) {
        Py_BEGIN_ALLOW_THREADS
        status = hm_list_within(&c.job, (uint32_t)radius, bounds.buf, c.out[0].buf, c.out[1].buf);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&bounds);
    return finish(&c, why, status);
}

PyDoc_STRVAR(variants_doc, "variants()\n--\n\nNames of the variants this processor can run, best first.");

static PyObject *py_variants(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    PyObject *names = PyList_New(0);
    const scanner *scan;
    for (size_t i = 0; names && (scan = hm_variant(i)); i++) {
        PyObject *text = PyUnicode_FromString(scan->name);
        if (!text || PyList_Append(names, text) < 0)
            Py_CLEAR(names);
        Py_XDECREF(text);
    }
    return names;
}

static PyMethodDef methods[] = {
    {"variants", py_variants, METH_NOARGS, variants_doc},
    {"search", py_search, METH_VARARGS, search_doc},
    {"distances", py_distances, METH_VARARGS, distances_doc},
    {"histogram", py_histogram, METH_VARARGS, histogram_doc},
    {"count_within", py_count_within, METH_VARARGS, count_doc},
    {"list_within", py_list_within, METH_VARARGS, list_doc},
    {NULL, NULL, 0, NULL},
};

static int add_float_methods(PyObject *module) { return PyModule_AddFunctions(module, float_methods); }

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)add_float_methods}, {0, NULL}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_kernels", "Hamming search kernels; use bioguard.match.CodeGallery.", 0, methods, slots, NULL,
    NULL, NULL};

PyMODINIT_FUNC PyInit__kernels(void) { return PyModuleDef_Init(&definition); }

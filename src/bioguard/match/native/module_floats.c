/* bioguard.match._kernels: the Python side of the float scores. Checks as in module.c. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "best.h"
#include "dots.h"
#include "hamming.h"
#include "module.h"
#include "rotate.h"
#include "select.h"

#define MAX_PADDED 65536
#define HELD(...) ((Py_buffer *[]){__VA_ARGS__, NULL})

static const char NO_MEMORY[] = "no memory";

/* Release the buffers of a call and give its result, or NULL with an exception where there is a reason. */
static PyObject *ended(Py_buffer **held, const char *why, PyObject *result)
{
    for (; *held; held++)
        PyBuffer_Release(*held);
    if (!why)
        return Py_NewRef(result);
    if (why == NO_MEMORY)
        return PyErr_NoMemory();
    return PyErr_SetString(PyExc_ValueError, why), NULL;
}

/* What both selection calls check. */
static const char *check_lists(Py_ssize_t m, Py_ssize_t k, Py_ssize_t room, const Py_buffer *keys, const Py_buffer *sizes)
{
    if (m < 0 || m >= MAX_ROWS || k < 1 || k >= MAX_ROWS || room < k + SELECT_SPARE || room >= 2 * MAX_ROWS)
        return "list sizes out of range";
    if (!holds(keys, (size_t)m, (size_t)room, sizeof(uint64_t), sizeof(uint64_t)) ||
        !holds(sizes, (size_t)m, 1, sizeof(uint64_t), sizeof(uint64_t)))
        return "lists have the wrong size or alignment";
    for (Py_ssize_t p = 0; p < m; p++)
        if (((const uint64_t *)sizes->buf)[p] > (uint64_t)room)
            return "a list is longer than its room";
    return NULL;
}

PyDoc_STRVAR(select_doc, "select_scores(m, columns, start, k, room, scores, keys, sizes, floors)\n--\n\n"
                         "List the scores above the floors: float32 [m, columns] of the positions from start.");

static PyObject *py_select_scores(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer scores = {0}, keys = {0}, sizes = {0}, floors = {0};
    Py_ssize_t m, columns, start, k, room;
    if (!PyArg_ParseTuple(args, "nnnnny*w*w*w*", &m, &columns, &start, &k, &room, &scores, &keys, &sizes, &floors))
        return NULL;
    const char *why = check_lists(m, k, room, &keys, &sizes);
    if (!why && (columns < 0 || start < 0 || columns >= MAX_ROWS || start >= MAX_ROWS))
        why = "positions out of range";
    if (!why && (!holds(&scores, (size_t)m, (size_t)columns, sizeof(float), sizeof(float)) ||
                 !holds(&floors, (size_t)m, 1, sizeof(float), sizeof(float))))
        why = "scores or floors have the wrong size or alignment";
    if (!why && (overlap(&keys, &scores) || overlap(&sizes, &scores) || overlap(&floors, &scores) ||
                 overlap(&keys, &sizes) || overlap(&keys, &floors) || overlap(&sizes, &floors)))
        why = "buffers overlap";
    if (!why) {
        Py_BEGIN_ALLOW_THREADS
        select_scores(scores.buf, (size_t)m, (size_t)columns, (size_t)start, (size_t)k, (size_t)room, keys.buf, sizes.buf,
                      floors.buf);
        Py_END_ALLOW_THREADS
    }
    return ended(HELD(&scores, &keys, &sizes, &floors), why, Py_None);
}

PyDoc_STRVAR(finish_doc, "select_finish(m, k, room, keys, sizes, scores, positions)\n--\n\n"
                         "Sort the lists into float32 and int64 [m, k].");

static PyObject *py_select_finish(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer keys = {0}, sizes = {0}, scores = {0}, positions = {0};
    Py_ssize_t m, k, room;
    if (!PyArg_ParseTuple(args, "nnnw*y*w*w*", &m, &k, &room, &keys, &sizes, &scores, &positions))
        return NULL;
    const char *why = check_lists(m, k, room, &keys, &sizes);
    if (!why && (!holds(&scores, (size_t)m, (size_t)k, sizeof(float), sizeof(float)) ||
                 !holds(&positions, (size_t)m, (size_t)k, sizeof(int64_t), sizeof(int64_t))))
        why = "an output has the wrong size or alignment";
    for (Py_ssize_t p = 0; !why && p < m; p++)
        if (((const uint64_t *)sizes.buf)[p] < (uint64_t)k)
            why = "a list is shorter than k";
    if (!why && (overlap(&scores, &positions) || overlap(&scores, &keys) || overlap(&scores, &sizes) ||
                 overlap(&positions, &keys) || overlap(&positions, &sizes) || overlap(&keys, &sizes)))
        why = "buffers overlap";
    if (!why) {
        Py_BEGIN_ALLOW_THREADS
        select_finish((size_t)m, (size_t)k, (size_t)room, keys.buf, sizes.buf, scores.buf, positions.buf);
        Py_END_ALLOW_THREADS
    }
    return ended(HELD(&keys, &sizes, &scores, &positions), why, Py_None);
}

PyDoc_STRVAR(dots_doc, "dot_rows(variant, n, d, m, rows, probes, out)\n--\n\n"
                       "Write the dot products of probes [m, d] with rows [n, d]: float32 [m, n].");

static PyObject *py_dot_rows(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer rows = {0}, probes = {0}, out = {0};
    Py_ssize_t variant, n, d, m;
    if (!PyArg_ParseTuple(args, "nnnny*y*w*", &variant, &n, &d, &m, &rows, &probes, &out))
        return NULL;
    const char *why = NULL;
    const scanner *scan = variant < 0 || variant > 8 ? NULL : hm_variant((size_t)variant);
    if (!scan)
        why = "no such variant on this processor";
    else if (n < 0 || n >= MAX_ROWS || m < 0 || m >= MAX_ROWS || d < 1 || d >= MAX_ROWS)
        why = "sizes out of range";
    else if (!holds(&rows, (size_t)n, (size_t)d, sizeof(float), sizeof(float)) ||
             !holds(&probes, (size_t)m, (size_t)d, sizeof(float), sizeof(float)) ||
             !holds(&out, (size_t)m, (size_t)n, sizeof(float), sizeof(float)))
        why = "rows, probes or output have the wrong size or alignment";
    else if (overlap(&out, &rows) || overlap(&out, &probes))
        why = "an output overlaps an input";
    if (!why) {
        Py_BEGIN_ALLOW_THREADS
        dot_rows(scan->name, rows.buf, (size_t)n, (size_t)d, probes.buf, (size_t)m, out.buf);
        Py_END_ALLOW_THREADS
    }
    return ended(HELD(&rows, &probes, &out), why, Py_None);
}

PyDoc_STRVAR(unit_doc, "unit_rows(n, d, rows, out)\n--\n\n"
                       "Write the rows at norm 1: float32 [n, d]. False if one is zero or not finite; what is written then "
                       "means nothing.");

static PyObject *py_unit_rows(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer rows = {0}, out = {0};
    Py_ssize_t n, d;
    if (!PyArg_ParseTuple(args, "nny*w*", &n, &d, &rows, &out))
        return NULL;
    const char *why = NULL;
    int fine = 0;
    if (n < 0 || n >= MAX_ROWS || d < 1 || d >= MAX_ROWS)
        why = "sizes out of range";
    else if (!holds(&rows, (size_t)n, (size_t)d, sizeof(float), sizeof(float)) ||
             !holds(&out, (size_t)n, (size_t)d, sizeof(float), sizeof(float)))
        why = "rows or output have the wrong size or alignment";
    else if (overlap(&out, &rows))
        why = "an output overlaps an input";
    else
        fine = unit_rows(rows.buf, (size_t)n, (size_t)d, out.buf);
    return ended(HELD(&rows, &out), why, fine ? Py_True : Py_False);
}

/* True if live is empty, which means that all n rows are, or marks at least k of them. */
static int enough_live(const Py_buffer *live, size_t n, size_t k)
{
    const unsigned char *mark = live->buf;
    size_t count = live->len ? 0 : n;
    for (size_t i = 0; i < (size_t)live->len && count < k; i++)
        count += mark[i] != 0;
    return count >= k;
}

PyDoc_STRVAR(best_doc, "best_rows(variant, n, d, m, k, rows, live, probes, scores, positions)\n--\n\n"
                       "Write the k rows with the highest dot products with each probe at norm 1: float32 and int64 [m, k]. "
                       "live: bool [n], or empty for all. False if a probe is zero or not finite.");

static PyObject *py_best_rows(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer rows = {0}, live = {0}, probes = {0}, scores = {0}, positions = {0};
    Py_ssize_t variant, n, d, m, k;
    if (!PyArg_ParseTuple(args, "nnnnny*y*y*w*w*", &variant, &n, &d, &m, &k, &rows, &live, &probes, &scores, &positions))
        return NULL;
    const char *why = NULL;
    const scanner *scan = variant < 0 || variant > 8 ? NULL : hm_variant((size_t)variant);
    if (!scan)
        why = "no such variant on this processor";
    else if (n < 0 || n >= MAX_ROWS || m < 0 || m >= MAX_ROWS || d < 1 || d >= MAX_ROWS)
        why = "sizes out of range";
    else if (!holds(&rows, (size_t)n, (size_t)d, sizeof(float), sizeof(float)) ||
             !holds(&probes, (size_t)m, (size_t)d, sizeof(float), sizeof(float)) || (live.len && live.len != n))
        why = "rows, live mask or probes have the wrong size or alignment";
    else if (k < 1 || !enough_live(&live, (size_t)n, (size_t)k))
        why = "k out of range";
    else if (!holds(&scores, (size_t)m, (size_t)k, sizeof(float), sizeof(float)) ||
             !holds(&positions, (size_t)m, (size_t)k, sizeof(int64_t), sizeof(int64_t)))
        why = "an output has the wrong size or alignment";
    else if (overlap(&scores, &rows) || overlap(&scores, &live) || overlap(&scores, &probes) ||
             overlap(&positions, &rows) || overlap(&positions, &live) || overlap(&positions, &probes) ||
             overlap(&scores, &positions))
        why = "an output overlaps an input or the other";
    int status = BEST_OK;
    if (!why) {
        const best_job job = {scan->name, rows.buf, (size_t)n, (size_t)d, live.len ? live.buf : NULL, (size_t)k};
        Py_BEGIN_ALLOW_THREADS
        status = best_rows(&job, probes.buf, (size_t)m, scores.buf, positions.buf);
        Py_END_ALLOW_THREADS
    }
    if (status == BEST_NO_MEMORY)
        why = NO_MEMORY;
    if (status == BEST_NOT_A_NUMBER)
        why = "a score is not a number";
    return ended(HELD(&rows, &live, &probes, &scores, &positions), why, status == BEST_OK ? Py_True : Py_False);
}

PyDoc_STRVAR(sign_doc, "sign_codes(n, padded, blocks, bits, rows, signs, codes)\n--\n\n"
                       "Write the sign codes of float32 rows [n, padded] under signs float32 [blocks, 3, padded]: uint8 "
                       "[n, bits / 8].");

static PyObject *py_sign_codes(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer rows = {0}, signs = {0}, codes = {0};
    Py_ssize_t n, padded, blocks, bits;
    if (!PyArg_ParseTuple(args, "nnnny*y*w*", &n, &padded, &blocks, &bits, &rows, &signs, &codes))
        return NULL;
    const char *why = NULL;
    if (n < 0 || n >= MAX_ROWS || padded < 1 || padded > MAX_PADDED || padded & (padded - 1) || bits < 8 || bits % 8 ||
        bits >= MAX_ROWS || blocks != (bits + padded - 1) / padded)
        why = "sizes out of range";
    else if (!holds(&rows, (size_t)n, (size_t)padded, sizeof(float), sizeof(float)) ||
             !holds(&signs, (size_t)blocks * ROUNDS, (size_t)padded, sizeof(float), sizeof(float)) ||
             !holds(&codes, (size_t)n, (size_t)bits / 8, 1, 1))
        why = "rows, signs or codes have the wrong size or alignment";
    else if (overlap(&codes, &rows) || overlap(&codes, &signs))
        why = "an output overlaps an input";
    float *space = why ? NULL : PyMem_Malloc(2 * (size_t)padded * sizeof *space);
    if (!why && !space)
        why = NO_MEMORY;
    if (!why) {
        Py_BEGIN_ALLOW_THREADS
        sign_codes(rows.buf, (size_t)n, (size_t)padded, (size_t)blocks, (size_t)bits, signs.buf, space, codes.buf);
        Py_END_ALLOW_THREADS
    }
    PyMem_Free(space);
    return ended(HELD(&rows, &signs, &codes), why, Py_None);
}

PyMethodDef float_methods[] = {
    {"sign_codes", py_sign_codes, METH_VARARGS, sign_doc},
    {"dot_rows", py_dot_rows, METH_VARARGS, dots_doc},
    {"unit_rows", py_unit_rows, METH_VARARGS, unit_doc},
    {"best_rows", py_best_rows, METH_VARARGS, best_doc},
    {"select_scores", py_select_scores, METH_VARARGS, select_doc},
    {"select_finish", py_select_finish, METH_VARARGS, finish_doc},
    {NULL, NULL, 0, NULL},
};

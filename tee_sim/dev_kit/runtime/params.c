/* The four parameters of an operation: memory references are copies in memory of this process, each before a page that
 * nobody may touch. What an application writes into an input does not come back. */
#include <string.h>
#include <sys/mman.h>

#include "double_fetch.h"
#include "host.h"
#include "runtime.h"
#include "user_ta_header.h"

#define ALIGNMENT 16u

enum { NONE = 0, VALUE_INPUT = 1, VALUE_OUTPUT = 2, VALUE_INOUT = 3, MEMREF_INPUT = 5, MEMREF_OUTPUT = 6,
       MEMREF_INOUT = 7 };

/* One parameter as it came. */
struct given {
    unsigned kind;
    uint64_t room; /* of a memory reference */
    bool is_null;
    uint8_t *buffer; /* whose bytes are forgotten after the call */
};

static struct given given[4];
static const union ta_param *array; /* as the application was given it */
static uint8_t *areas[4]; /* of MAX_PARAM_BYTES, and a page that nobody may touch */

static bool is_memref(unsigned kind)
{
    return kind >= MEMREF_INPUT && kind <= MEMREF_INOUT;
}

static bool is_output(unsigned kind)
{
    return kind == VALUE_OUTPUT || kind == VALUE_INOUT || kind == MEMREF_OUTPUT || kind == MEMREF_INOUT;
}

static uint8_t *area(unsigned i)
{
    if (areas[i] == NULL) {
        const int how = MAP_PRIVATE | MAP_ANONYMOUS;
        uint8_t *memory = mmap(NULL, MAX_PARAM_BYTES + GUARD_BYTES, PROT_READ | PROT_WRITE, how, -1, 0);

        if (memory == MAP_FAILED || mprotect(memory + MAX_PARAM_BYTES, GUARD_BYTES, PROT_NONE) != 0)
            return NULL;
        areas[i] = memory;
    }
    return areas[i];
}

/* Reads one Param: kind, a, b, buffer, size_bytes, is_null (tee_sim/shared/params.py). */
static bool read_one(struct cbor_in *in, union ta_param *param, unsigned i)
{
    struct given *one = &given[i];
    uint64_t a, b;
    const uint8_t *data;
    size_t size;
    uint8_t *memory;

    *param = (union ta_param){0};
    if (cbor_get_array(in) != 6)
        host_fail();
    one->kind = (unsigned)cbor_get_u64(in);
    a = cbor_get_u64(in);
    b = cbor_get_u64(in);
    data = cbor_get_bytes(in, &size);
    one->room = cbor_get_u64(in);
    one->is_null = cbor_get_bool(in);
    one->buffer = NULL;
    if (in->failed || a > UINT32_MAX || b > UINT32_MAX || size > MAX_PARAM_BYTES || one->room > MAX_PARAM_BYTES)
        host_fail();
    /* A client may say another size than that of its bytes: an input is its bytes, a room is what it says. */
    if (one->kind == MEMREF_INPUT)
        one->room = size;
    if (size > one->room)
        size = (size_t)one->room;
    if (one->kind == VALUE_INPUT || one->kind == VALUE_INOUT) {
        param->value.a = (uint32_t)a;
        param->value.b = (uint32_t)b;
    }
    if (!is_memref(one->kind) || one->is_null)
        return true;
    memory = area(i);
    if (memory == NULL)
        return false;
    one->buffer = memory + MAX_PARAM_BYTES - (one->room + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (size > 0)
        memcpy(one->buffer, data, size);
    param->memref.buffer = one->buffer;
    param->memref.size = one->room;
    if (one->kind != MEMREF_OUTPUT)
        fetch_begin(i, one->buffer, one->room);
    return true;
}

bool params_read(struct cbor_in *in, union ta_param params[4], uint32_t *types)
{
    bool room = true;

    memset(given, 0, sizeof(given));
    array = params;
    if (cbor_get_array(in) != 4)
        host_fail();
    *types = 0;
    for (unsigned i = 0; i < 4; i++) {
        room = read_one(in, &params[i], i) && room;
        *types |= given[i].kind << 4 * i;
    }
    return room;
}

static void put_one(struct cbor_out *out, unsigned kind, uint32_t a, uint32_t b, const uint8_t *data, uint64_t size,
                    uint64_t says, bool is_null)
{
    cbor_put_array(out, 6);
    cbor_put_u64(out, kind);
    cbor_put_u64(out, a);
    cbor_put_u64(out, b);
    cbor_put_bytes(out, data, size);
    cbor_put_u64(out, says);
    cbor_put_bool(out, is_null);
}

/* The sizes of 1.1 have 32 bits; what stands behind them is no size. */
static uint64_t size_of(const union ta_param *param)
{
    return image.head->abi == TA_HEAD_ABI_1_1 ? (uint32_t)param->memref.size : param->memref.size;
}

bool params_write(struct cbor_out *out, const union ta_param params[4], bool refused)
{
    cbor_put_array(out, 4);
    for (unsigned i = 0; i < 4; i++) {
        const struct given *one = &given[i];
        uint64_t size = is_memref(one->kind) ? size_of(&params[i]) : 0;

        if (!is_output(one->kind)) {
            put_one(out, one->kind, 0, 0, NULL, 0, 0, false);
        } else if (!is_memref(one->kind)) {
            put_one(out, one->kind, params[i].value.a, params[i].value.b, NULL, 0, 0, false);
        } else if (size > one->room) {
            /* Only a refusal says what would be needed (TEE Internal Core API 1.3.1, section 4.3.6.4). */
            if (!refused || size > UINT32_MAX)
                return false;
            put_one(out, one->kind, 0, 0, NULL, 0, size, false);
        } else {
            put_one(out, one->kind, 0, 0, one->buffer, size, size, one->is_null);
        }
    }
    return true;
}

void params_forget(void)
{
    fetch_end();
    array = NULL;
    for (unsigned i = 0; i < 4; i++)
        if (given[i].buffer != NULL)
            memset(given[i].buffer, 0, given[i].room);
    memset(given, 0, sizeof(given));
}

bool params_may_access(uintptr_t start, size_t size, unsigned rights, bool *inside)
{
    *inside = false;
    for (unsigned i = 0; i < 4; i++) {
        uintptr_t first = (uintptr_t)given[i].buffer;

        if (given[i].buffer == NULL || start - first > given[i].room || size > given[i].room - (start - first))
            continue;
        *inside = true;
        return (rights & MEMORY_WRITE) == 0 || given[i].kind != MEMREF_INPUT;
    }
    return false;
}

bool params_hold(uintptr_t start, size_t size)
{
    uintptr_t first = (uintptr_t)array;

    return array != NULL && start >= first && start - first <= 4 * sizeof(*array) &&
           size <= 4 * sizeof(*array) - (start - first);
}

#include "cbor.h"

#include <string.h>

enum { MAJOR_UNSIGNED, MAJOR_NEGATIVE, MAJOR_BYTES, MAJOR_TEXT, MAJOR_ARRAY };
enum { HEAD_FALSE = 0xF4, HEAD_TRUE = 0xF5, HEAD_NULL = 0xF6 };

static void put(struct cbor_out *out, const void *data, size_t size)
{
    if (out->failed || size > out->room - out->size) {
        out->failed = true;
        return;
    }
    if (size > 0)
        memcpy(out->data + out->size, data, size);
    out->size += size;
}

static void put_head(struct cbor_out *out, unsigned major, uint64_t argument)
{
    uint8_t head[9];
    unsigned width = argument < 24 ? 0 : argument <= UINT8_MAX ? 1 : argument <= UINT16_MAX ? 2
                   : argument <= UINT32_MAX ? 4 : 8;
    static const uint8_t info[] = {[1] = 24, [2] = 25, [4] = 26, [8] = 27};

    head[0] = (uint8_t)(major << 5 | (width == 0 ? argument : info[width]));
    for (unsigned i = 0; i < width; i++)
        head[1 + i] = (uint8_t)(argument >> 8 * (width - 1 - i));
    put(out, head, 1 + width);
}

void cbor_put_u64(struct cbor_out *out, uint64_t value)
{
    put_head(out, MAJOR_UNSIGNED, value);
}

void cbor_put_i64(struct cbor_out *out, int64_t value)
{
    put_head(out, value < 0 ? MAJOR_NEGATIVE : MAJOR_UNSIGNED, value < 0 ? ~(uint64_t)value : (uint64_t)value);
}

void cbor_put_bool(struct cbor_out *out, bool value)
{
    uint8_t head = value ? HEAD_TRUE : HEAD_FALSE;

    put(out, &head, 1);
}

void cbor_put_null(struct cbor_out *out)
{
    uint8_t head = HEAD_NULL;

    put(out, &head, 1);
}

void cbor_put_bytes(struct cbor_out *out, const void *data, size_t size)
{
    put_head(out, MAJOR_BYTES, size);
    put(out, data, size);
}

void cbor_put_text(struct cbor_out *out, const char *text, size_t size)
{
    put_head(out, MAJOR_TEXT, size);
    put(out, text, size);
}

void cbor_put_array(struct cbor_out *out, size_t items)
{
    put_head(out, MAJOR_ARRAY, items);
}

uint8_t *cbor_put_bytes_room(struct cbor_out *out, size_t size)
{
    put_head(out, MAJOR_BYTES, size);
    if (out->failed || size > out->room - out->size) {
        out->failed = true;
        return NULL;
    }
    out->size += size;
    return out->data + out->size - size;
}

/* The head of the next item: its first byte, and its argument. Returns the position after it, 0 for none that is
 * canonical. */
static size_t head_at(const struct cbor_in *in, uint8_t *first, uint64_t *argument)
{
    size_t at = in->at;
    unsigned info, width;

    if (in->failed || at >= in->size)
        return 0;
    *first = in->data[at++];
    info = *first & 31;
    if (*first >> 5 > MAJOR_ARRAY)
        return *first == HEAD_FALSE || *first == HEAD_TRUE || *first == HEAD_NULL ? at : 0;
    *argument = info;
    if (info < 24)
        return at;
    if (info > 27)
        return 0;
    width = 1u << (info - 24);
    if (width > in->size - at)
        return 0;
    *argument = 0;
    for (unsigned i = 0; i < width; i++)
        *argument = *argument << 8 | in->data[at++];
    /* The shortest form alone (RFC 8949, section 4.2.1). */
    return *argument < (width == 1 ? 24 : (uint64_t)1 << 4 * width) ? 0 : at;
}

static bool is_utf8(const uint8_t *text, size_t size)
{
    size_t at = 0;

    while (at < size) {
        uint8_t lead = text[at++];
        unsigned more = lead < 0x80 ? 0 : lead >= 0xC2 && lead < 0xE0 ? 1 : lead >= 0xE0 && lead < 0xF0 ? 2
                      : lead >= 0xF0 && lead < 0xF5 ? 3 : 4;

        if (more == 4 || more > size - at)
            return false;
        /* Longer than need be, a surrogate, or above U+10FFFF (RFC 3629, section 4). */
        if ((lead == 0xE0 && text[at] < 0xA0) || (lead == 0xED && text[at] > 0x9F) ||
            (lead == 0xF0 && text[at] < 0x90) || (lead == 0xF4 && text[at] > 0x8F))
            return false;
        for (; more > 0; more--)
            if ((text[at++] & 0xC0) != 0x80)
                return false;
    }
    return true;
}

static void skip(struct cbor_in *in, unsigned depth)
{
    uint8_t first = 0;
    uint64_t argument = 0;
    size_t at = head_at(in, &first, &argument);
    unsigned major = first >> 5;

    if (at == 0) {
        in->failed = true;
        return;
    }
    in->at = at;
    if (major == MAJOR_BYTES || major == MAJOR_TEXT) {
        if (argument > in->size - at || (major == MAJOR_TEXT && !is_utf8(in->data + at, (size_t)argument)))
            in->failed = true;
        else
            in->at = at + (size_t)argument;
    } else if (major == MAJOR_ARRAY) {
        /* Each item has a byte at least. */
        if (depth == 0 || argument > in->size - at)
            in->failed = true;
        for (; argument > 0 && !in->failed; argument--)
            skip(in, depth - 1);
    }
}

bool cbor_is_canonical(const uint8_t *data, size_t size)
{
    struct cbor_in in = {.data = data, .size = size};

    skip(&in, CBOR_MAX_DEPTH);
    return !in.failed && in.at == size;
}

void cbor_skip(struct cbor_in *in)
{
    skip(in, CBOR_MAX_DEPTH);
}

enum cbor_kind cbor_peek(const struct cbor_in *in)
{
    uint8_t first = 0;
    uint64_t argument = 0;

    if (head_at(in, &first, &argument) == 0)
        return CBOR_NOTHING;
    if (first == HEAD_NULL)
        return CBOR_NULL;
    return first >= HEAD_FALSE ? CBOR_BOOL : (enum cbor_kind)(first >> 5);
}

/* Takes the head of an item of this kind; what else stands there is a failure, and 0. */
static uint64_t take(struct cbor_in *in, enum cbor_kind kind, uint8_t *first)
{
    uint64_t argument = 0;
    size_t at = head_at(in, first, &argument);

    if (at == 0 || cbor_peek(in) != kind) {
        in->failed = true;
        return 0;
    }
    in->at = at;
    return argument;
}

uint64_t cbor_get_u64(struct cbor_in *in)
{
    uint8_t first = 0;

    return take(in, CBOR_UNSIGNED, &first);
}

int64_t cbor_get_i64(struct cbor_in *in)
{
    uint8_t first = 0;
    bool negative = cbor_peek(in) == CBOR_NEGATIVE;
    uint64_t argument = take(in, negative ? CBOR_NEGATIVE : CBOR_UNSIGNED, &first);

    if (argument > INT64_MAX) {
        in->failed = true;
        return 0;
    }
    return negative ? -1 - (int64_t)argument : (int64_t)argument;
}

bool cbor_get_bool(struct cbor_in *in)
{
    uint8_t first = 0;

    take(in, CBOR_BOOL, &first);
    return !in->failed && first == HEAD_TRUE;
}

void cbor_get_null(struct cbor_in *in)
{
    uint8_t first = 0;

    take(in, CBOR_NULL, &first);
}

static const uint8_t *take_string(struct cbor_in *in, enum cbor_kind kind, size_t *size)
{
    uint8_t first = 0;
    uint64_t length = take(in, kind, &first);

    *size = 0;
    if (in->failed || length > in->size - in->at) {
        in->failed = true;
        return in->data;
    }
    *size = (size_t)length;
    in->at += (size_t)length;
    return in->data + in->at - length;
}

const uint8_t *cbor_get_bytes(struct cbor_in *in, size_t *size)
{
    return take_string(in, CBOR_BYTES, size);
}

const char *cbor_get_text(struct cbor_in *in, size_t *size)
{
    return (const char *)take_string(in, CBOR_TEXT, size);
}

size_t cbor_get_array(struct cbor_in *in)
{
    uint8_t first = 0;
    uint64_t items = take(in, CBOR_ARRAY, &first);

    if (items > in->size - in->at) {
        in->failed = true;
        return 0;
    }
    return (size_t)items;
}

/* One question to the core: written behind room for its head, whose length depends on how many words there are. */
#include "runtime.h"

#include <string.h>
#include <unistd.h>

#include "double_fetch.h"
#include "host.h"

#define HEAD_ROOM 32u /* length, and heads of message, question and words */
#define MAX_NESTED 8u

uint8_t frame_in[MAX_FRAME_BYTES];
uint8_t frame_out[HEAD_ROOM + MAX_FRAME_BYTES];
int host_read_fd = -1, host_write_fd = -1;
uint32_t last_function;
uint64_t call_count;

static struct cbor_out words;
static size_t word_count;
static size_t left_of[MAX_NESTED]; /* items that are still to come in each open array */
static unsigned depth;
static enum question asked;
static struct cbor_in answer;
static size_t answers_left;

_Noreturn void host_fail(void)
{
    _exit(EXIT_PROTOCOL);
}

void count_call(uint32_t function)
{
    last_function = function;
    call_count++;
    report_refused_calls();
    if (config.panic_at != 0 && call_count == config.panic_at)
        tee_panic(ERROR_TARGET_DEAD);
}

void ask_begin_question(enum question question, uint32_t function)
{
    words = (struct cbor_out){.data = frame_out + HEAD_ROOM, .room = MAX_FRAME_BYTES};
    word_count = 0;
    depth = 0;
    asked = question;
    answers_left = 0;
    count_call(function);
}

void ask_begin(uint32_t function)
{
    ask_begin_question(QUESTION_NATIVE, function);
    ask_u64(function);
}

/* One more item: of the innermost open array, or a word. */
static void item(void)
{
    while (depth > 0 && left_of[depth - 1] == 0)
        depth--;
    if (depth > 0)
        left_of[depth - 1]--;
    else
        word_count++;
}

void ask_u64(uint64_t value)
{
    item();
    cbor_put_u64(&words, value);
}

void ask_i64(int64_t value)
{
    item();
    cbor_put_i64(&words, value);
}

void ask_bool(bool value)
{
    item();
    cbor_put_bool(&words, value);
}

void ask_null(void)
{
    item();
    cbor_put_null(&words);
}

void ask_bytes(const void *data, size_t size)
{
    item();
    fetch_read(data, size);
    cbor_put_bytes(&words, data, size);
}

void ask_room(const void *buffer, size_t size)
{
    if (buffer == NULL)
        ask_null();
    else
        ask_u64(size);
}

void ask_array(size_t items)
{
    item();
    cbor_put_array(&words, items);
    if (items == 0)
        return;
    if (depth == MAX_NESTED)
        host_fail();
    left_of[depth++] = items;
}

/* The head stands right before the words, so that the frame leaves in one piece. */
static void send_words(void)
{
    uint8_t head[HEAD_ROOM];
    struct cbor_out out = {.data = head, .room = HEAD_ROOM - FRAME_HEAD_BYTES};
    uint8_t *body;

    cbor_put_array(&out, 3);
    cbor_put_u64(&out, MESSAGE_ASK);
    cbor_put_u64(&out, asked);
    cbor_put_array(&out, word_count);
    body = words.data - out.size;
    memcpy(body, head, out.size);
    if (words.failed || words.size + out.size > MAX_FRAME_BYTES)
        tee_panic(ERROR_EXCESS_DATA);
    if (!frame_write(host_write_fd, body - FRAME_HEAD_BYTES, out.size + words.size))
        host_fail();
}

/* Returns the result of the answer; what follows in it can be read with got_*. */
static uint32_t read_answer(void)
{
    size_t size;
    uint64_t result;

    if (frame_read(host_read_fd, frame_in, MAX_FRAME_BYTES, &size) != FRAME_READ || !cbor_is_canonical(frame_in, size))
        host_fail();
    answer = (struct cbor_in){.data = frame_in, .size = size};
    if (cbor_get_array(&answer) != 3 || cbor_get_u64(&answer) != MESSAGE_CORE_ANSWER)
        host_fail();
    result = cbor_get_u64(&answer);
    answers_left = cbor_get_array(&answer);
    if (answer.failed || result > UINT32_MAX)
        host_fail();
    return (uint32_t)result;
}

uint32_t ask_send(void)
{
    uint32_t result;
    uint64_t code;

    if (current == NULL)
        host_fail();
    send_words();
    result = read_answer();
    if (asked != QUESTION_NATIVE)
        return result;
    if (result != TEE_SUCCESS_)
        tee_panic(result);
    result = got_u64() != 0;
    code = got_u64();
    if (code > UINT32_MAX)
        host_fail();
    if (result != 0)
        tee_panic((uint32_t)code);
    return (uint32_t)code;
}

static void got_item(void)
{
    if (answers_left == 0)
        host_fail();
    answers_left--;
}

static void must(void)
{
    if (answer.failed)
        host_fail();
}

uint64_t got_u64(void)
{
    uint64_t value;

    got_item();
    value = cbor_get_u64(&answer);
    must();
    return value;
}

int64_t got_i64(void)
{
    int64_t value;

    got_item();
    value = cbor_get_i64(&answer);
    must();
    return value;
}

bool got_bool(void)
{
    bool value;

    got_item();
    value = cbor_get_bool(&answer);
    must();
    return value;
}

bool got_is_null(void)
{
    if (answers_left == 0 || cbor_peek(&answer) != CBOR_NULL)
        return false;
    got_item();
    cbor_get_null(&answer);
    return true;
}

size_t got_array(void)
{
    size_t items;

    got_item();
    items = cbor_get_array(&answer);
    must();
    answers_left += items;
    return items;
}

const void *got_bytes(size_t *size)
{
    const void *data;

    got_item();
    data = cbor_get_bytes(&answer, size);
    must();
    return data;
}

void got_into(void *buffer, size_t *size)
{
    const void *data;
    size_t length;

    if (answers_left > 0 && cbor_peek(&answer) == CBOR_UNSIGNED) {
        *size = (size_t)got_u64();
        return;
    }
    data = got_bytes(&length);
    if (length > *size || (length > 0 && buffer == NULL))
        host_fail();
    if (length > 0)
        memcpy(buffer, data, length);
    *size = length;
}

bool got_more(void)
{
    return answers_left > 0;
}

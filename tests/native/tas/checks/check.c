#include "check.h"

#define COMMAND_LIST 0
#define COMMAND_RUN 1
#define FAILED 0x00010001
#define TEXT_BYTES 400

extern const struct check *const __start_check_rows[] __attribute__((visibility("hidden")));
extern const struct check *const __stop_check_rows[] __attribute__((visibility("hidden")));

static char failure[TEXT_BYTES];

static gp_size append(gp_size used, const char *text)
{
    for (; *text != '\0' && used + 1 < TEXT_BYTES; text++) {
        failure[used++] = *text;
    }
    failure[used] = '\0';
    return used;
}

static gp_size append_number(gp_size used, unsigned long number, unsigned base)
{
    char digits[24];
    int at = (int)sizeof digits - 1;

    digits[at] = '\0';
    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0 && at > 0);
    return append(used, digits + at);
}

void check_failed(const char *file, int line, const char *what, unsigned long got)
{
    gp_size used = append(0, file);

    used = append(used, ":");
    used = append_number(used, (unsigned long)line, 10);
    used = append(used, ": ");
    used = append(used, what);
    used = append(used, " was 0x");
    append_number(used, got, 16);
}

static uint32_t count(void)
{
    return (uint32_t)(__stop_check_rows - __start_check_rows);
}

/* Names, one a line, a `!` behind those that must panic. */
static TEE_Result list(TEE_Param *text)
{
    gp_size used = 0;

    for (uint32_t i = 0; i < count(); i++) {
        for (const char *at = __start_check_rows[i]->name; *at != '\0'; at++) {
            if (used < text->memref.size) {
                ((char *)text->memref.buffer)[used] = *at;
            }
            used++;
        }
        for (const char *at = __start_check_rows[i]->panics ? "!\n" : "\n"; *at != '\0'; at++) {
            if (used < text->memref.size) {
                ((char *)text->memref.buffer)[used] = *at;
            }
            used++;
        }
    }
    if (used > text->memref.size) {
        text->memref.size = used;
        return TEE_ERROR_SHORT_BUFFER;
    }
    text->memref.size = used;
    return TEE_SUCCESS;
}

static TEE_Result run(uint32_t number, TEE_Param *text)
{
    gp_size size = 0;

    if (number >= count()) {
        return TEE_ERROR_ITEM_NOT_FOUND;
    }
    failure[0] = '\0';
    __start_check_rows[number]->run();
    while (failure[size] != '\0') {
        size++;
    }
    if (size > text->memref.size) {
        size = text->memref.size;
    }
    TEE_MemMove(text->memref.buffer, failure, size);
    text->memref.size = size;
    return size == 0 ? TEE_SUCCESS : FAILED;
}

TEE_Result TA_CreateEntryPoint(void)
{
    return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param params[4], void **session)
{
    (void)types;
    (void)params;
    (void)session;
    return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *session)
{
    (void)session;
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t command, uint32_t types, TEE_Param params[4])
{
    (void)session;
    if (types != TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INPUT, TEE_PARAM_TYPE_MEMREF_OUTPUT, TEE_PARAM_TYPE_NONE,
                                 TEE_PARAM_TYPE_NONE)) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    if (command == COMMAND_LIST) {
        return list(&params[1]);
    }
    return command == COMMAND_RUN ? run(params[0].value.a, &params[1]) : TEE_ERROR_NOT_SUPPORTED;
}

#include "liar.h"

#define COMMAND_ROWS 0
#define COMMAND_PLAY 1
#define LINE_BYTES 5

/* Call one row; what it answers goes behind the others. */
static const uint8_t *step(const uint8_t *program, const uint8_t *end, TEE_Param *said, size_t *used)
{
    const struct row *row = &rows[*program++ % row_count];
    uint64_t arguments[MOST_ARGUMENTS] = { 0 };
    uint8_t *line = (uint8_t *)said->memref.buffer + *used;
    uint32_t result;

    for (size_t i = 0; row->letters[i] != '\0'; i++) {
        arguments[i] = place(row->letters[i], &program, end);
    }
    result = (uint32_t)((raw_function)row->function)(arguments[0], arguments[1], arguments[2], arguments[3],
                                                     arguments[4], arguments[5], arguments[6], arguments[7]);
    if (row->answers && *used + LINE_BYTES <= said->memref.size) {
        line[0] = (uint8_t)(row - rows);
        for (int i = 0; i < 4; i++) {
            line[1 + i] = (uint8_t)(result >> 8 * i);
        }
        *used += LINE_BYTES;
    }
    return program;
}

static TEE_Result play(TEE_Param params[4])
{
    const uint8_t *program = params[0].memref.buffer;
    const uint8_t *end = program + params[0].memref.size;
    size_t used = 0;

    places_reset();
    while (program < end) {
        program = step(program, end, &params[1], &used);
    }
    params[1].memref.size = used;
    return TEE_SUCCESS;
}

/* For each row its number, four bytes, and its letters with a zero behind them. */
static TEE_Result list(TEE_Param *text)
{
    uint8_t *to = text->memref.buffer;
    size_t used = 0;

    for (uint32_t i = 0; i < row_count; i++) {
        size_t letters = 0;

        while (rows[i].letters[letters] != '\0') {
            letters++;
        }
        if (used + 5 + letters > text->memref.size) {
            return TEE_ERROR_SHORT_BUFFER;
        }
        for (int k = 0; k < 4; k++) {
            to[used++] = (uint8_t)(rows[i].number >> 8 * k);
        }
        TEE_MemMove(to + used, rows[i].letters, letters + 1);
        used += letters + 1;
    }
    text->memref.size = used;
    return TEE_SUCCESS;
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
    if (types != TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_MEMREF_OUTPUT, TEE_PARAM_TYPE_NONE,
                                 TEE_PARAM_TYPE_NONE)) {
        return TEE_ERROR_BAD_PARAMETERS;
    }
    return command == COMMAND_ROWS ? list(&params[1]) : play(params);
}

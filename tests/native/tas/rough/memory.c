/* The heap and the memory functions, one rule a command: returns the line of the first that does not hold. */
#include <stdlib.h>
#include <string.h>

#include "rough.h"

#define NEED(condition) \
    do { \
        if (!(condition)) \
            return 0x80000000u | (uint32_t)__LINE__; \
    } while (0)

enum { BASICS, FREE_TWICE, FREE_WILD, FREE_STACK, FREE_INSIDE, RESIZE_FREED, FILL_UP, HEAD_OVERRUN, RIGHTS, FUNCTIONS,
       CHURN, C_LIBRARY, LARGE, FREED_OVERRUN, LEAK };

static int in_data = 1;
static const int in_code = 2;

static bool is_all(const uint8_t *bytes, uint8_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

/* TEE Internal Core API 1.3.1, sections 4.11.4 to 4.11.6 */
static TEE_Result basics(void)
{
    uint8_t *block = TEE_Malloc(100, TEE_MALLOC_FILL_ZERO), *empty, *other;

    NEED(block != NULL && is_all(block, 0, 100) && (uintptr_t)block % 16 == 0);
    memset(block, 0x11, 100);
    block = TEE_Realloc(block, 300);
    NEED(block != NULL && is_all(block, 0x11, 100) && is_all(block + 100, 0, 200));
    block = TEE_Realloc(block, 50);
    NEED(block != NULL && is_all(block, 0x11, 50));
    empty = TEE_Malloc(0, 0);
    NEED(empty != NULL);
    other = TEE_Malloc(0, 0);
    NEED(other != NULL && other != empty);
    empty = TEE_Realloc(empty, 64);
    NEED(empty != NULL && is_all(empty, 0, 64));
    TEE_Free(empty);
    TEE_Free(other);
    TEE_Free(NULL);
    other = TEE_Realloc(NULL, 40);
    NEED(other != NULL && is_all(other, 0, 40));
    block = TEE_Realloc(block, 0);
    NEED(block != NULL);
    TEE_Free(block);
    TEE_Free(other);
    return TEE_SUCCESS;
}

/* All of TA_DATA_SIZE can be had in one block and in many, and no more; what failed leaves the rest as it was. */
static TEE_Result fill_up(void)
{
    uint8_t *blocks[64], *whole = TEE_Malloc(64 * 1024, 0);
    unsigned count = 0;

    NEED(whole != NULL);
    NEED(TEE_Malloc(1, 0) == NULL);
    NEED(TEE_Realloc(whole, 64 * 1024 + 1) == NULL);
    NEED(is_all(whole, 0, 64 * 1024));
    TEE_Free(whole);
    whole = TEE_Malloc(40 * 1024, 0);
    NEED(whole != NULL);
    memset(whole, 0x33, 40 * 1024);
    whole = TEE_Realloc(whole, 60 * 1024);
    NEED(whole != NULL && is_all(whole, 0x33, 40 * 1024) && is_all(whole + 40 * 1024, 0, 20 * 1024));
    NEED(TEE_Malloc(4 * 1024 + 1, 0) == NULL);
    TEE_Free(whole);
    NEED(TEE_Malloc(64 * 1024 + 1, 0) == NULL);
    while (count < 64 && (blocks[count] = TEE_Malloc(1024, 0)) != NULL)
        memset(blocks[count], (int)count, 1024), count++;
    NEED(count == 64);
    NEED(TEE_Malloc(16, 0) == NULL);
    for (unsigned i = 0; i < count; i++)
        NEED(is_all(blocks[i], (uint8_t)i, 1024));
    for (unsigned i = 0; i < count; i += 2)
        TEE_Free(blocks[i]);
    for (unsigned i = 1; i < count; i += 2)
        TEE_Free(blocks[i]);
    whole = TEE_Malloc(64 * 1024, 0);
    NEED(whole != NULL && is_all(whole, 0, 64 * 1024));
    TEE_Free(whole);
    return TEE_SUCCESS;
}

/* Blocks that come and go, resized up and down: none lies on another. */
static TEE_Result churn(uint32_t rounds)
{
    uint8_t *blocks[24] = {NULL};
    uint32_t sizes[24] = {0}, random = 12345;

    for (uint32_t round = 0; round < rounds; round++) {
        uint32_t i, size;

        random = random * 1664525 + 1013904223;
        i = random >> 8 & 15;
        size = random >> 12 & 2047;
        if (blocks[i] != NULL)
            NEED(is_all(blocks[i], (uint8_t)(i + 1), sizes[i]));
        if (blocks[i] == NULL || (random & 0x80000000u) != 0) {
            uint8_t *moved = blocks[i] == NULL ? TEE_Malloc(size, TEE_MALLOC_NO_FILL) : TEE_Realloc(blocks[i], size);

            NEED(moved != NULL);
            NEED(blocks[i] == NULL || is_all(moved, (uint8_t)(i + 1), size < sizes[i] ? size : sizes[i]));
            memset(moved, (int)i + 1, size);
            blocks[i] = moved;
            sizes[i] = size;
        } else {
            TEE_Free(blocks[i]);
            blocks[i] = NULL;
        }
    }
    for (unsigned i = 0; i < 24; i++)
        TEE_Free(blocks[i]);
    return fill_up();
}

/* Section 4.11.1 */
static TEE_Result rights(TEE_Param params[4])
{
    int on_stack = 3;
    uint8_t *in_heap = TEE_Malloc(16, 0);
    const uint32_t read = TEE_MEMORY_ACCESS_READ, write = TEE_MEMORY_ACCESS_WRITE;
    const uint32_t any = TEE_MEMORY_ACCESS_ANY_OWNER;
    void *input = params[0].memref.buffer, *output = params[1].memref.buffer;

    NEED(TEE_CheckMemoryAccessRights(read | write, &on_stack, sizeof(on_stack)) == TEE_SUCCESS);
    NEED(TEE_CheckMemoryAccessRights(read | write, &in_data, sizeof(in_data)) == TEE_SUCCESS);
    NEED(TEE_CheckMemoryAccessRights(read | write, in_heap, 16) == TEE_SUCCESS);
    NEED(TEE_CheckMemoryAccessRights(read, (void *)(uintptr_t)&in_code, sizeof(in_code)) == TEE_SUCCESS);
    NEED(TEE_CheckMemoryAccessRights(write, (void *)(uintptr_t)&in_code, 1) == TEE_ERROR_ACCESS_DENIED);
    NEED(TEE_CheckMemoryAccessRights(write, (void *)(uintptr_t)&rights, 1) == TEE_ERROR_ACCESS_DENIED);
    NEED(TEE_CheckMemoryAccessRights(read, NULL, 1) == TEE_ERROR_ACCESS_DENIED);
    NEED(TEE_CheckMemoryAccessRights(read, NULL, 0) == TEE_SUCCESS);
    NEED(TEE_CheckMemoryAccessRights(read, (void *)(uintptr_t)0x1000, 8) == TEE_ERROR_ACCESS_DENIED);
    NEED(TEE_CheckMemoryAccessRights(read, (void *)UINTPTR_MAX, 8) == TEE_ERROR_ACCESS_DENIED);
    NEED(TEE_CheckMemoryAccessRights(read, in_heap, SIZE_MAX) == TEE_ERROR_ACCESS_DENIED);
    NEED(TEE_CheckMemoryAccessRights(read, &on_stack, 1 << 20) == TEE_ERROR_ACCESS_DENIED);
    NEED(TEE_CheckMemoryAccessRights(read | any, input, params[0].memref.size) == TEE_SUCCESS);
    NEED(TEE_CheckMemoryAccessRights(read, input, params[0].memref.size) == TEE_ERROR_ACCESS_DENIED);
    NEED(TEE_CheckMemoryAccessRights(write | any, input, 1) == TEE_ERROR_ACCESS_DENIED);
    NEED(TEE_CheckMemoryAccessRights(read | any, input, params[0].memref.size + 1) == TEE_ERROR_ACCESS_DENIED);
    NEED(TEE_CheckMemoryAccessRights(write | any, output, params[1].memref.size) == TEE_SUCCESS);
    NEED(TEE_CheckMemoryAccessRights(write, output, params[1].memref.size) == TEE_ERROR_ACCESS_DENIED);
    NEED(TEE_CheckMemoryAccessRights(read | write, params, 4 * sizeof(params[0])) == TEE_SUCCESS);
    NEED(TEE_CheckMemoryAccessRights(read | write, &params[1].memref.size, sizeof(params[1].memref.size)) == TEE_SUCCESS);
    NEED(TEE_CheckMemoryAccessRights(read, params, 4 * sizeof(params[0]) + 1) == TEE_ERROR_ACCESS_DENIED);
    return TEE_SUCCESS;
}

/* Sections 4.11.7 to 4.11.9 */
static TEE_Result functions(void)
{
    uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8}, other[8] = {1, 2, 3, 4, 5, 6, 7, 9};

    TEE_MemMove(bytes + 1, bytes, 7);
    NEED(memcmp(bytes, "\1\1\2\3\4\5\6\7", 8) == 0);
    TEE_MemMove(bytes, bytes + 1, 7);
    NEED(memcmp(bytes, "\1\2\3\4\5\6\7\7", 8) == 0);
    NEED(TEE_MemCompare(bytes, other, 7) == 0);
    NEED(TEE_MemCompare(bytes, other, 8) < 0);
    NEED(TEE_MemCompare(other, bytes, 8) > 0);
    NEED(TEE_MemCompare(bytes, other, 0) == 0);
    bytes[0] = 0xFF;
    NEED(TEE_MemCompare(bytes, other, 8) > 0);
    TEE_MemFill(bytes, 0xAB, 7);
    NEED(is_all(bytes, 0xAB, 7) && bytes[7] == 7);
    TEE_MemFill(NULL, 0, 0);
    TEE_MemMove(NULL, NULL, 0);
    return TEE_SUCCESS;
}

static TEE_Result c_library(void)
{
    char *block = malloc(10), *zeros = calloc(4, 8);
    void *volatile kept; /* a compiler may leave out an allocation that is only compared */

    NEED(block != NULL && zeros != NULL && is_all((uint8_t *)zeros, 0, 32));
    strcpy(block, "nine char");
    block = realloc(block, 2000);
    NEED(block != NULL && strcmp(block, "nine char") == 0);
    kept = calloc(SIZE_MAX / 2, 3);
    NEED(kept == NULL);
    kept = malloc(1 << 20);
    NEED(kept == NULL);
    free(block);
    free(zeros);
    free(NULL);
    return fill_up();
}

static TEE_Result heads(bool freed)
{
    uint8_t *first = TEE_Malloc(32, 0), *second = TEE_Malloc(32, 0);

    if (freed)
        TEE_Free(second);
    memset(first, 0xFF, 96);
    if (!freed)
        TEE_Free(second);
    TEE_Free(first);
    TEE_Malloc(4096, 0);
    return TEE_SUCCESS;
}

TEE_Result memory_command(uint32_t command, TEE_Param params[4])
{
    int on_stack;
    uint8_t *block;

    switch (command - MEMORY) {
    case BASICS: return basics();
    case FREE_TWICE: block = TEE_Malloc(8, 0), TEE_Free(block), TEE_Free(block); break;
    case FREE_WILD: TEE_Free((void *)(uintptr_t)0x123450); break;
    case FREE_STACK: TEE_Free(&on_stack); break;
    case FREE_INSIDE: block = TEE_Malloc(64, 0), TEE_Free(block + 16); break;
    case RESIZE_FREED: block = TEE_Malloc(8, 0), TEE_Free(block), block = TEE_Realloc(block, 9); break;
    case FILL_UP: return fill_up();
    case HEAD_OVERRUN: return heads(false);
    case FREED_OVERRUN: return heads(true);
    case RIGHTS: return rights(params);
    case FUNCTIONS: return functions();
    case CHURN: return churn(params[0].value.a);
    case C_LIBRARY: return c_library();
    case LEAK: TEE_SetInstanceData(TEE_Malloc(123, 0)); return TEE_SUCCESS;
    case LARGE: NEED(TEE_Malloc(SIZE_MAX, 0) == NULL && TEE_Malloc(SIZE_MAX - 8, 0) == NULL); return TEE_SUCCESS;
    default: return TEE_ERROR_NOT_SUPPORTED;
    }
    return TEE_SUCCESS;
}

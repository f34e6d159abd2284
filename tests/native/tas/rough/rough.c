/* Does on request what no application should: its host has to end it, and nobody else may notice. */
#include "rough.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <trace.h>

static int calls;
static int begun = 40;
static int constructed;
static const char text[] = "constant";
static volatile uint32_t sink;
static uint32_t armed;

__attribute__((constructor)) static void construct(void)
{
    constructed = begun + 1;
}

TEE_Result TA_CreateEntryPoint(void)
{
    return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
    if (armed == 2)
        TEE_Panic(0xD);
}

/* Refuses with the result in parameter 0, and panics for 1 in parameter 0's b. */
TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param params[4], void **session)
{
    *session = &calls;
    if (TEE_PARAM_TYPE_GET(types, 0) != TEE_PARAM_TYPE_VALUE_INOUT)
        return TEE_SUCCESS;
    if (params[0].value.b == 1)
        TEE_Panic(0x77);
    params[0].value.b = 0x1001;
    return params[0].value.a;
}

void TA_CloseSessionEntryPoint(void *session)
{
    if (session != &calls || armed == 1)
        TEE_Panic(1);
}

static long raw_call(long number, long first, long second, long third)
{
#if defined(__x86_64__)
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
    return result;
#else
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = first;
    register long x1 __asm__("x1") = second;
    register long x2 __asm__("x2") = third;

    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
#endif
}

static __attribute__((noinline)) uint32_t recurse(uint32_t depth)
{
    volatile uint8_t frame[1024];

    memset((void *)frame, (int)depth, sizeof(frame));
    return depth == 0 ? frame[7] : recurse(depth - 1) + frame[9];
}

static __attribute__((noinline)) void smash(uint32_t size)
{
    char small[16];
    volatile char *at = small;

    for (uint32_t i = 0; i < size; i++)
        at[i] = 'x';
    sink = (uint32_t)small[0];
}

static TEE_Result count(TEE_Param params[4])
{
    params[0].value.a = (uint32_t)++calls;
    params[0].value.b = (uint32_t)constructed;
    params[1].value.a = (uint32_t)begun++;
    return TEE_SUCCESS;
}

static TEE_Result echo(TEE_Param params[4])
{
    if (params[1].memref.size < params[0].memref.size) {
        params[1].memref.size = params[0].memref.size;
        return TEE_ERROR_SHORT_BUFFER;
    }
    memcpy(params[1].memref.buffer, params[0].memref.buffer, params[0].memref.size);
    params[1].memref.size = params[0].memref.size;
    return TEE_SUCCESS;
}

static TEE_Result types_and_sizes(uint32_t types, TEE_Param params[4])
{
    params[3].value.a = types;
    params[3].value.b = (params[0].memref.buffer == NULL ? 1u : 0u) | (params[1].memref.buffer == NULL ? 2u : 0u) |
                        ((uint32_t)params[0].memref.size << 8) | ((uint32_t)params[1].memref.size << 20);
    return TEE_SUCCESS;
}

static int compare(const void *one, const void *other)
{
    return *(const int *)one < *(const int *)other ? -1 : *(const int *)one > *(const int *)other;
}

static TEE_Result sort(uint32_t count)
{
    int *numbers = TEE_Malloc(count * sizeof(int), 0), read = 0;
    char text[400];
    char *end;

    if (numbers == NULL)
        return TEE_ERROR_OUT_OF_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = (int)(i * 7919 % count);
    qsort(numbers, count, sizeof(int), compare);
    for (uint32_t i = 1; i < count; i++)
        if (numbers[i - 1] > numbers[i])
            return TEE_ERROR_GENERIC;
    TEE_Free(numbers);
    if (snprintf(text, sizeof(text), "%.300f", 1.0 / 3) != 302 || sscanf("41 42", "%*d %d", &read) != 1 || read != 42)
        return TEE_ERROR_GENERIC;
    return strtoul("0x1f", &end, 16) == 31 && *end == 0 ? TEE_SUCCESS : TEE_ERROR_GENERIC;
}

void *__memcpy_chk(void *to, const void *from, size_t size, size_t room);

static TEE_Result keep(TEE_Param params[4])
{
    const void *before = TEE_GetInstanceData();

    TEE_SetInstanceData((void *)(uintptr_t)params[0].value.a);
    params[0].value.a = (uint32_t)(uintptr_t)before;
    return TEE_SUCCESS;
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t command, uint32_t types, TEE_Param params[4])
{
    uint64_t number = (uint64_t)params[0].value.a << 32 | params[0].value.b;

    if (session != &calls)
        TEE_Panic(2);
    switch (command) {
    case COUNT: return count(params);
    case RESULT: return params[0].value.a;
    case ECHO: return echo(params);
    case PANIC: TEE_Panic(params[0].value.a); break;
    case WRITE_NULL: *(volatile int *)0 = 1; break;
    case WRITE_WILD: *(volatile int *)(uintptr_t)number = 1; break;
    case RECURSE: params[0].value.a = recurse(params[0].value.a); return TEE_SUCCESS;
    case LOOP:
        for (;;)
            sink++;
    case RAW_CALL: {
        long result = raw_call((long)params[0].value.a, (long)(int32_t)params[1].value.a, (long)params[1].value.b,
                               (long)params[0].value.b);

        params[2].value.a = (uint32_t)result;
        return TEE_SUCCESS;
    }
    case SPEAK:
        raw_call(SYS_write, (long)params[1].value.a, (long)(uintptr_t)params[0].memref.buffer,
                 (long)params[0].memref.size);
        return TEE_SUCCESS;
    case WRITE_INPUT:
        memset(params[0].memref.buffer, 0xEE, params[0].memref.size);
        params[0].memref.size = 1;
        params[1].value.a = params[1].value.b = 0xEEEEEEEE;
        return TEE_SUCCESS;
    case SAY_SIZE:
        params[0].memref.size = params[1].value.b;
        return params[1].value.a;
    case MOVE_BUFFER:
        params[0].memref.buffer = (void *)(uintptr_t)0x1000;
        return TEE_SUCCESS;
    case SMASH: smash(params[0].value.a); return TEE_SUCCESS;
    case ASSERT: assert(params[0].value.a == 99); break;
    case ABORT: abort();
    case TRACE:
        for (uint32_t i = 0; i < params[0].value.a; i++)
            IMSG("line %u of %s", i, text);
        printf("printed %d\n", 7);
        return TEE_SUCCESS;
    case OVERRUN:
        memset(params[0].memref.buffer, 0xEE, params[0].memref.size + params[1].value.a);
        return TEE_SUCCESS;
    case ARM: armed = params[0].value.a; return TEE_SUCCESS;
    case SORT: return sort(params[0].value.a);
    case FORTIFIED: __memcpy_chk((void *)(uintptr_t)&sink, text, params[0].value.a, sizeof(sink)); return TEE_SUCCESS;
    case TYPES: return types_and_sizes(types, params);
    case KEEP: return keep(params);
    case READ_CODE: params[0].value.a = *(const volatile uint8_t *)(uintptr_t)&recurse != 0; return TEE_SUCCESS;
    case WRITE_CODE: *(volatile uint8_t *)(uintptr_t)&recurse = 0; break;
    case FLOATS: {
        double half = (double)params[0].value.a / 2;

        params[0].value.a = (uint32_t)(half * 10);
        return TEE_SUCCESS;
    }
    default: return memory_command(command, params);
    }
    return TEE_ERROR_GENERIC;
}

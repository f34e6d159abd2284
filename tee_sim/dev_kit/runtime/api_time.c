/* TEE Internal Core API 1.3.1, sections 4.10 and 7: cancellation and time. */
#include <time.h>

#include "api_words.h"
#include "functions.h"
#include "host.h"
#include "panic.h"
#include "runtime.h"

#define MOST_WAIT_MS 60000u /* of one question: tee_sim.shared.limits.MAX_WAIT_MS */

static void got_time(TEE_Time *time)
{
    time->seconds = (uint32_t)got_u64();
    time->millis = (uint32_t)got_u64();
}

static void ask_time(uint32_t function, TEE_Time *time)
{
    ask_begin(function);
    NEED_OUT(time);
    ask_send();
    got_time(time);
}

void TEE_GetSystemTime(TEE_Time *time)
{
    ask_time(FUNCTION_GET_SYSTEM_TIME, time);
}

void TEE_GetREETime(TEE_Time *time)
{
    ask_time(FUNCTION_GET_REE_TIME, time);
}

TEE_Result TEE_GetTAPersistentTime(TEE_Time *time)
{
    TEE_Result result;

    ask_begin(FUNCTION_GET_TA_PERSISTENT_TIME);
    NEED_OUT(time);
    result = ask_send();
    if (result == TEE_SUCCESS || result == TEE_ERROR_TIME_NEEDS_RESET || result == TEE_ERROR_OVERFLOW)
        got_time(time);
    return result;
}

TEE_Result TEE_SetTAPersistentTime(const TEE_Time *time)
{
    ask_begin(FUNCTION_SET_TA_PERSISTENT_TIME);
    need_access(time, sizeof(*time), MEMORY_READ);
    ask_u64(time->seconds);
    ask_u64(time->millis);
    return ask_send();
}

/* What the core says of the client's wish, after at most this time. */
enum look { NOBODY_SAYS, GOES_ON, CANCELLED };

static enum look look(uint32_t function, uint32_t timeout_ms)
{
    ask_begin_question(QUESTION_LOOK, function);
    ask_u64(timeout_ms);
    if (ask_send() != TEE_SUCCESS)
        host_fail();
    if (got_is_null())
        return NOBODY_SAYS;
    return got_bool() ? CANCELLED : GOES_ON;
}

static void sleep_ms(uint32_t ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L};

    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) != 0)
        ; /* a signal: the rest of it */
}

TEE_Result TEE_Wait(uint32_t timeout)
{
    bool endless = timeout == TEE_TIMEOUT_INFINITE;

    do {
        uint32_t part = timeout < MOST_WAIT_MS ? timeout : MOST_WAIT_MS;

        switch (look(FUNCTION_WAIT, part)) {
        case CANCELLED:
            return TEE_ERROR_CANCEL;
        case NOBODY_SAYS:
            sleep_ms(part);
            break;
        case GOES_ON:
            break;
        }
        if (!endless)
            timeout -= part;
    } while (timeout > 0); /* for ever: the deadline of the call ends it */
    return TEE_SUCCESS;
}

bool TEE_GetCancellationFlag(void)
{
    return look(FUNCTION_GET_CANCELLATION_FLAG, 0) == CANCELLED;
}

static bool set_mask(uint32_t function, bool masked)
{
    ask_begin_question(QUESTION_MASK, function);
    ask_bool(masked);
    if (ask_send() != TEE_SUCCESS)
        host_fail();
    return got_bool();
}

bool TEE_UnmaskCancellation(void)
{
    return set_mask(FUNCTION_UNMASK_CANCELLATION, false);
}

bool TEE_MaskCancellation(void)
{
    return set_mask(FUNCTION_MASK_CANCELLATION, true);
}

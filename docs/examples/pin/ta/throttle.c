#include "throttle.h"

#define BASE_MS 30000u
#define DAY_MS 86400000u

uint32_t throttle_wait_ms(uint32_t failures)
{
    if (failures == 0 || (failures <= 10 && failures % 5 != 0)) {
        return 0;
    }
    if (failures < 30) {
        return BASE_MS;
    }
    if (failures >= 140) {
        return DAY_MS;
    }
    return BASE_MS << ((failures - 30) / 10);
}

uint64_t throttle_now_ms(void)
{
    TEE_Time now;

    TEE_GetSystemTime(&now);
    return (uint64_t)now.seconds * 1000 + now.millis;
}

uint32_t throttle_left_ms(uint32_t failures, uint64_t *since_ms, uint64_t now_ms)
{
    uint32_t wait = throttle_wait_ms(failures);

    if (now_ms < *since_ms) {
        *since_ms = now_ms;
    }
    if (now_ms - *since_ms >= wait) {
        return 0;
    }
    return wait - (uint32_t)(now_ms - *since_ms);
}

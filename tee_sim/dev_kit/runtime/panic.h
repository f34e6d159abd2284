/* Ways out of a TA beside TEE_Panic. */
#ifndef TEE_SIM_PANIC_H
#define TEE_SIM_PANIC_H

#include <stdint.h>

/* tee_panic, with words for the report of the debug profile. */
_Noreturn void panic_because(uint32_t code, const char *why);

#endif

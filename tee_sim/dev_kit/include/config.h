/* Ask whether a CFG_ variable of the Makefile is y: IS_ENABLED(CFG_X) is 1 or 0, in C and after #if. */
#ifndef CONFIG_H
#define CONFIG_H

/* what is defined as 1 becomes a comma and a 1, so that 1 is the second argument; anything else leaves the 0 there */
#define IS_ENABLED(config) CONFIG_IS_ONE(config)
#define CONFIG_IS_ONE(value) CONFIG_SECOND_OF(CONFIG_COMMA_##value)
#define CONFIG_SECOND_OF(commas) CONFIG_SECOND(commas 1, 0, 0)
#define CONFIG_SECOND(first, second, ...) second
#define CONFIG_COMMA_1 0,

#endif

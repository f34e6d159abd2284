global-incdirs-y += .
srcs-y += dice.c

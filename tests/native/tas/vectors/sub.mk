global-incdirs-y += .
srcs-y += vectors.c given.c

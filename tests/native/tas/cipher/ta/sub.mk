global-incdirs-y += .
srcs-y += cipher.c

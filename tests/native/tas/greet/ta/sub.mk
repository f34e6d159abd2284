global-incdirs-y += .
srcs-y += greet.c

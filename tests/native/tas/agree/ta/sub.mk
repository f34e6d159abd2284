global-incdirs-y += .
srcs-y += agree.c

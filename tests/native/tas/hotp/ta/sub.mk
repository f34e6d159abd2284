global-incdirs-y += .
srcs-y += hotp.c

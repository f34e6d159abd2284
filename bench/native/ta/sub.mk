srcs-y += timed.c

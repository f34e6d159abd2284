srcs-y += fetch.c

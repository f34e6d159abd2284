srcs-y += called.c

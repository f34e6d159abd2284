srcs-y += relay.c

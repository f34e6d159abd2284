srcs-y += parrot.c

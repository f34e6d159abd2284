srcs-y += rough.c
srcs-y += memory.c

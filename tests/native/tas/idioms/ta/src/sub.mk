incdirs-y += inner
srcs-y += lists.c
cflags-y += -Wno-sign-compare

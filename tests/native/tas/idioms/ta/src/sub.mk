CFG_IDIOMS_BELOW ?= 5
incdirs-y += inner
srcs-y += lists.c
cflags-y += -Wno-sign-compare

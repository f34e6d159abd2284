cflags-y += -Wno-unused-parameter
srcs-y += entry.c
srcs-y += token.c
srcs-y += objects.c
srcs-y += sessions.c

srcs-y += liar.c
srcs-y += calls.c
srcs-y += places.c

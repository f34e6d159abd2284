srcs-y += arith.c

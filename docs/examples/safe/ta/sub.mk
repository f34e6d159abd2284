global-incdirs-y += include
srcs-y += safe_ta.c

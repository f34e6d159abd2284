global-incdirs-y += include
srcs-y += pin_ta.c
srcs-y += records.c
srcs-y += throttle.c

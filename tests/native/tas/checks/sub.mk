# Every file of checks in this folder: adding one is enough.
global-incdirs-y += .
srcs-y += $(sort $(wildcard *.c))

global-incdirs-y += .
subdirs-y += src

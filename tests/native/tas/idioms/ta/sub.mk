CFG_IDIOMS_IN_SUB ?= y

global-incdirs-y += .
srcs-y += idioms.c
subdirs-y += src
srcs-$(CFG_IDIOMS_NO) += there_is_no_such_file.c
srcs-$(CFG_IDIOMS_UNSET) += nor_this_one.c
cflags-idioms.c-y += -Wno-unused-macros
cppflags-y += -DIDIOMS_TOP=1

define idioms_table
gensrcs-y += table-$(1)
produce-table-$(1) = $(1).c
depends-table-$(1) = $(2)
recipe-table-$(1) = sed 's/^/const char idioms_$(1)[] = "/;s/$$$$/";/' $(2) > $(sub-dir-out)/$(1).c
cleanfiles += $(sub-dir-out)/$(1).c
endef

$(eval $(call idioms_table,word,word.txt))

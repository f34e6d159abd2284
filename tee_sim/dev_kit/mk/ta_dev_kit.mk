# Builds a trusted application from its own Makefile: $(BINARY).ta, an ELF shared object that tee_sim loads.
#
# The Makefile sets BINARY (the UUID) and includes this file; sub.mk beside it, or the Makefile, names the sources:
#
#   srcs-y, subdirs-y, subdirs_ext-y           sources, and folders with a sub.mk of their own
#   global-incdirs-y, incdirs-y                folders of headers, for all sources or for those of this folder
#   cflags-y, cppflags-y, cflags-remove-y      flags for the sources of this folder; cflags-FILE-y etc. for one of them
#   libnames, libdirs, libdeps                 static libraries to link
#   gensrcs-y, recipe-NAME, produce-NAME       sources that a command makes; depends-NAME
#   CFG_...                                    y or n or a value; C sees them all
#   CFG_TA_OPTEE_CORE_API_COMPAT_1_1=y         the API of version 1.1, with 32-bit sizes
#   CFG_TEE_TA_LOG_LEVEL                       which messages of trace.h are compiled, 0 to 4; default 2
#   CFG_TA_ASAN=y, CFG_TA_COVERAGE=y           as -fsanitize=address and --coverage in CFLAGS: for unlocked runs
#   CFG_TA_DOUBLE_FETCH=y                      what is read twice of an input changes in between (docs/gp-api.md)
#   CFG_WERROR=y                               warnings are errors
#   O                                          the folder for what is made; default: the current one
#   CC, CROSS_COMPILE                          the compiler, or its prefix: aarch64-linux-gnu-
#   CFLAGS, CPPFLAGS, LDFLAGS                  flags for all sources, for the link
#
# LIBNAME instead of BINARY makes a static library lib$(LIBNAME).a of the same variables.

ta-dev-kit-dir := $(patsubst %/mk/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
sm := ta

.PHONY: all clean
all:

ifdef SHLIBNAME
$(error SHLIBNAME: shared libraries of trusted applications are not supported; build it with LIBNAME as a static one)
endif
ifeq ($(strip $(BINARY)$(LIBNAME)),)
$(error set BINARY to the UUID of the trusted application, or LIBNAME to the name of a library)
endif

O ?= .
out-dir := $(patsubst %/,%,$(O))
link-out-dir := $(out-dir)

# Tools. A CC of the caller wins, with a --target if it is clang; else the prefix says which gcc
ifeq ($(COMPILER),clang)
CC := clang
endif
ifneq ($(filter default undefined,$(origin CC)),)
CC := $(if $(CROSS_COMPILE),$(CROSS_COMPILE)gcc,cc)
endif
ifneq ($(filter default undefined,$(origin AR)),)
AR := $(CROSS_COMPILE)ar
endif
ta-cc-version := $(shell $(CC) --version 2>/dev/null)
ifeq ($(ta-cc-version),)
$(error there is no compiler $(CC); install one, or name another with CC=)
endif
ta-triplet := $(patsubst %-,%,$(notdir $(CROSS_COMPILE)))
ta-target := $(if $(findstring clang,$(ta-cc-version)),$(addprefix --target=,$(ta-triplet)))
ta-machine := $(firstword $(subst -, ,$(shell $(CC) $(ta-target) -dumpmachine)))

CFG_TEE_TA_LOG_LEVEL ?= 2
CFG_TA_OPTIMIZATION ?= $(if $(filter 1,$(DEBUG)),0,$(if $(filter y,$(CFG_TA_ASAN) $(CFG_TA_COVERAGE)),1,2))

# Not -Werror of our own: what a newer compiler warns about must not end a build
ta-cflags := -std=gnu11 -O$(CFG_TA_OPTIMIZATION) -g -Wall -fPIC -fno-common -fno-strict-aliasing \
	-fstack-protector-strong -ffunction-sections -fdata-sections
# as inline instructions: the functions that they would call ask the C library which processor this is
ta-cflags += $(if $(filter aarch64,$(ta-machine)),-mno-outline-atomics)
ta-cflags += $(if $(filter y,$(CFG_WERROR)),-Werror)
ta-cflags += $(if $(filter y,$(CFG_TA_ASAN)),-fsanitize=address -fno-omit-frame-pointer)
ta-cflags += $(if $(filter y,$(CFG_TA_COVERAGE)),--coverage)
# For the compiler alone: the runtime has the functions that its calls are to
ta-instrument := $(if $(filter y,$(CFG_TA_DOUBLE_FETCH)),-fsanitize=thread)
# Without __NO_INLINE__ glibc makes a putchar into a putc to stdout, where no --wrap finds it
ta-cppflags := -I. -I$(ta-dev-kit-dir)/include -DTRACE_LEVEL=$(CFG_TEE_TA_LOG_LEVEL) -U__NO_INLINE__ -D__NO_INLINE__
ifeq ($(CFG_TA_OPTEE_CORE_API_COMPAT_1_1),y)
ta-cppflags += -D__OPTEE_CORE_API_COMPAT_1_1=1
endif

# The sources, folder by folder: what a sub.mk says is forgotten before the next one is read
ta-words := srcs subdirs subdirs_ext global-incdirs incdirs incdirs_ext global-incdirs_ext cflags cppflags aflags \
	cflags-remove cppflags-remove gensrcs
ta-objects :=
ta-made :=
ta-includes :=
ta-link-flags :=
ta-folder-includes = $(foreach folder,$(2),-I$(if $(filter /%,$(folder)),$(folder),$(1)/$(folder)))
# as gcc names what belongs to an object, so that gcov finds it by the name of the source
ta-object-of = $(basename $(out-dir)/$(subst ../,__/,$(patsubst ./%,%,$(patsubst /%,root/%,$(1))))).o

define ta-compile
$(if $(filter %.cpp %.cc %.cxx %.C,$(1)),$$(error $(1): applications in C++ are not supported))
ta-objects += $(call ta-object-of,$(1))
$(call ta-object-of,$(1)): ta-source := $(1)
$(call ta-object-of,$(1)): ta-own-cppflags := $(ta-here-includes) $(cppflags-y) $(cppflags-$(2)-y)
$(call ta-object-of,$(1)): ta-own-cppflags += $(call ta-folder-includes,$(sub-dir),$(incdirs-$(2)-y))
$(call ta-object-of,$(1)): ta-own-cflags := $(cflags-y) $(aflags-y) $(cflags-$(2)-y) $(aflags-$(2)-y)
$(call ta-object-of,$(1)): ta-removed := $(cflags-remove-y) $(cppflags-remove-y)
$(call ta-object-of,$(1)): ta-removed += $(cflags-remove-$(2)-y) $(cppflags-remove-$(2)-y)
$(call ta-object-of,$(1)): $(1) $(out-dir)/.tee_sim_flags $(out-dir)/.tee_sim_config.h
endef

# A recipe is expanded when it runs, since it names $@; by then sub-dir is that of the last folder
define ta-generate
$(out-dir)/$(sub-dir)/$(or $(produce-$(1)),$(1)): sub-dir := $(sub-dir)
$(out-dir)/$(sub-dir)/$(or $(produce-$(1)),$(1)): sub-dir-out := $(sub-dir-out)
$(out-dir)/$(sub-dir)/$(or $(produce-$(1)),$(1)): $(foreach name,$(depends-$(1)),$(call ta-path,$(sub-dir),$(name)))
	@mkdir -p $$(dir $$@)
	$$(or $$(recipe-$(1)),$$(gensrc-$(1)))
ta-made += $(out-dir)/$(sub-dir)/$(or $(produce-$(1)),$(1))
$(call ta-compile,$(out-dir)/$(sub-dir)/$(or $(produce-$(1)),$(1)),$(1))
endef

define ta-folder
ta-includes += $(call ta-folder-includes,$(sub-dir),$(global-incdirs-y)) $(addprefix -I,$(global-incdirs_ext-y))
ta-link-flags += $(filter -fsanitize=% --coverage -fprofile-% -ftest-coverage -flto%,$(cflags-y))
ta-here-includes := $(call ta-folder-includes,$(sub-dir),$(incdirs-y)) $(addprefix -I,$(incdirs_ext-y))
endef

ta-file-words = $(foreach source,$(srcs-y) $(gensrcs-y),$(foreach word,cflags cppflags aflags cflags-remove \
	cppflags-remove incdirs,$(word)-$(source)-y))
ta-path = $(if $(filter /%,$(2)),$(2),$(if $(filter .,$(1)),$(2),$(1)/$(2)))

define ta-read
sub-dir := $(1)
sub-dir-out := $(out-dir)/$(1)
$(if $(2),$(foreach word,$(ta-words),$(eval undefine $(word)-y)))
$(if $(wildcard $(1)/sub.mk),include $(1)/sub.mk,$(if $(2),$$(error there is no $(1)/sub.mk)))
endef

define ta-visit
$(eval $(call ta-read,$(1),$(2)))
$(eval $(ta-folder))
$(foreach source,$(srcs-y),$(eval $(call ta-compile,$(call ta-path,$(1),$(source)),$(source))))
$(foreach name,$(gensrcs-y),$(eval $(call ta-generate,$(name))))
$(foreach name,$(ta-file-words),$(eval undefine $(name)))
$(foreach folder,$(foreach name,$(subdirs-y),$(call ta-path,$(1),$(name))) $(subdirs_ext-y),\
	$(call ta-visit,$(folder),below))
endef

$(call ta-visit,.,)

# Every CFG_ variable that is set, also by a sub.mk, for C: y is 1, n is none. What -D defines stays as it is
ta-config := $(sort $(filter CFG_%,$(.VARIABLES)))
ta-config-value = $(subst ",\",$(strip $($(1))))
ta-config-flags := $(foreach name,$(ta-config),$(if $(filter-out n,$(call ta-config-value,$(name))),$(name)))

ifeq ($(strip $(ta-objects)),)
$(error there are no sources: name them in sub.mk, for instance: srcs-y += main.c)
endif

ifdef BINARY
# Of the kit's own, compiled with nothing but what every source gets. Not for optimization by the linker: what it wraps
# it takes for unused there, and calls address 0
define ta-kit-compile
ta-objects += $(out-dir)/kit_$(1).o
$(out-dir)/kit_$(1).o: ta-source := $(ta-dev-kit-dir)/ta/$(1).c
$(out-dir)/kit_$(1).o: ta-own-cflags := -fno-lto
$(out-dir)/kit_$(1).o: ta-removed := --coverage -fprofile-arcs -ftest-coverage
$(out-dir)/kit_$(1).o: $(ta-dev-kit-dir)/ta/$(1).c $(out-dir)/.tee_sim_flags $(out-dir)/.tee_sim_config.h
endef
$(eval $(call ta-kit-compile,head))
ta-is-clang := $(findstring clang,$(ta-cc-version))
ta-covered := $(filter --coverage -fprofile-arcs -ftest-coverage,$(ta-cflags) $(CFLAGS) $(ta-link-flags))
ifneq ($(ta-covered),)
$(out-dir)/kit_head.o $(out-dir)/kit_libc.o: ta-own-cppflags += -DTA_COVERED $(if $(ta-is-clang),-DTA_CLANG_COVERAGE)
endif
$(eval $(call ta-kit-compile,libc))
endif

ta-all-flags = $(ta-target) $(ta-cppflags) $(ta-includes) $(CPPFLAGS) -include $(out-dir)/.tee_sim_config.h \
	$(ta-own-cppflags) $(ta-cflags) $(ta-instrument) $(CFLAGS) $(ta-own-cflags)

$(ta-objects): $(filter-out %.d,$(MAKEFILE_LIST))
	@mkdir -p $(dir $@)
	$(ta-say) '  CC      $(patsubst $(ta-dev-kit-dir)/%,%,$(ta-source))'
	$(ta-quiet)$(CC) $(filter-out $(ta-removed),$(ta-all-flags)) -MD -MP -MF $(@:.o=.d) -c -o $@ $(ta-source)

# Objects of other flags, of another compiler or another machine are made anew. Written only if it changed
ta-state := $(CC) $(ta-cc-version) $(ta-all-flags) $(LDFLAGS) $(libnames) $(libdirs)
ta-quiet := $(if $(filter 1,$(V)),,@)
ta-say := $(if $(findstring s,$(filter-out --%,$(firstword $(MAKEFLAGS)))),@:,@echo)
.PHONY: ta-force
$(out-dir)/.tee_sim_flags: ta-force
	@mkdir -p $(out-dir)
	@printf '%s\n' '$(subst ','\'',$(ta-state))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(ta-state))' > $@

$(out-dir)/.tee_sim_config.h: ta-force
	@mkdir -p $(out-dir)
	@{ $(foreach name,$(ta-config-flags),printf '#ifndef %s\n#define %s %s\n#endif\n' $(name) $(name) \
		'$(subst ','\'',$(if $(filter y,$(strip $($(name)))),1,$(strip $($(name)))))';) :; } > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

ifdef LIBNAME
ta-result := $(out-dir)/lib$(LIBNAME).a
$(ta-result): $(ta-objects)
	$(ta-say) '  AR      $@'
	$(ta-quiet)rm -f $@ && $(AR) rcs $@ $(ta-objects)
endif

ifdef BINARY
# What a C library would do outside of the application goes to the runtime, or to libc.c: the heap has TA_DATA_SIZE
# bytes, text is a message, and the end of the process a panic. A sanitizer watches over a heap of its own
ta-sanitized := $(filter -fsanitize=%,$(ta-cflags) $(CFLAGS) $(ta-link-flags))
# clang keeps its own sanitizer in a folder that no loader looks into: the application says where
ta-clang-asan-names := libclang_rt.asan-$(ta-machine).so libclang_rt.asan.so
ta-clang-asan := $(if $(findstring clang,$(ta-cc-version)),$(if $(findstring address,$(ta-sanitized)),$(firstword \
	$(filter /%,$(foreach name,$(ta-clang-asan-names),$(shell $(CC) $(ta-target) -print-file-name=$(name)))))))
ta-cppflags += $(if $(ta-clang-asan),-DTA_SANITIZER='"$(ta-clang-asan)"')
ta-link-flags += $(if $(ta-clang-asan),-shared-libasan)
ta-heap := $(if $(ta-sanitized),,malloc calloc realloc free strdup strndup)
ta-copies := $(if $(ta-instrument),memcpy memmove memcmp)
ta-wrapped := $(ta-heap) $(ta-copies) printf vprintf puts putchar __printf_chk __vprintf_chk abort exit __assert_fail
ta-result := $(out-dir)/$(BINARY).ta
ta-link = -shared -nostartfiles $(ta-target) -Wl,-T,$(ta-dev-kit-dir)/ta/ta.ld \
	-Wl,--version-script=$(ta-dev-kit-dir)/ta/ta.map -Wl,-Bsymbolic -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack \
	-Wl,-z,text -Wl,--build-id=none -Wl,--gc-sections -Wl,--hash-style=both \
	$(addprefix -Wl$(ta-comma)--wrap=,$(ta-wrapped)) \
	$(filter -fsanitize=% --coverage -fprofile-% -flto%,$(ta-cflags) $(CFLAGS)) $(ta-link-flags) $(LDFLAGS)
ta-comma := ,
$(ta-result): $(ta-objects) $(libdeps) $(ta-dev-kit-dir)/ta/ta.ld $(ta-dev-kit-dir)/ta/ta.map
	$(ta-say) '  LD      $@'
	$(ta-quiet)$(CC) $(ta-link) -o $@ $(ta-objects) $(addprefix -L,$(libdirs)) \
		-Wl,--start-group $(addprefix -l,$(libnames)) $(libdeps) -Wl,--end-group
endif

all: $(ta-result)

clean:
	$(ta-say) '  CLEAN   $(out-dir)'
	@rm -f $(ta-result) $(ta-objects) $(ta-objects:.o=.d) $(ta-objects:.o=.gcno) $(ta-objects:.o=.gcda) $(ta-made) \
		$(out-dir)/.tee_sim_flags $(out-dir)/.tee_sim_config.h

-include $(ta-objects:.o=.d)

/* The head of an application, made of its own user_ta_header_defines.h; compiled into each by ta_dev_kit.mk. */
#include <user_ta_header.h>

#include <user_ta_header_defines.h>

#ifndef TA_UUID
#error "user_ta_header_defines.h has to define TA_UUID"
#endif
#ifndef TA_FLAGS
#error "user_ta_header_defines.h has to define TA_FLAGS"
#endif
#ifndef TA_STACK_SIZE
#error "user_ta_header_defines.h has to define TA_STACK_SIZE, in bytes"
#endif
#ifndef TA_DATA_SIZE
#error "user_ta_header_defines.h has to define TA_DATA_SIZE, in bytes"
#endif
#ifndef TA_VERSION
#define TA_VERSION ""
#endif
#ifndef TA_DESCRIPTION
#define TA_DESCRIPTION ""
#endif

/* What writes the counters has its buffers on the same heap */
#ifdef TA_COVERED
#define COVERAGE_BYTES (4 << 20)
#else
#define COVERAGE_BYTES 0
#endif

_Static_assert(sizeof(void *) == 8, "only machines with 64-bit pointers are built for");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "only little-endian machines are built for");

#ifdef TA_CURRENT_TA_EXT_PROPERTIES
static const struct user_ta_property own_properties[] = {TA_CURRENT_TA_EXT_PROPERTIES};
#define PROPERTIES own_properties
#define PROPERTY_COUNT (sizeof(own_properties) / sizeof(own_properties[0]))
#else
#define PROPERTIES NULL
#define PROPERTY_COUNT 0
#endif

/* made by ta.ld of the sections that a C library would run before main */
extern const ta_constructor ta_constructors_start[] __attribute__((visibility("hidden")));
extern const ta_constructor ta_constructors_end[] __attribute__((visibility("hidden")));
extern const ta_constructor ta_destructors_start[] __attribute__((visibility("hidden")));
extern const ta_constructor ta_destructors_end[] __attribute__((visibility("hidden")));

extern const struct ta_head ta_head;

const struct ta_head ta_head __attribute__((used, visibility("default"))) = {
    .magic = TA_HEAD_MAGIC,
#ifdef __OPTEE_CORE_API_COMPAT_1_1
    .abi = TA_HEAD_ABI_1_1,
#else
    .abi = TA_HEAD_ABI_1_3,
#endif
    .flags = TA_FLAGS,
    .uuid = TA_UUID,
    .stack_bytes = TA_STACK_SIZE,
    .data_bytes = TA_DATA_SIZE + COVERAGE_BYTES,
    .version = TA_VERSION,
    .description = TA_DESCRIPTION,
    .properties = PROPERTIES,
    .property_count = PROPERTY_COUNT,
    .constructors = ta_constructors_start,
    .constructors_end = ta_constructors_end,
    .destructors = ta_destructors_start,
    .destructors_end = ta_destructors_end,
};

#ifdef TA_SANITIZER
/* for what starts unlocked applications, which finds it in the file between two zeros */
static const char sanitizer[] __attribute__((used, section(".ta_sanitizer"))) = "\0" TA_SANITIZER;
#endif

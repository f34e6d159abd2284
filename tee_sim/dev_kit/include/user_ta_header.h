/*
 * What an application says of itself in its user_ta_header_defines.h, and the head that the kit makes of it.
 *
 * TA_UUID, TA_FLAGS, TA_STACK_SIZE and TA_DATA_SIZE (bytes) are needed; TA_VERSION, TA_DESCRIPTION and
 * TA_CURRENT_TA_EXT_PROPERTIES are not. The head is what `tee_sim.shared.native.head` reads from the file.
 */
#ifndef USER_TA_HEADER_H
#define USER_TA_HEADER_H

#include <tee_api_types.h>
#include <util.h>

/* gpd.ta.singleInstance, multiSession and instanceKeepAlive of TEE Internal Core API 1.3.1, section 4.5 */
#define TA_FLAG_SINGLE_INSTANCE (1u << 2)
#define TA_FLAG_MULTI_SESSION (1u << 3)
#define TA_FLAG_INSTANCE_KEEP_ALIVE (1u << 4)

/* Names that say nothing any more, and wishes that mean nothing here: accepted, without effect */
#define TA_FLAG_USER_MODE 0u
#define TA_FLAG_EXEC_DDR 0u
#define TA_FLAG_REMAP_SUPPORT 0u
#define TA_FLAG_SECURE_DATA_PATH (1u << 5)
#define TA_FLAG_CACHE_MAINTENANCE (1u << 7)
#define TA_FLAG_CONCURRENT (1u << 8)
#define TA_FLAG_DEVICE_ENUM (1u << 9)
#define TA_FLAG_DEVICE_ENUM_SUPP (1u << 10)
#define TA_FLAG_DONT_CLOSE_HANDLE_ON_CORRUPT_OBJECT (1u << 11)
#define TA_FLAG_DEVICE_ENUM_TEE_STORAGE_PRIVATE (1u << 12)
#define TA_FLAG_INSTANCE_KEEP_CRASHED (1u << 13)

/* Names of properties, section 4.5 */
#define TA_PROP_STR_SINGLE_INSTANCE "gpd.ta.singleInstance"
#define TA_PROP_STR_MULTI_SESSION "gpd.ta.multiSession"
#define TA_PROP_STR_KEEP_ALIVE "gpd.ta.instanceKeepAlive"
#define TA_PROP_STR_DATA_SIZE "gpd.ta.dataSize"
#define TA_PROP_STR_STACK_SIZE "gpd.ta.stackSize"
#define TA_PROP_STR_VERSION "gpd.ta.version"
#define TA_PROP_STR_DESCRIPTION "gpd.ta.description"

/* Properties of the application's own. The value of a binary block is text in Base64 (section 4.4.6) */
enum user_ta_prop_type {
    USER_TA_PROP_TYPE_BOOL,
    USER_TA_PROP_TYPE_U32,
    USER_TA_PROP_TYPE_UUID,
    USER_TA_PROP_TYPE_IDENTITY,
    USER_TA_PROP_TYPE_STRING,
    USER_TA_PROP_TYPE_BINARY_BLOCK,
    USER_TA_PROP_TYPE_U64,
    USER_TA_PROP_TYPE_INVALID
};

struct user_ta_property {
    const char *name;
    enum user_ta_prop_type type;
    const void *value;
};

#define TA_HEAD_MAGIC "TSIMTA\0\1"
#define TA_HEAD_ABI_1_1 11u
#define TA_HEAD_ABI_1_3 13u

typedef void (*ta_constructor)(void);

/*
 * Exported as `ta_head`. Numbers are little-endian, and pointers have eight bytes: of all machines that the kit
 * builds for
 */
struct ta_head {
    char magic[8];
    uint32_t abi;
    uint32_t flags;
    TEE_UUID uuid;
    uint32_t stack_bytes;
    uint32_t data_bytes;
    const char *version;
    const char *description;
    const struct user_ta_property *properties;
    uint64_t property_count;
    const ta_constructor *constructors; /* run once an instance, before TA_CreateEntryPoint, in this order */
    const ta_constructor *constructors_end;
    const ta_constructor *destructors; /* run after TA_DestroyEntryPoint, last first */
    const ta_constructor *destructors_end;
};

#endif

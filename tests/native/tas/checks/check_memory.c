/* Memory functions: Internal Core API 1.3.1, section 4.11. */
#include "check.h"

CHECK(memory_malloc_is_zeroed_and_aligned)
{
    uint8_t *block = TEE_Malloc(1000, TEE_MALLOC_FILL_ZERO);

    EXPECT(block != NULL);
    EXPECT((uintptr_t)block % sizeof(uint64_t) == 0);
    for (int i = 0; i < 1000; i++) {
        EXPECT(block[i] == 0);
    }
    TEE_Free(block);
}

CHECK(memory_malloc_of_more_than_the_heap_is_null)
{
    EXPECT(TEE_Malloc(64 * 1024 * 1024, TEE_MALLOC_FILL_ZERO) == NULL);
}

CHECK(memory_free_of_null_does_nothing)
{
    TEE_Free(NULL);
}

CHECK(memory_freed_blocks_come_back)
{
    for (int i = 0; i < 1000; i++) {
        void *block = TEE_Malloc(64 * 1024, TEE_MALLOC_FILL_ZERO);

        EXPECT(block != NULL);
        TEE_Free(block);
    }
}

CHECK(memory_realloc_keeps_what_was_there)
{
    uint8_t *block = TEE_Malloc(16, TEE_MALLOC_FILL_ZERO);

    EXPECT(block != NULL);
    TEE_MemFill(block, 7, 16);
    block = TEE_Realloc(block, 4096);
    EXPECT(block != NULL);
    EXPECT(block[0] == 7 && block[15] == 7);
    block = TEE_Realloc(block, 8);
    EXPECT(block != NULL);
    EXPECT(block[7] == 7);
    TEE_Free(block);
}

CHECK(memory_realloc_of_null_is_malloc)
{
    void *block = TEE_Realloc(NULL, 32);

    EXPECT(block != NULL);
    TEE_Free(block);
}

CHECK(memory_move_overlaps)
{
    char text[] = "abcdef";

    TEE_MemMove(text + 1, text, 3);
    EXPECT_BYTES(text, "aabcef", 6);
    TEE_MemMove(text, text + 1, 3);
    EXPECT_BYTES(text, "abccef", 6);
}

CHECK(memory_compare_has_a_sign)
{
    EXPECT(TEE_MemCompare("abc", "abc", 3) == 0);
    EXPECT(TEE_MemCompare("abc", "abd", 3) < 0);
    EXPECT(TEE_MemCompare("\xff", "\x01", 1) > 0);
    EXPECT(TEE_MemCompare("a", "b", 0) == 0);
}

CHECK(memory_fill_fills_no_more_than_it_is_told)
{
    uint8_t bytes[4] = { 0 };

    TEE_MemFill(bytes, 0xab, 3);
    EXPECT(bytes[0] == 0xab && bytes[2] == 0xab && bytes[3] == 0);
}

CHECK(memory_access_rights_of_what_is_owned)
{
    uint32_t both = TEE_MEMORY_ACCESS_READ | TEE_MEMORY_ACCESS_WRITE;
    uint8_t local[16];
    void *block = TEE_Malloc(16, TEE_MALLOC_FILL_ZERO);

    EXPECT(block != NULL);
    EXPECT_OK(TEE_CheckMemoryAccessRights(both, local, sizeof local));
    EXPECT_OK(TEE_CheckMemoryAccessRights(both, block, 16));
    EXPECT_OK(TEE_CheckMemoryAccessRights(TEE_MEMORY_ACCESS_READ, "constant", 8));
    TEE_Free(block);
}

CHECK(memory_access_rights_of_nothing)
{
    EXPECT_RESULT(TEE_CheckMemoryAccessRights(TEE_MEMORY_ACCESS_READ, (void *)16, 16), TEE_ERROR_ACCESS_DENIED);
    EXPECT_OK(TEE_CheckMemoryAccessRights(TEE_MEMORY_ACCESS_READ, NULL, 0));
}

CHECK(memory_instance_data_is_kept)
{
    static int value;

    TEE_SetInstanceData(&value);
    EXPECT(TEE_GetInstanceData() == &value);
    TEE_SetInstanceData(NULL);
    EXPECT(TEE_GetInstanceData() == NULL);
}

PANICS(memory_panic_ends_the_instance)
{
    TEE_Panic(0x1234);
}

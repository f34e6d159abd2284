/* TEE Internal Core API 1.3.1, section 6.9: random bytes, of the generator that keys are made of. */
#include "api_crypto.h"

#define RANDOM_BYTES ((size_t)64 << 10) /* of one question: tee_sim/secure/hosts/questions.py */

void TEE_GenerateRandom(void *randomBuffer, size_t randomBufferLen)
{
    for (size_t done = 0; done < randomBufferLen;) {
        size_t left = randomBufferLen - done, size = left < RANDOM_BYTES ? left : RANDOM_BYTES;
        TEE_Result result;

        if (done > 0)
            call_count--; /* one call, however many questions */
        ask_begin_question(QUESTION_RANDOM, FUNCTION_GENERATE_RANDOM);
        need_access(randomBuffer, randomBufferLen, MEMORY_WRITE);
        ask_u64(size);
        ask_bool(false); /* not the kernel's, where the device is seeded */
        result = ask_send();
        if (result != TEE_SUCCESS)
            tee_panic(result);
        got_into((uint8_t *)randomBuffer + done, &size);
        done += size;
    }
}

/* Variants of the cylinder kernel and the choice between them. */
#include "describe.h"

#include <math.h>

#define TARGET
#define VARIANT(name) name##_portable
#include "describe_body.h"
#undef TARGET
#undef VARIANT

#if defined(__x86_64__)
#define TARGET __attribute__((target("avx2")))
#define VARIANT(name) name##_avx2
#include "describe_body.h"
#undef TARGET
#undef VARIANT
#endif

void fd_describe(const fd_shape *shape, const float *points, int n, float *out)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) {
        describe_avx2(shape, points, n, out);
        return;
    }
#endif
    describe_portable(shape, points, n, out);
}

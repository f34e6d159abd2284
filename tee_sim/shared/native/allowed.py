"""Functions that a native application may ask others for: those of its runtime, and pure ones of the C library."""

from typing import Final

from tee_sim.shared.gp_functions import Function


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


C_LIBRARY: Final = _words(
    """
    memccpy memchr memcmp memcpy memmem memmove mempcpy memrchr memset explicit_bzero bcmp bzero rawmemchr
    __memcpy_chk __memmove_chk __mempcpy_chk __memset_chk __explicit_bzero_chk
    stpcpy stpncpy strcasecmp strcasestr strcat strchr strchrnul strcmp strcpy strcspn strlen strncasecmp strncat
    strncmp strncpy strnlen strpbrk strrchr strsep strspn strstr strtok strtok_r strverscmp
    __stpcpy_chk __stpncpy_chk __strcat_chk __strcpy_chk __strncat_chk __strncpy_chk __strtok_r __rawmemchr
    atoi atol atoll strtol strtoll strtoul strtoull strtoimax strtoumax
    __isoc23_strtol __isoc23_strtoll __isoc23_strtoul __isoc23_strtoull __isoc23_strtoimax __isoc23_strtoumax
    snprintf sprintf vsnprintf vsprintf __snprintf_chk __sprintf_chk __vsnprintf_chk __vsprintf_chk
    sscanf vsscanf __isoc99_sscanf __isoc99_vsscanf __isoc23_sscanf __isoc23_vsscanf
    abs labs llabs imaxabs div ldiv lldiv imaxdiv bsearch qsort qsort_r ffs ffsl ffsll
    isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper isxdigit tolower toupper
    __ctype_b_loc __ctype_tolower_loc __ctype_toupper_loc __errno_location __stack_chk_fail __stack_chk_guard
    """
)
"""Functions that work on memory alone."""
WRAPPED: Final = _words("malloc calloc realloc free printf vprintf puts putchar abort exit __assert_fail")
"""What ta_dev_kit.mk leads to `__wrap_NAME` of the runtime: heap, messages, and the end of the process (a panic)."""
TRACE: Final = _words("trace_printf trace_vprintf dhex_dump")
"""Behind the macros of trace.h."""
_ACCESSES: Final = (
    "read", "write", "volatile_read", "volatile_write", "unaligned_read", "unaligned_write", "read_write",
    "unaligned_read_write",
)  # fmt: skip
DOUBLE_FETCH: Final = (
    frozenset(f"__tsan_{access}{size}" for access in _ACCESSES for size in (1, 2, 4, 8, 16))
    | _words("__tsan_init __tsan_func_entry __tsan_func_exit __tsan_read_range __tsan_write_range")
    | _words("__tsan_memcpy __tsan_memmove __tsan_memset __wrap_memcpy __wrap_memmove __wrap_memcmp")
)
"""What an application that is built with CFG_TA_DOUBLE_FETCH=y calls of the runtime before each access to memory."""

_API: Final = frozenset(function.c_name for function in Function)
_NAMED_APART: Final = {f"tee11_{name}" for name in _API} | {f"__wrap_{name}" for name in WRAPPED}
ALLOWED: Final = C_LIBRARY | TRACE | DOUBLE_FETCH | _API | _NAMED_APART

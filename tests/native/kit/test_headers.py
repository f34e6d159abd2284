"""The headers: C and C++ take them in both versions, layouts are the specification's, numbers are those of Python."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tee_sim.gp_objects import key_types
from tee_sim.normal.dev_kit import SOURCES
from tee_sim.shared.errors import Origin, TeeResult
from tee_sim.shared.gp_functions import Function
from tee_sim.shared.native.allowed import TRACE
from tests.native.kit.conftest import need

INCLUDE = SOURCES / "include"
HEADERS = sorted(path.name for path in INCLUDE.glob("*.h") if path.name != "tee_api_sized.h")
COMPAT = "-D__OPTEE_CORE_API_COMPAT_1_1"
STANDARDS = ("-xc -std=c99", "-xc -std=c11", "-xc++ -std=c++11")
LAYOUTS = """
#include <stddef.h>
#include <tee_client_api.h>
#include <tee_internal_api.h>
#include <user_ta_header.h>
#define IS(what, size) _Static_assert((what) == (size), #what)
IS(sizeof(TEE_UUID), 16); IS(offsetof(TEE_UUID, clockSeqAndNode), 8); IS(sizeof(TEE_Identity), 20);
IS(sizeof(TEE_Time), 8); IS(sizeof(TEE_Result), 4); IS(sizeof(TEE_ObjectHandle), 8); IS(sizeof(TEE_BigInt), 4);
IS(sizeof(TEE_OperationInfo), 32); IS(sizeof(TEE_OperationInfoKey), 8); IS(sizeof(TEE_OperationInfoMultiple), 32);
IS(offsetof(TEE_OperationInfoMultiple, keyInformation), 32);
IS(offsetof(TEE_Param, memref.size), 8); IS(offsetof(TEE_Param, value.b), 4); IS(sizeof(TEE_Param), 16);
IS(offsetof(TEE_Attribute, content.ref.buffer), 8); IS(offsetof(TEE_Attribute, content.value.b), 12);
IS(offsetof(TEE_Attribute, content.ref.length), 16); IS(sizeof(TEE_Attribute), 24);
IS(offsetof(TEE_ObjectInfo, maxObjectSize), 8); IS(offsetof(TEE_ObjectInfo, maxKeySize), 8);
IS(offsetof(TEE_ObjectInfo, keySize), 4); IS(offsetof(TEE_ObjectInfo, dataSize), 16);
IS(sizeof(((TEE_Param *)0)->memref.size), SIZE); IS(sizeof(((TEE_Attribute *)0)->content.ref.length), SIZE);
IS(sizeof(((TEE_ObjectInfo *)0)->dataSize), SIZE); IS(offsetof(TEE_ObjectInfo, dataPosition), 16 + SIZE);
IS(sizeof(TEE_ObjectInfo), SIZE == 8 ? 40 : 28);
IS(sizeof(TEEC_UUID), 16); IS(sizeof(TEEC_Parameter), 24); IS(offsetof(TEEC_Operation, params), 8);
IS(offsetof(TEEC_SharedMemory, flags), 16); IS(offsetof(TEEC_Parameter, memref.offset), 16);
IS(sizeof(struct ta_head), 104); IS(offsetof(struct ta_head, version), 40); IS(sizeof(struct user_ta_property), 24);
IS(TEE_PARAM_TYPES(1, 2, 3, 7), 0x7321); IS(TEE_PARAM_TYPE_GET(0x7321, 2), 3); IS(TEE_PARAM_TYPE_SET(7, 3), 0x7000);
IS(TEEC_PARAM_TYPES(5, 6, 7, 0xF), 0xF765); IS(TEE_BigIntSizeInU32(32), 3); IS(TEE_BigIntSizeInU32(33), 4);
"""


def compiled(source: str, *options: str, compiler: str = "gcc") -> str:
    """What the compiler says to a source; empty if it takes it."""
    need(compiler)
    line = [compiler, *options, "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{INCLUDE}", "-fsyntax-only", "-"]
    done = subprocess.run(line, input=source, capture_output=True, text=True, check=False, timeout=60)
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize("standard", STANDARDS)
@pytest.mark.parametrize("abi", ["", COMPAT])
def test_each_header_compiles_alone_and_all_together(standard: str, abi: str) -> None:
    if "c++" in standard and shutil.which("g++") is None:
        pytest.skip("no C compiler: g++ is not installed")
    options = [*standard.split(), *([abi] if abi else []), "-D_GNU_SOURCE"]
    for source in (*(f"#include <{name}>\n" for name in HEADERS), "".join(f"#include <{n}>\n" for n in HEADERS)):
        assert compiled(f"{source}typedef int no_empty_unit;\n", *options) == "", source


@pytest.mark.parametrize(("size", "abi"), [(8, ""), (4, COMPAT)])
@pytest.mark.parametrize("compiler", ["gcc", "clang", "aarch64-linux-gnu-gcc"])
def test_sizes_and_offsets(size: int, abi: str, compiler: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    options = ["-xc", "-std=c11", f"-DSIZE={size}", *([abi] if abi else [])]
    assert compiled(LAYOUTS, *options, "-Wno-pedantic", compiler=compiler) == ""
    wrong = compiled(LAYOUTS.replace("sizeof(TEE_Time), 8", "sizeof(TEE_Time), 9"), *options, compiler=compiler)
    assert "sizeof(TEE_Time)" in wrong


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """The numbers that the headers define, by name, as the compiler works them out."""
    need("gcc")
    text = "".join((INCLUDE / f"tee_{name}.h").read_text() for name in ("api_defines", "api_defines_extensions"))
    names = re.findall(r"#define (TEE_(?!PROPSET)\w+) +\S", text)
    rows = "".join(f'    printf("{name} %lld\\n", (long long)({name}));\n' for name in names)
    source = f"#include <stdio.h>\n#include <tee_internal_api.h>\nint main(void)\n{{\n{rows}    return 0;\n}}\n"
    program = tmp_path_factory.mktemp("defined") / "defined"
    line = ["gcc", "-xc", f"-I{INCLUDE}", "-o", str(program), "-"]
    subprocess.run(line, input=source, text=True, check=True, timeout=60)
    done = subprocess.run([str(program)], capture_output=True, text=True, check=True, timeout=10)
    return {name: int(value) for name, value in map(str.split, done.stdout.splitlines())}


def test_the_constants_are_those_of_python(ours: dict[str, int]) -> None:
    wanted = {f"TEE_ERROR_{r.name}": int(r) for r in TeeResult if int(r) >= 0xF0000000}
    wanted |= {f"TEE_ORIGIN_{o.name}": int(o) for o in Origin}
    wanted |= {f"TEE_ATTR_{a.name}": int(a) for a in key_types.Attribute}
    wanted |= {f"TEE_TYPE_{t.name}": int(t) for t in key_types.ObjectType}
    wanted |= {f"TEE_USAGE_{u.name}": int(u) for u in key_types.Usage}
    wanted |= {f"TEE_ECC_CURVE_{re.sub('R1$', 'r1', c.name)}": int(c) for c in key_types.Curve}
    assert {name: value for name, value in wanted.items() if ours.get(name) != value} == {}
    assert len(wanted) > 120


def test_algorithms_say_in_their_number_what_they_are(ours: dict[str, int]) -> None:
    """Table 6-11: class, chaining mode and cipher; each of its own, but names of 1.1 that stand for one of 1.3.1."""
    algorithms = {name: value for name, value in ours.items() if name.startswith("TEE_ALG_")}
    old = {name for name in algorithms if re.fullmatch(r"TEE_ALG_ECD(SA|H)_P\d+", name)}
    new = {name: value for name, value in algorithms.items() if name not in old}
    assert len(set(new.values())) == len(new)
    classes = {"AES_GCM": 4, "AES_CTR": 1, "HMAC_SHA256": 3, "SHA256": 5, "RSAES_PKCS1_V1_5": 6, "ECDSA_SHA256": 7}
    assert {name: ours[f"TEE_ALG_{name}"] >> 28 for name in classes} == classes
    assert (ours["TEE_ALG_ECDSA_P256"], ours["TEE_ALG_ECDSA_P521"]) == (0x70003042, 0x70005042)
    assert ours["TEE_ALG_RSASSA_PKCS1_PSS_MGF1_SHA256"] == 0x70414930


def test_every_function_is_declared_and_those_with_sizes_twice() -> None:
    plain = (INCLUDE / "tee_internal_api.h").read_text()
    sized = re.findall(r"TEE_SIZED\((TEE_\w+)\)\(", (INCLUDE / "tee_api_sized.h").read_text())
    declared = [*re.findall(r"\b(TEE_\w+)\(", plain), *sized]
    declared = [name for name in declared if name != "TEE_SIZED"]
    assert sorted(declared) == sorted(function.c_name for function in Function)
    mapped = re.findall(r"#define (TEE_\w+) +tee11_(TEE_\w+)\n", (INCLUDE / "tee_api_compat11.h").read_text())
    assert [name for name, _ in mapped] == [name for _, name in mapped] == sized


def test_the_functions_behind_the_messages_are_those_that_may_be_asked_for() -> None:
    assert set(re.findall(r"^void (\w+)\(", (INCLUDE / "trace.h").read_text(), re.MULTILINE)) == TRACE


@pytest.mark.parametrize(
    ("level", "calls"), [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)], ids=["none", "error", "info", "debug", "flow"]
)
def test_messages_are_compiled_by_the_level(level: int, calls: int, tmp_path: Path) -> None:
    need("gcc")
    said = 'MSG("a"); EMSG("b %d", 1); IMSG("c"); DMSG("d"); FMSG("e");'
    source = f"#include <trace.h>\nvoid f(void)\n{{\n    {said}\n}}\n"
    line = ["gcc", "-xc", "-O1", f"-DTRACE_LEVEL={level}", f"-I{INCLUDE}", "-S", "-o", str(tmp_path / "f.s"), "-"]
    subprocess.run(line, input=source, text=True, check=True, timeout=60)
    assert (tmp_path / "f.s").read_text().count("trace_printf") == calls


def test_a_message_that_does_not_fit_its_format_is_a_warning() -> None:
    source = '#include <trace.h>\nvoid f(void);\nvoid f(void)\n{\n    DMSG("%s", 1);\n}\n'
    assert "-Wformat" in compiled(source, "-xc", "-DTRACE_LEVEL=0") or "format" in compiled(source, "-xc")


def test_attributes_by_their_short_names() -> None:
    source = """
#include <stdnoreturn.h>
#define used unused
#define format section
#include <compiler.h>
#include <stddef.h>
#include <tee_internal_api.h>
void say(const char *text, ...) __printf(1, 2);
void __noreturn stop(void);
int __weak __noinline optional(void);
int __must_check __pure checked(int value);
static __always_inline int twice(int value) { return 2 * value; }
static int __used __section(".data.own") kept = 1;
struct __packed pair { char a; int b; };
_Static_assert(sizeof(struct pair) == 5, "packed");
static char room[3] __aligned(64) __unused;
int f(int value, int other __maybe_unused);
int f(int value, int other __maybe_unused)
{
    size_t sum;
    switch (value) {
    case 1:
        value = twice(value);
        __fallthrough;
    case 2:
        if (likely(value) && !unlikely(ADD_OVERFLOW((size_t)value, (size_t)1, &sum)))
            return (int)sum;
    }
    return kept;
}
"""
    assert compiled(source, "-xc", "-std=gnu11", "-Wno-pedantic") == ""
    assert "format" in compiled(
        "#include <compiler.h>\nvoid say(const char *, ...) __printf(1, 2);\n"
        'void f(void);\nvoid f(void)\n{\n    say("%s", 1);\n}\n',
        "-xc",
    )


def test_small_helpers(tmp_path: Path) -> None:
    need("gcc")
    source = """
#include <assert.h>
#include <config.h>
#include <string_ext.h>
#include <util.h>
#include <utee_defines.h>
#define CFG_YES 1
#define CFG_WORD yes
int main(void)
{
    char room[4] = "ab";
    assert(IS_ENABLED(CFG_YES) == 1 && IS_ENABLED(CFG_WORD) == 0 && IS_ENABLED(CFG_NOWHERE) == 0);
    assert(strlcpy(room, "abcdef", sizeof(room)) == 6 && strcmp(room, "abc") == 0);
    room[1] = 0;
    assert(strlcat(room, "xyz", sizeof(room)) == 4 && strcmp(room, "axy") == 0);
    assert(strlcat(room, "z", 2) == 3 && strlcpy(room, "q", 0) == 1);
    assert(consttime_memcmp("abc", "abd", 2) == 0 && consttime_memcmp("abc", "abd", 3) != 0);
    assert(MIN(3, 2) == 2 && MAX(3, 2) == 3 && ROUNDUP(5, 4) == 8 && ROUNDUP(8, 4) == 8 && ROUNDDOWN(7, 4) == 4);
    assert(BIT32(31) == 0x80000000 && BIT64(63) == UINT64_C(1) << 63 && ARRAY_SIZE(room) == 4);
    assert(TEE_U32_TO_BIG_ENDIAN(0x01020304u) == 0x04030201u && TEE_ALG_GET_CLASS(TEE_ALG_AES_GCM) == 4);
    return 0;
}
"""
    program = tmp_path / "helpers"
    line = ["gcc", "-xc", "-Wall", "-Werror", f"-I{INCLUDE}", "-o", str(program), "-"]
    subprocess.run(line, input=source, text=True, check=True, timeout=60)
    assert subprocess.run([str(program)], check=False, timeout=10).returncode == 0

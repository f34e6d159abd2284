"""ta_dev_kit.mk: every variable of a Makefile and of a sub.mk does what its row in docs/tee-sim.md says."""

import os
import subprocess
from pathlib import Path

import pytest

from tee_sim.normal.dev_kit import SOURCES
from tee_sim.shared.native.elf import check
from tee_sim.shared.native.head import TaHead
from tee_sim.shared.native.image import Image
from tests.native.kit.conftest import DEFINES, MAIN, MAKEFILE, UUID, Tree, need

MORE = "int more(void);\nint more(void)\n{\n    return VALUE;\n}\n"
CALLS = MAIN.replace("#include <tee_internal_api.h>", "#include <tee_internal_api.h>\nint more(void);").replace(
    "return TEE_SUCCESS;", "return more() == 7 ? TEE_SUCCESS : TEE_ERROR_GENERIC;", 1
)


def test_an_application_of_one_source(tree: Tree) -> None:
    made = tree.built()
    assert check(made) == {"TEE_MemMove"}
    assert TaHead.read(made).abi == 13
    assert {p.name for p in tree.folder.iterdir()} >= {f"{UUID}.ta", "main.o", "main.d"}


def test_without_the_kit_a_makefile_still_says_so(tree: Tree) -> None:
    """As existing Makefiles have it: -include, and a target of their own where there is nothing to include."""
    tree.put(
        Makefile=f"{MAKEFILE}ifeq ($(wildcard $(TA_DEV_KIT_DIR)/mk/ta_dev_kit.mk),)\nclean:\n\t@echo no kit\nendif\n"
    )
    assert tree.make("clean", kit=Path("/nowhere")).stdout == "no kit\n"
    assert tree.make("clean").returncode == 0


def test_the_older_version_is_chosen_as_makefiles_choose_it(tree: Tree) -> None:
    tree.put(Makefile=f"CFG_TA_OPTEE_CORE_API_COMPAT_1_1=y\n{MAKEFILE}")
    made = tree.built()
    assert (check(made), TaHead.read(made).abi) == ({"tee11_TEE_MemMove"}, 11)


def test_folders_below_with_flags_and_headers_of_their_own(tree: Tree) -> None:
    tree.put(main_c=CALLS, src__more_c=f"#include <private.h>\n#include <shared.h>\n{MORE}").put_files(
        {
            "sub.mk": "srcs-y += main.c\nsubdirs-y += src\nglobal-incdirs-y += include\ncppflags-y += -DVALUE=1\n",
            "src/sub.mk": "srcs-y += more.c\nincdirs-y += own\ncppflags-y += -DVALUE=SHARED+PRIVATE\n"
            "subdirs-y += deep\n",
            "src/own/private.h": "#define PRIVATE 3\n",
            "include/shared.h": "#define SHARED 4\n",
            "src/deep/sub.mk": "srcs-y += deep.c\n",
            "src/deep/deep.c": "#include <shared.h>\n#if defined(VALUE)\n#error the flags of another folder\n#endif\n"
            "#if __has_include(<private.h>)\n#error the headers of another folder\n#endif\nint deep = SHARED;\n",
        }
    )
    check(tree.built())


def test_flags_for_one_source_and_flags_that_are_removed(tree: Tree) -> None:
    tree.put(main_c=f"#if defined(VALUE) || !defined(BOTH)\n#error\n#endif\n{CALLS}", more_c=MORE).put_files(
        {
            "sub.mk": "srcs-y += main.c more.c\ncppflags-y += -DBOTH -DGONE\ncflags-more.c-y += -DVALUE=7\n"
            "cflags-remove-more.c-y += -Wall\ncflags-more.c-y += -Werror\ncppflags-remove-y += -DGONE\n"
        }
    )
    tree.put(more_c=f"#ifdef GONE\n#error removed\n#endif\n{MORE}static int unused_here;\n")
    check(tree.built())  # with -Wall the variable would be an error


def test_sources_that_are_chosen_and_what_c_sees_of_it(tree: Tree) -> None:
    tree.put(
        Makefile=f'CFG_MORE ?= y\nCFG_LESS ?= n\nCFG_COUNT ?= 7\nCFG_TEXT ?= "a b"\n{MAKEFILE}',
        main_c=CALLS.replace(
            "int more(void);",
            "int more(void);\n#if !defined(CFG_MORE) || CFG_MORE != 1 || defined(CFG_LESS)\n#error\n#endif\n"
            "_Static_assert(sizeof(CFG_TEXT) == 4, CFG_TEXT);",
        ),
        more_c=MORE.replace("VALUE", "CFG_COUNT"),
    ).put_files({"sub.mk": "srcs-y += main.c\nsrcs-$(CFG_MORE) += more.c\nsrcs-$(CFG_LESS) += missing.c\n"})
    check(tree.built())
    assert "missing.c" in tree.make("-k", "CFG_LESS=y").stderr


def test_sources_in_the_makefile_alone(tree: Tree) -> None:
    (tree.folder / "sub.mk").unlink()
    check(tree.put(Makefile=f"srcs-y = main.c\nglobal-incdirs-y = include\n{MAKEFILE}").built())


def test_sources_beside_the_tree_stay_clean(tree: Tree) -> None:
    inner = Tree(tree.folder / "ta")
    inner.put_files({"Makefile": MAKEFILE, "sub.mk": "srcs-y += ../common/more.c ../main.c\n"})
    tree.put(main_c=CALLS, common__more_c=MORE.replace("VALUE", "7"))
    inner.put_files({"user_ta_header_defines.h": DEFINES})
    check(inner.built())
    assert [path.name for path in (tree.folder / "common").iterdir()] == ["more.c"]


def test_a_library_of_ours_and_one_that_is_linked(tree: Tree) -> None:
    library = Tree(tree.folder / "lib").put_files(
        {
            "Makefile": MAKEFILE.replace(f"BINARY = {UUID}", "LIBNAME = more"),
            "sub.mk": "srcs-y += more.c\ncppflags-y += -DVALUE=7\n",
            "more.c": MORE,
        }
    )
    assert library.make("O=out").returncode == 0
    assert (library.folder / "out/libmore.a").exists()
    tree.put(main_c=CALLS).put_files({"sub.mk": "srcs-y += main.c\nlibnames += more\nlibdirs += lib/out\n"})
    check(tree.built())


def test_sources_that_a_command_makes(tree: Tree) -> None:
    tree.put(main_c=CALLS).put_files(
        {
            "sub.mk": "srcs-y += main.c\ngensrcs-y += made\nproduce-made = made.c\ndepends-made = value.txt\n"
            "recipe-made = printf 'int more(void);\\nint more(void) { return %s; }\\n' $$(cat value.txt) > $@\n",
            "value.txt": "7",
        }
    )
    check(tree.built("O=out"))
    assert "return 7" in (tree.folder / "out/made.c").read_text()


def test_everything_goes_where_o_says_and_clean_takes_it_back(tree: Tree) -> None:
    before = sorted(tree.folder.iterdir())
    outside = tree.folder.parent / f"{tree.folder.name}-out"
    assert tree.make(f"O={outside}").returncode == 0
    assert sorted(tree.folder.iterdir()) == before
    assert (outside / f"{UUID}.ta").exists()
    assert tree.make("clean", f"O={outside}").returncode == 0
    assert list(outside.iterdir()) == []
    assert tree.make().returncode == 0
    assert tree.make("clean").returncode == 0
    assert sorted(tree.folder.iterdir()) == before


def test_what_depends_on_a_flag_or_a_header_is_made_anew(tree: Tree) -> None:
    tree.put(main_c=f'#include "value.h"\n{MAIN}').put_files({"value.h": "\n"})
    assert tree.make().stdout.count("  CC ") == 3
    assert tree.make().stdout == ""
    tree.put_files({"value.h": "#define X 1\n"})
    later = (tree.folder / "main.o").stat().st_mtime_ns + 10**9
    os.utime(tree.folder / "value.h", ns=(later, later))
    assert [line.split()[-1] for line in tree.make().stdout.splitlines()] == ["main.c", f"{UUID}.ta"]
    assert tree.make("CFLAGS=-O0").stdout.count("  CC ") == 3
    assert tree.make("CFLAGS=-O0", "CFG_NEW=y").stdout.count("  CC ") == 3


def test_it_says_nothing_where_that_is_wanted_and_all_where_that_is(tree: Tree) -> None:
    assert tree.make("-s").stdout == ""
    assert tree.make("-s", "clean").stdout == ""
    said = tree.make("V=1").stdout
    assert "-MD -MP" in said
    assert "--version-script" in said


def test_many_at_once(tree: Tree) -> None:
    names = [f"m{number}" for number in range(8)]
    tree.put_files({f"{name}.c": f"int {name};\n" for name in names})
    tree.put_files({"sub.mk": f"srcs-y += main.c {' '.join(f'{name}.c' for name in names)}\n"})
    check(tree.built("-j4"))


def test_constructors_are_a_table_that_nobody_runs_while_it_is_loaded(tree: Tree) -> None:
    late = "__attribute__((constructor)) static void late(void)\n{\n    seen = 2;\n}\n"
    early = "__attribute__((constructor(101))) static void early(void)\n{\n    seen = 1;\n}\n"
    end = "__attribute__((destructor)) static void end(void)\n{\n    seen = 3;\n}\n"
    image = Image(tree.put(main_c=f"{MAIN}static volatile int seen;\n{late}{early}{end}").built())
    head = next(symbol.address for symbol in image.symbols() if symbol.name == "ta_head")
    pointers = {relocation.address: relocation.addend for relocation in image.relocations()}
    first, behind, last, end_of_last = (pointers[head + at] for at in (72, 80, 88, 96))
    assert ((behind - first) // 8, (end_of_last - last) // 8) == (2, 1)
    nm = subprocess.run(["nm", str(tree.folder / f"{UUID}.ta")], capture_output=True, text=True, check=True)
    where = {words[2]: int(words[0], 16) for line in nm.stdout.splitlines() if len(words := line.split()) == 3}
    assert [pointers[first], pointers[first + 8]] == [where["early"], where["late"]]


def test_nothing_but_head_and_entry_points_is_shown(tree: Tree) -> None:
    image = Image(
        tree.put(main_c=f"{MAIN}int own = 1;\nint other(void);\nint other(void)\n{{\n    return own;\n}}\n").built()
    )
    shown = {symbol.name for symbol in image.symbols() if symbol.section != 0}
    assert shown == {
        "ta_head", "TA_CreateEntryPoint", "TA_DestroyEntryPoint", "TA_OpenSessionEntryPoint",
        "TA_CloseSessionEntryPoint", "TA_InvokeCommandEntryPoint",
    }  # fmt: skip


USES_LIBC = """
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int more(void);
int more(void)
{
    char *copy = strdup("x"), *other = strndup("xyz", 2), *third = realloc(calloc(1, 2), 3);
    printf("%s %s\\n", copy, other);
    puts("x");
    putchar('x');
    assert(third != NULL);
    if (other[1] == 'q')
        exit(1);
    free(copy);
    free(other);
    free(third);
    return snprintf(malloc(9), 9, "%d", 7) == 1 ? 7 : 8;
}
"""


def test_what_a_c_library_would_do_outside_goes_to_the_runtime(tree: Tree) -> None:
    asked = check(tree.put(main_c=CALLS, more_c=USES_LIBC).put_files({"sub.mk": "srcs-y += main.c more.c\n"}).built())
    wrapped = {"malloc", "calloc", "realloc", "free", "printf", "puts", "putchar", "exit", "__assert_fail"}
    assert {f"__wrap_{name}" for name in wrapped} <= asked
    assert not asked & (wrapped | {"strdup", "strndup"})


def test_optimization_by_the_linker_leaves_what_is_wrapped(tree: Tree) -> None:
    """It took __wrap_strdup for unused, and the application called address 0."""
    tree.put(main_c=CALLS, more_c=USES_LIBC).put_files({"sub.mk": "srcs-y += main.c more.c\n"})
    assert {"__wrap_malloc", "__wrap_exit"} <= check(tree.built("CFLAGS=-flto"))


def test_the_flags_that_distributions_build_with(tree: Tree) -> None:
    tree.put(main_c=CALLS, more_c=USES_LIBC).put_files({"sub.mk": "srcs-y += main.c more.c\n"})
    hardened = "-O2 -D_FORTIFY_SOURCE=2 -fstack-protector-all -fstack-clash-protection"
    asked = check(tree.built(f"CFLAGS={hardened}", "LDFLAGS=-Wl,-z,relro", "-R"))
    assert {"__wrap_vprintf", "__stack_chk_fail", "__snprintf_chk"} <= asked
    assert not {name for name in asked if "printf_chk" in name} - {"__snprintf_chk"}


def test_warnings_are_errors_where_that_is_wanted(tree: Tree) -> None:
    tree.put(main_c=f"{MAIN}static int unused_here;\n")
    assert tree.make().returncode == 0
    done = tree.make("CFG_WERROR=y")
    assert done.returncode != 0
    assert "unused_here" in done.stderr


@pytest.mark.parametrize("words", [("CFLAGS=-fsanitize=address",), ("CFG_TA_ASAN=y",), ("CFG_TA_ASAN=y", "DEBUG=1")])
def test_a_sanitizer(tree: Tree, words: tuple[str, ...]) -> None:
    done = tree.make(*words)
    if "asan" in done.stderr:
        pytest.skip("gcc has no sanitizer runtime")
    asked = check(tree.built(*words), unlocked=True)
    assert any(name.startswith("__asan_") for name in asked)
    assert "__wrap_malloc" not in asked


def test_a_sanitizer_in_the_flags_of_a_folder(tree: Tree) -> None:
    tree.put_files({"sub.mk": "srcs-y += main.c\ncflags-y += -fsanitize=undefined\n"})
    done = tree.make()
    if "ubsan" in done.stderr:
        pytest.skip("gcc has no sanitizer runtime")
    assert any("ubsan" in name for name in check(tree.built(), unlocked=True))


@pytest.mark.parametrize("words", [("CFLAGS=--coverage",), ("CFG_TA_COVERAGE=y",)])
def test_coverage(tree: Tree, words: tuple[str, ...]) -> None:
    check(tree.built(*words), unlocked=True)
    assert (tree.folder / "main.gcno").exists()
    assert tree.make("clean").returncode == 0
    assert not (tree.folder / "main.gcno").exists()


def test_another_machine(tree: Tree) -> None:
    need("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-gcc is not installed")
    made = tree.built("CROSS_COMPILE=aarch64-linux-gnu-")
    image = Image(made)
    assert (image.machine, TaHead.read(made).uuid.hex) == ("EM_AARCH64", UUID.replace("-", ""))
    check(made, machine="aarch64")


def test_another_compiler(tree: Tree) -> None:
    need("clang", "clang is not installed")
    check(tree.built("CC=clang", "O=one"))
    check(tree.built("COMPILER=clang", "O=other"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("CC=no-such-cc",), "there is no compiler no-such-cc; install one, or name another with CC="),
        (("SHLIBNAME=x",), "shared libraries of trusted applications are not supported"),
        (("BINARY=",), "set BINARY to the UUID of the trusted application, or LIBNAME to the name of a library"),
    ],
)
def test_what_stops_a_build(tree: Tree, words: tuple[str, ...], said: str) -> None:
    done = tree.make(*words)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"sub.mk": ""}, "there are no sources: name them in sub.mk"),
        ({"sub.mk": "srcs-y += main.c\nsubdirs-y += absent\n"}, "there is no absent/sub.mk"),
        ({"sub.mk": "srcs-y += main.c more.cpp\n"}, "more.cpp: applications in C++ are not supported"),
        ({"user_ta_header_defines.h": ""}, "user_ta_header_defines.h has to define TA_UUID"),
        (
            {"user_ta_header_defines.h": DEFINES.replace("TA_STACK_SIZE", "TA_STAKC_SIZE")},
            "user_ta_header_defines.h has to define TA_STACK_SIZE, in bytes",
        ),
        ({"main.c": MAIN.replace("#include <tee_internal_api.h>", "#include <absent.h>")}, "absent.h"),
    ],
)
def test_a_tree_that_lacks_something(tree: Tree, files: dict[str, str], said: str) -> None:
    done = tree.put_files(files).make()
    assert done.returncode == 2
    assert said in done.stderr


def test_every_variable_of_the_page_is_one_of_the_rules() -> None:
    page = (SOURCES.parents[1] / "docs/tee-sim.md").read_text()
    table = page.partition("Makefiles of applications set")[2].partition("What depends on a flag")[0]
    rules = (SOURCES / "mk/ta_dev_kit.mk").read_text()
    names = {name for row in table.splitlines() for name in row.partition("| ")[2].partition(" |")[0].split("`")[1::2]}
    stems = {name.partition("=")[0].replace("-NAME", "").replace("-y", "") for name in names} - {"CFG_..."}
    assert len(stems) > 20
    assert [stem for stem in stems if stem not in rules] == []

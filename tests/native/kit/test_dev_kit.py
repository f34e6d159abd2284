"""`tee-sim dev-kit`: one folder in the user's cache, built once, and what it says where it cannot be."""

import ctypes
import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tee_sim.cli.exit_codes import ExitStatus
from tee_sim.cli.main import play
from tee_sim.normal import dev_kit
from tee_sim.normal.dev_kit import COPIED, PRODUCTS, SOURCES, kit_folder
from tee_sim.normal.dev_kit_error import DevKitError
from tee_sim.shared.native.allowed import ALLOWED, C_LIBRARY
from tee_sim.shared.native.elf import check
from tests.native.kit.conftest import Tree, need

OLDER_C_LIBRARY = {"__stack_chk_guard"}
"""Of other machines, or of versions of the C library that this one is not: __isoc23_ names came with 2.38."""
FAKE = "#!/bin/sh\n"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of one's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/tee-sim"


@pytest.fixture
def quick(tmp_path: Path, cache: Path) -> Path:
    """A compiler that makes nothing but files, and counts how often it is called for one."""
    script = tmp_path / "quick-cc"
    script.write_text(
        f'{FAKE}case "$*" in *--version) echo "quick $(cat {tmp_path}/version)"; exit;; esac\n'
        f'echo made >> {tmp_path}/calls\nwhile [ "$1" != -o ]; do shift; done\necho "$2" > "$2"\n'
    )
    script.chmod(0o755)
    (tmp_path / "version").write_text("1")
    return script


def c_sources() -> set[Path]:
    """Each is compiled once, whatever it goes into."""
    return {file for product in PRODUCTS for file in product.files(SOURCES)}


def refused(compiler: str = "") -> DevKitError:
    with pytest.raises(DevKitError) as caught:
        kit_folder(compiler)
    return caught.value


@pytest.fixture(scope="module")
def kit() -> Path:
    """The real one, in the user's cache: other tests build with it too."""
    need("cc", "no C compiler: cc is not installed")
    return kit_folder()


def test_the_folder_holds_what_the_page_says(kit: Path) -> None:
    assert {path.name for path in kit.iterdir()} == {"include", "mk", "ta", "lib", "bin"}
    for name in COPIED:
        ours = {path.name: path.read_bytes() for path in (SOURCES / name).rglob("*") if path.is_file()}
        assert {path.name: path.read_bytes() for path in (kit / name).rglob("*") if path.is_file()} == ours
    made = {path.name for path in [*(kit / "lib").iterdir(), *(kit / "bin").iterdir()]}
    assert {"libtee_sim_ta.so", "libteec.so", "libteec.so.2", "tee_host"} <= made
    assert str((kit / "lib/libteec.so").readlink()) == "libteec.so.2"
    assert os.access(kit / "bin/tee_host", os.X_OK)
    names = subprocess.run(
        ["readelf", "-dW", str(kit / "lib/libteec.so.2")], capture_output=True, text=True, check=True
    )
    assert "Library soname: [libteec.so.2]" in names.stdout


def test_an_application_is_built_with_it(kit: Path, tree: Tree) -> None:
    assert check(tree.built(kit=kit)) == {"TEE_MemMove"}


def test_every_function_that_may_be_asked_for_is_there(kit: Path) -> None:
    """By the runtime's table; those of the C library in this process, which has the same one."""
    shown = subprocess.run(
        ["nm", "-D", "--defined-only", str(kit / "lib/libtee_sim_ta.so")], capture_output=True, text=True, check=True
    )
    defined = {line.split()[-1] for line in shown.stdout.splitlines()}
    older = {name for name in ALLOWED if name.startswith("tee11_")}
    assert sorted(ALLOWED - C_LIBRARY - older - defined) == []
    declared = set((SOURCES / "include/tee_api_compat11.h").read_text().split())
    assert sorted(name for name in older & declared if name not in defined) == []
    library = ctypes.CDLL(None)
    names = {name for name in C_LIBRARY - OLDER_C_LIBRARY if not name.startswith("__isoc23_")}
    assert sorted(name for name in names if not hasattr(library, name)) == []


def test_it_is_built_once_and_again_for_another_compiler(quick: Path, cache: Path, tmp_path: Path) -> None:
    first = kit_folder(str(quick))
    assert kit_folder(str(quick)) == first
    assert first.parent == cache
    assert (tmp_path / "calls").read_text().count("made") == len(PRODUCTS) + len(c_sources())
    (tmp_path / "version").write_text("2")
    assert kit_folder(str(quick)) != first
    assert kit_folder(f"{quick} -m64") not in {first, kit_folder(str(quick))}
    assert [path.name for path in cache.iterdir() if path.name.startswith(".")] == []


def test_it_is_built_again_for_other_sources(
    quick: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = kit_folder(str(quick))
    shutil.copytree(SOURCES, tmp_path / "sources")
    monkeypatch.setattr(dev_kit, "SOURCES", tmp_path / "sources")
    assert kit_folder(str(quick)) == first, "the same content elsewhere"
    (tmp_path / "sources/ta/more.c").write_text("int more;\n")
    assert kit_folder(str(quick)) != first


def test_what_is_built_does_not_say_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runtime is measured with each application: the same sources have to be the same bytes on every machine."""
    need("gcc")
    made = []
    for name in ("here", "elsewhere"):
        folder = tmp_path / name
        shutil.copytree(SOURCES, folder)
        monkeypatch.setattr(dev_kit, "SOURCES", folder)
        monkeypatch.chdir(folder if made else tmp_path)
        output = tmp_path / f"{name}.o"
        compiler = dev_kit._compiler("gcc")
        dev_kit._run_all([dev_kit._compile(compiler, folder, folder / "runtime/frame.c", output)])
        made.append(output.read_bytes())
    assert made[0] == made[1]
    assert str(tmp_path).encode() not in made[0]


def test_a_compiler_by_a_relative_path(quick: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(quick.parent)
    assert kit_folder("./quick-cc") == kit_folder(str(quick))


def test_two_at_once_make_one(quick: Path, cache: Path) -> None:
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(kit_folder(str(quick)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 4
    assert list(cache.iterdir()) == [found[0]]


def test_nothing_is_left_of_a_build_that_failed(cache: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken-cc"
    broken.write_text(f'{FAKE}[ "$1" = --version ] && exit\nprintf "x.c:1: error: no \\033[1mword\\n" >&2\nexit 3\n')
    broken.chmod(0o755)
    error = refused(str(broken))
    assert (error.code, error.message) == (
        "dev_kit.build",
        f"{broken} failed (3): x.c:1: error: no ?[1mword",
    )
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("compiler", ["no-such-cc", "'open"])
def test_a_compiler_that_is_none(cache: Path, compiler: str) -> None:
    error = refused(compiler)
    assert error.code == "dev_kit.compiler"
    assert error.hint.startswith("install gcc or clang")


def test_without_any_compiler(cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = refused()
    assert (error.code, error.message) == (
        "dev_kit.compiler",
        "native applications need a C compiler, and there is none of cc, gcc, clang",
    )


def test_a_compiler_that_does_not_run(cache: Path, tmp_path: Path) -> None:
    dead = tmp_path / "dead-cc"
    dead.write_text("#!/no/such/interpreter\n")
    dead.chmod(0o755)
    assert refused(str(dead)).code == "dev_kit.compiler"


def test_a_cache_that_others_can_change_is_not_used(quick: Path, cache: Path) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    error = refused(str(quick))
    assert (error.code, error.message) == ("dev_kit.cache", f"{cache} can be written by others")
    cache.chmod(0o700)
    folder = kit_folder(str(quick))
    folder.chmod(0o770)
    assert refused(str(quick)).message == f"{folder} can be written by others"
    shutil.rmtree(folder)
    folder.symlink_to("/tmp")
    error = refused(str(quick))
    assert (error.message, error.hint) == (f"{folder} is no folder", "set XDG_CACHE_HOME to a folder of your own")


@pytest.mark.parametrize("lost", ["lib/libtee_sim_ta.so", "lib/libteec.so", "bin/tee_host", "include"])
def test_a_kit_that_has_lost_a_part_is_not_handed_out(quick: Path, cache: Path, lost: str) -> None:
    folder = kit_folder(str(quick))
    (folder / lost).rename(cache / "elsewhere")
    error = refused(str(quick))
    assert (error.code, error.message, error.hint) == (
        "dev_kit.cache", f"{folder} lacks {lost}", f"run: rm -r {folder}",
    )  # fmt: skip
    shutil.rmtree(folder)
    assert (kit_folder(str(quick)) / lost).exists()


def test_a_cache_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quick: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    error = refused(str(quick))
    assert error.code == "dev_kit.cache"
    assert error.message.startswith(f"{tmp_path}/file/tee-sim cannot be made")


def test_a_cache_that_make_cannot_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quick: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a b"))
    error = refused(str(quick))
    assert (error.code, error.hint) == ("dev_kit.cache", "set XDG_CACHE_HOME to another folder")


def test_a_relative_name_of_the_cache_counts_as_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quick: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert kit_folder(str(quick)).parent == tmp_path / "home/.cache/tee-sim"


def test_nobody_else_may_read_the_cache_that_it_makes(quick: Path, cache: Path) -> None:
    kit_folder(str(quick))
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_the_command_prints_the_path_and_nothing_else(
    quick: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert play(["dev-kit", "--cc", str(quick)]) == ExitStatus.OK
    said = capfd.readouterr()
    assert (said.out, said.err) == (f"{kit_folder(str(quick))}\n", "")
    assert play(["dev-kit", "--cc", "no-such-cc"]) == ExitStatus.UNAVAILABLE
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err == (
        "tee-sim: error[dev_kit.compiler]: native applications need a C compiler, and there is none of no-such-cc\n"
        "hint: install gcc or clang with the headers of the C library, or run: tee-sim dev-kit --cc COMPILER\n"
    )


def test_the_wheel_has_every_source() -> None:
    """By the patterns of the package's data, as setuptools applies them."""
    import tomllib

    project = tomllib.loads((SOURCES.parents[1] / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["tee_sim"]
    packed = {path for pattern in patterns for path in SOURCES.parent.glob(pattern)}
    sources = {path for path in SOURCES.rglob("*") if path.is_file() and path.name != "Makefile"}
    assert sorted(str(path) for path in sources - packed) == []
    assert len(sources) > 50


def test_errors_are_named_without_what_builds() -> None:
    told = "import sys; import tee_sim.cli.main; print('tee_sim.normal.dev_kit' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", told], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"

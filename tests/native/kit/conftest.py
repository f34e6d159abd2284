"""Source trees of applications, and make with the dev kit's rules as they lie in the checkout."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tee_sim.normal.dev_kit import SOURCES

UUID = "8d3f0c52-6f3e-4a51-9a55-0d6a3c1b7e21"
MAKEFILE = f"BINARY = {UUID}\n-include $(TA_DEV_KIT_DIR)/mk/ta_dev_kit.mk\n"
DEFINES = """
#define TA_UUID {0x8d3f0c52, 0x6f3e, 0x4a51, {0x9a, 0x55, 0x0d, 0x6a, 0x3c, 0x1b, 0x7e, 0x21}}
#define TA_FLAGS (TA_FLAG_SINGLE_INSTANCE | TA_FLAG_MULTI_SESSION)
#define TA_STACK_SIZE (2 * 1024)
#define TA_DATA_SIZE (32 * 1024)
"""
MAIN = """
#include <tee_internal_api.h>

TEE_Result TA_CreateEntryPoint(void)
{
    return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param params[4], void **context)
{
    (void)types;
    (void)params;
    (void)context;
    return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *context)
{
    (void)context;
}

TEE_Result TA_InvokeCommandEntryPoint(void *context, uint32_t command, uint32_t types, TEE_Param params[4])
{
    (void)context;
    (void)command;
    (void)types;
    TEE_MemMove(params[0].memref.buffer, params[1].memref.buffer, params[0].memref.size);
    return TEE_SUCCESS;
}
"""


@dataclass(frozen=True, slots=True)
class Tree:
    """The source tree of one application."""

    folder: Path

    def put(self, **files: str) -> "Tree":
        """Write files; `src__more_c` is src/more.c."""
        return self.put_files({name.replace("__", "/").replace("_c", ".c"): text for name, text in files.items()})

    def put_files(self, files: dict[str, str]) -> "Tree":
        """Write files by their names."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self

    def make(self, *words: str, kit: Path = SOURCES) -> subprocess.CompletedProcess[str]:
        """make with these words, as a user runs it."""
        ours = (
            "MAKEFLAGS",
            "MFLAGS",
            "MAKELEVEL",
            "CC",
            "CFLAGS",
            "CPPFLAGS",
            "LDFLAGS",
            "CROSS_COMPILE",
            "O",
            "V",
            "DEBUG",
        )
        environment = {name: value for name, value in os.environ.items() if name not in ours}
        return subprocess.run(
            ["make", *words], cwd=self.folder, env={**environment, "TA_DEV_KIT_DIR": str(kit)}, check=False,
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    def built(self, *words: str, kit: Path = SOURCES) -> bytes:
        """The application that make leaves."""
        done = self.make(*words, kit=kit)
        assert done.returncode == 0, done.stdout + done.stderr
        folder = next((word[2:] for word in words if word.startswith("O=")), ".")
        return (self.folder / folder / f"{UUID}.ta").read_bytes()


def need(tool: str, why: str = "") -> None:
    """Skip by name where a tool is missing."""
    if shutil.which(tool) is None:
        pytest.skip(why or f"no C compiler: {tool} is not installed")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """One with nothing in it that need not be."""
    need("make")
    need("gcc")
    return Tree(tmp_path).put_files(
        {"Makefile": MAKEFILE, "sub.mk": "srcs-y += main.c\n", "user_ta_header_defines.h": DEFINES, "main.c": MAIN}
    )

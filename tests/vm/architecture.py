# SPDX-License-Identifier: BSD-3-Clause
"""What the emulated machine is: one like this, or ($SEKISHO_GUEST = arm64) an ARM64 with what scripts/cross-arm64 laid out.

$SEKISHO_BUILD names the build of that CPU, then.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from lab.appliance import ROOT


@dataclass(frozen=True)
class Architecture:
    root: Path  # where its programs and libraries lie on this machine
    triplet: str
    strip: str
    list_libraries: tuple[str | Path, ...]  # before a program's path
    emulator: str
    cpu: str
    machine: str
    console: str

    def path(self, name: str) -> Path:
        """Of one of its files."""
        return self.root / name.removeprefix("/")


X86_64 = Architecture(
    root=Path("/"), triplet="x86_64-linux-gnu", strip="strip", list_libraries=("ldd",),
    emulator="qemu-system-x86_64", cpu="max,la57=off", machine="pc", console="ttyS0",
)  # fmt: skip

_ARM64_ROOT = ROOT / "build-arm64-root" / "root"
ARM64 = Architecture(
    root=_ARM64_ROOT, triplet="aarch64-linux-gnu", strip="aarch64-linux-gnu-strip",
    list_libraries=("qemu-aarch64", "-L", _ARM64_ROOT, _ARM64_ROOT / "lib" / "ld-linux-aarch64.so.1", "--list"),
    emulator="qemu-system-aarch64", cpu="neoverse-n1", machine="virt", console="ttyAMA0",
)  # fmt: skip

GUEST = {"x86_64": X86_64, "arm64": ARM64}[os.environ.get("SEKISHO_GUEST", "x86_64")]

# SPDX-License-Identifier: BSD-3-Clause
"""The guest's root: an initramfs of busybox, the built programs, the libraries that they load, and a few kernel modules.

Nothing of it has to be booted from a disk or configured: the kernel unpacks it into memory in a second.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from lab.appliance import BUILD, ROOT
from lab.process import run

from vm.architecture import GUEST, X86_64

FOLDER = ROOT / "build-vm"  # scripts/bootstrap puts the kernel's package there
SOURCES = Path(__file__).with_name("guest")
PRODUCT = (
    BUILD / "dataplane" / "sekisho-dataplane",
    BUILD / "control" / "sekisho-control",
    BUILD / "control" / "sekisho",
)
TOOLS = tuple(map(GUEST.path, ("/bin/bash", "/bin/ip", "/usr/sbin/nft", "/usr/bin/nice")))
SCRIPTS = (ROOT / "scripts" / "bind-nic", Path("/usr/sbin/driverctl"))
# DPDK loads every driver of this folder; these are what the guest's devices need.
DRIVERS = GUEST.path(f"/usr/lib/{GUEST.triplet}/dpdk/pmds-23.0")
DRIVER_NAMES = ("bus_pci", "bus_vdev", "mempool_ring", "net_af_xdp", "net_virtio")
# With what they depend on.
MODULES = (
    "virtio_pci", "virtio_console", "virtio_net", "uio_pci_generic", "tun",
    "nf_tables", "nft_chain_nat", "nft_ct", "nft_masq",
)  # fmt: skip


HUGEPAGES = 384  # of 2 MB


@dataclass(frozen=True)
class Image:
    kernel: Path
    initramfs: Path

    def machine(self) -> list[str | Path]:
        return [
            "-M", GUEST.machine, "-kernel", self.kernel, "-initrd", self.initramfs,
            "-append", f"console={GUEST.console} loglevel=5 panic=-1 mitigations=off hugepages={HUGEPAGES}",
        ]  # fmt: skip


def build() -> Image:
    kernel, modules = _kernel()
    root = FOLDER / GUEST.triplet / "root"
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("bin", "etc", "usr/bin"):
        (root / folder).mkdir(parents=True)
    shutil.copy(GUEST.path("/bin/busybox"), root / "bin" / "busybox")
    shutil.copy(SOURCES / "init", root / "init")
    shutil.copy(SOURCES / "agent", root / "bin" / "agent")
    shutil.copy(SOURCES / "inittab", root / "etc" / "inittab")
    _install_modules(modules, root)
    drivers = [DRIVERS / f"librte_{name}.so.23.0" for name in DRIVER_NAMES]
    programs = [*PRODUCT, *TOOLS, *drivers]
    for file in {*TOOLS, *drivers, *(library for program in programs for library in _libraries(program))}:
        _install(file, root)
    for script in SCRIPTS:
        shutil.copy(script, root / "bin" / script.name)
    for program in PRODUCT:
        copy = root / program.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        run(GUEST.strip, "-o", copy, program)
    initramfs = root.with_name("initramfs.cpio")
    run("sh", "-c", f"cd '{root}' && find . | cpio --quiet -o -H newc >'{initramfs}'")
    return Image(kernel, initramfs)


def _kernel() -> tuple[Path, Path]:
    """The kernel and the folder above its /lib/modules."""
    unpacked = _unpacked() if GUEST == X86_64 else GUEST.root
    if not (unpacked / "lib" / "modules" / _version(unpacked) / "modules.dep").exists():
        run("depmod", "--basedir", unpacked, _version(unpacked))
    return next((unpacked / "boot").glob("vmlinuz-*")), unpacked


def _unpacked() -> Path:
    """From its package, and never installed on this machine."""
    packages = sorted(FOLDER.glob("linux-image-*.deb"), key=lambda path: path.stat().st_mtime)
    if not packages:
        raise FileNotFoundError(f"there is no kernel package in {FOLDER}: scripts/bootstrap downloads it")
    unpacked = FOLDER / packages[-1].stem
    if not (unpacked / "complete").exists():
        run("dpkg-deb", "--extract", packages[-1], unpacked)
        (unpacked / "complete").touch()
    return unpacked


def _version(unpacked: Path) -> str:
    return next((unpacked / "lib" / "modules").iterdir()).name


def _install_modules(unpacked: Path, root: Path) -> None:
    version = _version(unpacked)
    wanted = run(
        "modprobe", "--dirname", unpacked, "--set-version", version, "--show-depends", "--all", *MODULES
    )
    for line in wanted.splitlines():
        if not line.startswith("insmod "):  # "builtin NAME"
            continue
        module = Path(line.split()[1])
        copy = root / module.relative_to(unpacked)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(module, copy)
    for name in ("modules.order", "modules.builtin"):
        shutil.copy(unpacked / "lib" / "modules" / version / name, root / "lib" / "modules" / version)
    run("depmod", "--basedir", root, version)


def _install(file: Path, root: Path) -> None:
    """At the same path, a symbolic link as one: a driver that has two paths must stay one file, or DPDK loads it twice."""
    real = file.resolve()
    here, there = (path.relative_to(GUEST.root) for path in (file, real))
    for path in (here, there):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(real, root / there)
    if here != there:
        (root / here).symlink_to("/" / there)


def _libraries(program: Path) -> set[Path]:
    """Shared libraries and the loader, by the paths that the loader looks for."""
    listed = map(Path, re.findall(r"(/\S+) \(0x", run(*GUEST.list_libraries, program)))
    return {path if path.is_relative_to(GUEST.root) else GUEST.path(str(path)) for path in listed}

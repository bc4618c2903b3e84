# SPDX-License-Identifier: BSD-3-Clause
"""The stages of a test run: what each of them runs. A stage that cannot run has failed."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from suite import benches, headers, tidy, unbuilt
from suite.count import Count, junit
from suite.shell import ROOT, Shell
from suite.task import apart

FUZZ_SECONDS = 6
FULL = "SEKISHO_FULL"  # in the environment, since tests ask for it, too
CLANG = "build-clang"
# Network tests wait most of their time. Those that take longest begin.
NET_WORKERS = 2
NET_LONGEST = ("test_matrix_names", "test_matrix_locks", "test_matrix_boot", "test_devices")
# They stop processes under load and lose no packet: another lab on the same two CPUs is one load too many.
NET_ALONE = ("test_failover", "test_probes", "test_probes_ports", "test_processes", "test_reload", "test_scenarios", "test_soak")
# With --full only. What is named is collected, whatever conftest.py leaves out.
NET_FULL = {"test_learning_full"}


def one(what: str, holds: bool) -> Count:
    """A check that is no program of test cases counts as one."""
    return Count(passed=1) if holds else Count(failed=[what])


def configure(shell: Shell, folder: str, *options: str, **environment: str) -> bool:
    if (ROOT / folder / "build.ninja").exists():
        return True
    return shell("meson", "setup", folder, *options, **environment)


def meson_test(shell: Shell, folder: str, name: str, *words: str, **environment: str) -> Count:
    """Runs tests of a build folder two at a time and counts their cases."""
    log = ROOT / folder / "meson-logs" / f"{name}.junit.xml"
    log.unlink(missing_ok=True)
    command = ("meson", "test", "-C", folder, "--num-processes", "2", "--print-errorlogs", "--logbase", name)
    ran = shell(*command, *words, **environment)
    count = junit(log, folder)
    if not ran and not count.failed:
        count.failed.append(f"{folder}: meson test failed")
    return count


def pytest(shell: Shell, tests: str, folder: str = "build", **environment: str) -> Count:
    log = ROOT / folder / f"pytest-{tests.removesuffix('.py').replace('/', '-')}.xml"
    log.unlink(missing_ok=True)
    ran = shell(
        "/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=5", f"--junitxml={log}", tests,
        PYTHONDONTWRITEBYTECODE="1", **environment,
    )  # fmt: skip
    count = junit(log, tests)
    if not ran and not count.failed:
        count.failed.append(f"{tests}: pytest failed")
    return count


# Rooms whose code differs by CPU, or by the order in which one loads; and the programs, for a machine that is emulated whole.
ARM64 = "build-arm64"
ARM64_TESTS = {
    "fib": "tests/unit/fib/fib_test",
    "packet": "tests/unit/packet/packet_test",
    "decide": "tests/unit/decide/decide_test",
    "nexthop": "tests/unit/nexthop/nexthop_test",
    "worker layout": "tests/unit/forward/layout_test",
    "packet pipeline": "tests/packet/packet_pipeline_test",
}
ARM64_PROGRAMS = ("dataplane/sekisho-dataplane", "control/sekisho-control", "control/sekisho")

# --- stages ---------------------------------------------------------------------------------------------------


def build(shell: Shell) -> Count:
    """As users build it, but for what takes the compiler long: the debugger's view of types, and optimising what is not the hot path.
    A test of cold code is compiled once, here or with the sanitizers.
    """
    configured = configure(shell, "build", "-Ddebug=false", "-Dcpp_args=-g1", "-Dfast_build=true")
    return one("build with gcc", configured and shell("ninja", "-C", "build", "optimised"))


def optimised(shell: Shell) -> Count:
    return meson_test(shell, "build", "optimised", "--no-rebuild", "--suite", "optimised")


def unit(shell: Shell) -> Count:
    """The tests that the full run has under the sanitizers alone, and those of `optimised`."""
    return meson_test(shell, "build", "all")


def command_line(shell: Shell) -> Count:
    return pytest(shell, "tests/cli")


def network(_: Shell) -> Count:
    """A lab has namespaces and a folder of its own: modules run beside each other."""
    found = {path.stem: path for path in (ROOT / "tests/net").glob("test_*.py")}
    if FULL not in os.environ:
        found = {name: path for name, path in found.items() if name not in NET_FULL}
    beside = [name for name in NET_LONGEST if name in found]
    beside += sorted(found.keys() - {*beside, *NET_ALONE})
    alone = [name for name in NET_ALONE if name in found]

    def module(name: str) -> Count:
        return apart(name.replace("test_", "net-", 1), False, lambda its: pytest(its, f"tests/net/{name}.py"))

    count = Count()
    for workers, names in ((NET_WORKERS, beside), (1, alone)):
        with ThreadPoolExecutor(workers) as pool:
            for its in pool.map(module, names):
                count += its
    return count


def virtual_machine(shell: Shell) -> Count:
    return pytest(shell, "tests/vm")


def package(shell: Shell) -> Count:
    return pytest(shell, "tests/package")


def image(shell: Shell) -> Count:
    return pytest(shell, "tests/image")


def configure_clang(shell: Shell) -> bool:
    options = (
        "-Dfuzzers=true", "-Dbench=true", "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Doptimization=1", "-Ddebug=false",
        "-Dcpp_args=-gline-tables-only",
    )  # fmt: skip
    # Instrumented programs are large: lld links one in a second instead of seven.
    return configure(shell, CLANG, *options, CC="clang-16", CXX="clang++-16", CXX_LD="lld-16")


def clang(shell: Shell) -> Count:
    """One build says what clang thinks of everything, and carries the sanitizers, the fuzzers and the benchmarks."""
    built = configure_clang(shell) and shell("ninja", "-C", CLANG)
    return one("build with clang", built and unbuilt.check(ROOT / CLANG, shell))


def benchmarks(shell: Shell) -> Count:
    wrong = benches.check(ROOT / CLANG, shell)
    return Count(failed=[f"bench: {what}" for what in wrong]) if wrong else Count(passed=len(benches.SHORTEST))


def formatting(shell: Shell) -> Count:
    folders = ("bench", "common", "control", "dataplane", "tests")
    files = sorted(path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in (".cpp", ".hpp", ".c"))
    return one("clang-format-16 would change something", shell("clang-format-16", "--dry-run", "-Werror", *files))


def every_header(shell: Shell) -> Count:
    wrong = headers.check(ROOT / CLANG, shell, every=FULL in os.environ)
    return Count(failed=[f"{header} does not compile on its own" for header in wrong]) if wrong else Count(passed=1)


def tidied(shell: Shell) -> Count:
    wrong = tidy.check(ROOT / CLANG, shell)
    return Count(failed=[f"clang-tidy-16 finds something in {file}" for file in wrong]) if wrong else Count(passed=1)


def sanitized(shell: Shell) -> Count:
    return meson_test(
        shell, CLANG, "sanitized", "--no-rebuild", "--suite", "unit", "--suite", "packet",
        ASAN_OPTIONS="detect_leaks=1:abort_on_error=1", UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1",
    )  # fmt: skip


def threads(shell: Shell) -> Count:
    """Readers against the writer, under ThreadSanitizer: the rooms that need no EAL."""
    # GCC warns of fences, which it cannot follow: those of the newest drops, which these tests do not read.
    options = ("-Db_sanitize=thread", "-Db_lundef=false", "-Doptimization=1", "-Dcpp_args=-Wno-tsan")
    if not configure(shell, "build-tsan", *options):
        return one("meson setup build-tsan", False)
    readers = "--test-args=--gtest_filter=*FibReaders*:Qsbr.*:Sixteen.*"
    return meson_test(
        shell, "build-tsan", "threads", "fib", "workers", readers, "--timeout-multiplier", "3",
        TSAN_OPTIONS="halt_on_error=1",
    )  # fmt: skip


def arm64(shell: Shell) -> Count:
    """Cross-built, and run by QEMU's user emulation: what is told of speed there tells nothing, so that -O1 does."""
    cross = ("--cross-file", "build-arm64-root/cross.ini", "-Ddebug=false", "-Doptimization=1", "-Dcpp_args=-g1")
    configured = shell("scripts/cross-arm64") and configure(shell, ARM64, *cross)
    built = one("build for ARM64", configured and shell("ninja", "-C", ARM64, *ARM64_PROGRAMS, *ARM64_TESTS.values()))
    if built.failed:
        return built
    built += meson_test(shell, ARM64, "arm64", "--no-rebuild", "--timeout-multiplier", "10", *ARM64_TESTS)
    return built


def arm64_machine(shell: Shell) -> Count:
    return pytest(shell, "tests/vm", ARM64, SEKISHO_GUEST="arm64", SEKISHO_BUILD=str(ROOT / ARM64))


def run_fuzzer(shell: Shell, program: Path, seconds: int) -> bool:
    """With its seeds, and a corpus that grows from run to run."""
    corpus = ROOT / CLANG / "corpus" / program.name
    corpus.mkdir(parents=True, exist_ok=True)
    name = program.name.removesuffix("_fuzz")
    seeds = (ROOT / "tests/fixtures" / name, ROOT / "tests/fuzz/corpus" / name)
    folders = (corpus, *(folder for folder in seeds if folder.is_dir()))
    limits = (
        f"-max_total_time={seconds}", "-rss_limit_mb=4096", "-verbosity=0", f"-artifact_prefix={corpus}/",
    )  # fmt: skip
    words = ROOT / "tests/fuzz" / f"{name}.dict"
    return shell(program, *limits, *([f"-dict={words}"] if words.is_file() else []), *folders)


def fuzz(shell: Shell) -> Count:
    """A short run of each fuzzer, two at a time: it finds what a change broke, not what years would."""
    programs = sorted(path for path in (ROOT / CLANG / "tests/fuzz").glob("*_fuzz") if path.is_file())
    if not programs:
        return one("fuzz: there are no fuzzers", False)
    count = Count()
    with ThreadPoolExecutor(2) as pool:
        held = pool.map(lambda program: run_fuzzer(shell, program, FUZZ_SECONDS), programs)
        for program, holds in zip(programs, held, strict=True):
            count += one(f"fuzz: {program.name}", holds)
    return count


@dataclass(frozen=True)
class Stage:
    name: str
    run: Callable[[Shell], Count]
    what: str
    lane: str
    quick: bool = False  # in a quick run
    whole: bool = True  # in a whole one
    full: bool = False  # in a full one only
    needs: str | None = None


# Lanes run beside each other, the stages of a lane one after another: what waits for packets and what loads the CPUs is one lane. Whatever is in the lane COMPUTING neither waits nor measures
# time: it gets what the others leave of the CPUs. The stages of the lane LAST run when all others have ended.
FIRST, COMPUTING, LAST = "first", "computing", "last"
STAGES = (
    Stage("build", build, "gcc 12, warnings are errors", FIRST, quick=True),
    Stage("net", network, "network namespaces, exact packet counts", "testing", quick=True, needs="build"),
    Stage("cli", command_line, "the command line", "testing", quick=True, needs="build"),
    Stage("optimised", optimised, "the table, and packets through the real pipeline, as users build them", "testing", needs="build"),
    Stage("unit", unit, "units of each room, and packets through the real pipeline", "testing", quick=True, whole=False, needs="build"),
    Stage("vm", virtual_machine, "a virtual machine with virtio NICs", "testing", needs="build"),
    Stage(
        "package", package, "the Debian package, installed in a clean root and run by systemd there", "testing", needs="build"
    ),
    Stage("image", image, "the image of a virtual machine, booted (--full)", "testing", whole=False, full=True, needs="build"),
    Stage("format", formatting, "clang-format has nothing to change", COMPUTING, quick=True),
    Stage("clang", clang, "clang 16 compiles everything, fuzzers and benchmarks too, with ASan and UBSan", COMPUTING),
    Stage("bench", benchmarks, "each benchmark's program starts", COMPUTING, needs="clang"),
    Stage(
        "headers", every_header, f"the {headers.MOST} headers that changed last, and what includes them, compile on their own (--full: all headers)",
        COMPUTING, needs="clang"),
    Stage("tidy", tidied, f"clang-tidy finds nothing in the {tidy.MOST} files of common and control that changed last", COMPUTING, needs="clang"),
    Stage("arm64", arm64, "cross-built for ARM64; the table, and packets through the real pipeline, under QEMU (--full)", COMPUTING, whole=False, full=True),
    Stage("threads", threads, "tables and sixteen workers' use of them under TSan", COMPUTING),
    Stage("arm64-vm", arm64_machine, "a virtual ARM64 machine with virtio NICs (--full)", LAST, whole=False, full=True, needs="arm64"),
    Stage("sanitized", sanitized, "unit and packet tests under ASan and UBSan", LAST, needs="clang"),
    Stage("fuzz", fuzz, f"each fuzzer for {FUZZ_SECONDS} s", LAST, needs="clang"),
)

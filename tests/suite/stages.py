"""The stages of a full test run. Each is independent; a stage that cannot run has failed."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from suite.count import Count, junit

ROOT = Path(__file__).resolve().parents[2]
FUZZ_SECONDS = 6
CLANG = "build-clang"


def execute(*command: str | Path, **environment: str) -> bool:
    words = [str(word) for word in command]
    print("+", " ".join(words), flush=True)
    return subprocess.run(words, cwd=ROOT, env=os.environ | environment, check=False).returncode == 0


def one(what: str, holds: bool) -> Count:
    """A check that is no program of test cases counts as one."""
    return Count(passed=1) if holds else Count(failed=[what])


def configure(folder: str, *options: str, **environment: str) -> bool:
    if (ROOT / folder / "build.ninja").exists():
        return True
    return execute("meson", "setup", folder, *options, **environment)


def meson_test(folder: str, name: str, *words: str, **environment: str) -> Count:
    """Builds what the tests need, runs them two at a time and counts their cases."""
    log = ROOT / folder / "meson-logs" / f"{name}.junit.xml"
    log.unlink(missing_ok=True)
    command = ("meson", "test", "-C", folder, "--num-processes", "2", "--print-errorlogs", "--logbase", name)
    ran = execute(*command, *words, **environment)
    count = junit(log, folder)
    if not ran and not count.failed:
        count.failed.append(f"{folder}: meson test failed")
    return count


def pytest(folder: str) -> Count:
    log = ROOT / "build" / f"pytest-{folder.replace('/', '-')}.xml"
    log.unlink(missing_ok=True)
    ran = execute(
        "/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=5", f"--junitxml={log}", folder,
        PYTHONDONTWRITEBYTECODE="1",
    )  # fmt: skip
    count = junit(log, folder)
    if not ran and not count.failed:
        count.failed.append(f"{folder}: pytest failed")
    return count


# --- stages ---------------------------------------------------------------------------------------------------


def configure_gcc() -> bool:
    # As users build it, but for the debugger's view of types, which costs the compiler a quarter of its time.
    return configure("build", "-Ddebug=false", "-Dcpp_args=-g1")


def build() -> Count:
    return one("build with gcc", configure_gcc() and execute("ninja", "-C", "build"))


def headers() -> Count:
    return one("every header on its own", configure_gcc() and execute("ninja", "-C", "build", "headers"))


def unit() -> Count:
    return meson_test("build", "all") if configure_gcc() else one("meson setup build", False)


def configure_clang() -> bool:
    options = (
        "-Dfuzzers=true", "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Doptimization=1", "-Ddebug=false",
        "-Dcpp_args=-gline-tables-only",
    )  # fmt: skip
    return configure(CLANG, *options, CC="clang-16", CXX="clang++-16")


def clang() -> Count:
    """One build says what clang thinks of everything, and carries the sanitizers and the fuzzers."""
    return one("build with clang", configure_clang() and execute("ninja", "-C", CLANG))


def sanitized() -> Count:
    return meson_test(
        CLANG, "sanitized", "--suite", "unit", "--suite", "packet",
        ASAN_OPTIONS="detect_leaks=1:abort_on_error=1", UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1",
    )  # fmt: skip


def threads() -> Count:
    """Readers against the writer, under ThreadSanitizer: the rooms that need no EAL."""
    if not configure("build-tsan", "-Db_sanitize=thread", "-Db_lundef=false", "-Doptimization=1"):
        return one("meson setup build-tsan", False)
    readers = "--test-args=--gtest_filter=*FibReaders*:Qsbr.*"
    options = "halt_on_error=1"
    return meson_test(
        "build-tsan", "threads", "fib", readers, "--timeout-multiplier", "3", TSAN_OPTIONS=options
    )


def run_fuzzer(program: Path, seconds: int) -> bool:
    """With its seeds, and a corpus that grows from run to run."""
    corpus = ROOT / CLANG / "corpus" / program.name
    corpus.mkdir(parents=True, exist_ok=True)
    name = program.name.removesuffix("_fuzz")
    seeds = (ROOT / "tests/fixtures" / name, ROOT / "tests/fuzz/corpus" / name)
    folders = (corpus, *(folder for folder in seeds if folder.is_dir()))
    limits = (
        f"-max_total_time={seconds}", "-rss_limit_mb=4096", "-verbosity=0", f"-artifact_prefix={corpus}/",
    )  # fmt: skip
    return execute(program, *limits, *folders)


def fuzz() -> Count:
    """A short run of each fuzzer, two at a time: it finds what a change broke, not what years would."""
    programs = sorted(path for path in (ROOT / CLANG / "tests/fuzz").glob("*_fuzz") if path.is_file())
    if not programs:
        return one("fuzz: there are no fuzzers", False)
    count = Count()
    with ThreadPoolExecutor(2) as pool:
        held = pool.map(lambda program: run_fuzzer(program, FUZZ_SECONDS), programs)
        for program, holds in zip(programs, held, strict=True):
            count += one(f"fuzz: {program.name}", holds)
    return count


def network() -> Count:
    return pytest("tests/net")


def virtual_machine() -> Count:
    return pytest("tests/vm")


def command_line() -> Count:
    return pytest("tests/cli")


def package() -> Count:
    return pytest("tests/package")


@dataclass(frozen=True)
class Stage:
    name: str
    run: Callable[[], Count]
    quick: bool
    what: str


STAGES = (
    Stage("build", build, True, "gcc 12, warnings are errors"),
    Stage("headers", headers, False, "every header compiles on its own"),
    Stage("unit", unit, True, "units of each room, and packets through the real pipeline"),
    Stage("cli", command_line, True, "the command line"),
    Stage("net", network, True, "network namespaces, exact packet counts"),
    Stage("vm", virtual_machine, False, "a virtual machine with virtio NICs"),
    Stage("package", package, False, "the Debian package, installed in a clean root and run by systemd there"),
    Stage("clang", clang, False, "clang 16 compiles everything, fuzzers too, with ASan and UBSan"),
    Stage("sanitized", sanitized, False, "unit and packet tests under ASan and UBSan"),
    Stage("threads", threads, False, "table tests under TSan"),
    Stage("fuzz", fuzz, False, f"each fuzzer for {FUZZ_SECONDS} s"),
)


def run(stages: Sequence[Stage]) -> Count:
    total = Count()
    lines = []
    for stage in stages:
        print(f"\n=== {stage.name}: {stage.what}", flush=True)
        started = time.monotonic()
        count = stage.run()
        lines.append(f"{stage.name:<10} {time.monotonic() - started:6.0f} s   {count}")
        total += count
    print("\n" + "\n".join(lines))
    for kind, names in (("FAILED", total.failed), ("SKIPPED", total.skipped)):
        for name in names:
            print(f"{kind} {name}")
    return total

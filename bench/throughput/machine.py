# SPDX-License-Identifier: BSD-3-Clause
"""The machine that was measured on, as far as a reader needs it to judge the numbers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

CPUS = sorted(os.sched_getaffinity(0))
MAIN_CPU, WORKER_CPU = CPUS[0], CPUS[-1]
HUGEPAGES = "/sys/kernel/mm/hugepages/hugepages-2048kB"


@dataclass(frozen=True)
class Machine:
    cpu: str
    cpus: int
    tsc_mhz: float
    governor: str
    hypervisor: str
    hugepages_total: int


def _cpuinfo(key: str) -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def _word(path: str, otherwise: str) -> str:
    file = Path(path)
    return file.read_text().strip() if file.exists() else otherwise


def look() -> Machine:
    return Machine(
        cpu=_cpuinfo("model name") or "unknown",
        cpus=os.cpu_count() or 1,
        # Where the TSC gives the kernel its time, loops_per_jiffy is set from the TSC's frequency.
        tsc_mhz=float(_cpuinfo("bogomips") or 0) / 2,
        governor=_word(
            f"/sys/devices/system/cpu/cpu{WORKER_CPU}/cpufreq/scaling_governor", "not the guest's to set"
        ),
        hypervisor="yes" if " hypervisor" in _cpuinfo("flags") else "no",
        hugepages_total=int(_word(f"{HUGEPAGES}/nr_hugepages", "0")),
    )


def free_hugepage_mb() -> int:
    # A page that another process has reserved counts as free until it is touched.
    return 2 * (int(_word(f"{HUGEPAGES}/free_hugepages", "0")) - int(_word(f"{HUGEPAGES}/resv_hugepages", "0")))

# SPDX-License-Identifier: BSD-3-Clause
"""What a compiler says of the units that its build folder does not build by default: the programs, which no test runs under the
sanitizers. To instrument and link them would take a fifth of the build's time.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from suite.commands import entries, without_output
from suite.shell import Shell


def check(folder: Path, shell: Shell) -> bool:
    """Whether it has nothing to say; the shell's log has what it says."""
    units = [entry for entry in entries(folder) if not (folder / entry["output"]).exists()]

    def passes(entry: dict[str, str]) -> bool:
        return shell(*without_output(entry["command"]), "-fsyntax-only", entry["file"], folder=folder, quiet=True)

    with ThreadPoolExecutor(2) as pool:
        return all(pool.map(passes, units))

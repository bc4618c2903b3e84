# SPDX-License-Identifier: BSD-3-Clause
"""CPU time a packet over veth: Sekisho by AF_XDP, Linux's own forwarding, and XDP with the kernel's table."""

import sys
from pathlib import Path

# Namespaces and processes are the tests' lab's.
sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))

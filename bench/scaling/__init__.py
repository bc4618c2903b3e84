# SPDX-License-Identifier: BSD-3-Clause
"""Packets a second of two workers on two CPUs, against one."""

import sys
from pathlib import Path

# Processes and namespaces are handled as the tests' lab does.
sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))

# SPDX-License-Identifier: BSD-3-Clause
"""The highest rate that an engine forwards without loss, and how long packets are under way below it."""

import sys
from pathlib import Path

# Processes and namespaces are handled as the tests' lab does.
sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))

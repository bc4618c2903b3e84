# SPDX-License-Identifier: BSD-3-Clause
"""How many packets are lost, and how long none comes, while something changes."""

import sys
from pathlib import Path

# Networks, processes and streams are the tests' lab's.
sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))

# SPDX-License-Identifier: BSD-3-Clause
"""How long nothing is forwarded when the dataplane is killed and started again."""

import sys
from pathlib import Path

# Networks, processes and streams are the tests' lab's.
sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))

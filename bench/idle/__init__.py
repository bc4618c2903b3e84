# SPDX-License-Identifier: BSD-3-Clause
"""What a worker costs when there is little to do, and how soon it is awake."""

import sys
from pathlib import Path

# Processes and namespaces are handled as the tests' lab does.
sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))

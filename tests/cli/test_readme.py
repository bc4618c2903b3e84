# SPDX-License-Identifier: BSD-3-Clause
"""README's first configuration is one in which `sekisho check` finds no fault."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

README = Path(__file__).parents[2] / "README.md"


def test_the_first_configuration_is_good(sekisho: Any, tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    (tmp_path / "sekisho.toml").write_text(blocks[0])
    (tmp_path / "overrides.txt").write_text("192.0.2.0/24 second-gateway\n")
    done = sekisho("check", "--config", tmp_path / "sekisho.toml", "--json")
    assert done.returncode == 0, done
    # Its interfaces are not on this machine.
    found = {finding["rule"] for finding in json.loads(done.stdout)["findings"] if finding["severity"] != "note"}
    assert found <= {"no-interface"}

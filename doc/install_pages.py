#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Installs the pages of commands, which are as many as the program lists: meson knows of none by name.

install_pages.py FOLDER MANDIR
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def main() -> None:
    folder, manuals = map(Path, sys.argv[1:])
    # Below MESON_INSTALL_DESTDIR_PREFIX, which meson sets.
    target = Path(os.environ["MESON_INSTALL_DESTDIR_PREFIX"]) / manuals / "man1"
    target.mkdir(parents=True, exist_ok=True)
    for name in (folder / "commands.list").read_text().split():
        shutil.copy(folder / name, target / name)


main()

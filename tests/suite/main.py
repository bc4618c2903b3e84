# SPDX-License-Identifier: BSD-3-Clause
"""Builds and tests everything. The very last line is `N passed, N failed, N skipped`; the exit code is 0 only when
nothing failed and nothing was skipped.
"""

from __future__ import annotations

import argparse
import os
import sys

from suite.schedule import Run, with_needed
from suite.stages import FULL, STAGES


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="stages:\n" + "\n".join(f"  {stage.name:<10} {stage.what}" for stage in STAGES),
    )
    parser.add_argument("--quick", action="store_true", help=f"gcc only: {', '.join(stage.name for stage in STAGES if stage.quick)}")
    parser.add_argument(
        "--full",
        action="store_true",
        help="every combination of the matrix in tests/net, not every pair, 900,000 routes by BGP, the booted image, all headers, and ARM64 in an emulated machine: an hour more",
    )
    parser.add_argument(
        "--only",
        action="append",
        metavar="STAGE",
        choices=[stage.name for stage in STAGES],
        help="and the build that it needs; may be repeated",
    )
    options = parser.parse_args()
    if options.full:
        os.environ[FULL] = "1"
    if options.only:
        chosen = [stage for stage in STAGES if stage.name in options.only]
    else:
        chosen = [stage for stage in STAGES if (stage.quick if options.quick else stage.whole or (stage.full and options.full))]
    total = Run(with_needed(chosen)).all()
    print(total)
    return 1 if total.failed or total.skipped else 0


if __name__ == "__main__":
    sys.exit(main())

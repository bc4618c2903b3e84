# SPDX-License-Identifier: BSD-3-Clause
"""Labs: `up` builds one with both processes running that stays, `list` names those that stay, `down` removes them; `run` plays a
scenario on Azure's fabric, with BGP, and exits with 0 only when all of it holds.
"""

from __future__ import annotations

import argparse
import sys

from lab import config, namespace
from lab.appliance import Appliance
from lab.demo import describe
from lab.scenarios.run import SCENARIOS, run
from lab.topology import Lab


def up() -> int:
    with Lab() as lab:
        appliance = Appliance(lab, config.example(lab))
        appliance.start()
        print(describe(lab, appliance))
        lab.keep = True
    return 0


def down(names: list[str]) -> int:
    known = namespace.kept()
    for name in names or known:
        if name not in known:
            print(f"scripts/lab: there is no lab {name}; `scripts/lab list` names them", file=sys.stderr)
            return 1
        namespace.remove_run(name)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="build a lab")
    commands.add_parser("list", help="labs that stay")
    commands.add_parser("down", help="remove labs").add_argument(
        "name", nargs="*", help="which; all when none is named"
    )
    play = commands.add_parser(
        "run",
        help="play a scenario",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="scenarios:\n" + "\n".join(f"  {scenario.name:<15} {scenario.what}" for scenario in SCENARIOS.values()),
    )
    play.add_argument("scenario", choices=SCENARIOS, metavar="SCENARIO", help="one of those below")
    play.add_argument("--keep", action="store_true", help="leave the lab up and say how to look around")
    options = parser.parse_args()
    if options.command == "run":
        return run(options.scenario, options.keep)
    if options.command == "up":
        return up()
    if options.command == "down":
        return down(options.name)
    print("\n".join(namespace.kept()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

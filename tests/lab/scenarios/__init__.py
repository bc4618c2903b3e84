# SPDX-License-Identifier: BSD-3-Clause
"""The scenarios that the appliance is for, alive: `scripts/lab run NAME`. doc/scenarios.md tells each of them."""

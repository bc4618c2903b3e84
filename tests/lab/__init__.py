# SPDX-License-Identifier: BSD-3-Clause
"""A small world of network namespaces around the appliance, for scripts/demo, scripts/lab and tests/net."""

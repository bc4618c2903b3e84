# SPDX-License-Identifier: BSD-3-Clause
"""Azure, as far as an appliance meets it: the fabric under the NICs, route servers, gateways and a Virtual WAN hub."""

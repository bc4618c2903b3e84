# SPDX-License-Identifier: BSD-3-Clause
"""What scripts/test runs, and how it counts."""

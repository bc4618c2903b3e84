# SPDX-License-Identifier: BSD-3-Clause
"""The disk that scripts/packaging/image makes, booted where the lab's `nva` namespace would stand."""

# SPDX-License-Identifier: BSD-3-Clause
"""The product in a virtual machine with virtio NICs, where the lab's `nva` namespace would stand."""

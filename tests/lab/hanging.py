# SPDX-License-Identifier: BSD-3-Clause
"""A mount that hangs as a dead file server's does: one file is there, with a size, and whoever reads it waits.

The kernel's FUSE protocol (linux/fuse.h), as much of it as one file takes.
"""

from __future__ import annotations

import ctypes
import os
import struct
import threading
from pathlib import Path
from types import TracebackType

_libc = ctypes.CDLL(None, use_errno=True)
MNT_DETACH = 2

LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT, INTERRUPT = 1, 2, 3, 14, 15, 18, 25, 26, 36
ENOENT, EINTR, ENOSYS = 2, 4, 38
DIRECT_IO = 1  # every reader asks, also one behind another that waits for the same page
FOLDER_NODE, FILE_NODE = 1, 2
REQUEST = struct.Struct("<IIQQIIIHH")
REPLY = struct.Struct("<IiQ")


class HangingMount:
    """Mounted on `folder`; `file` hangs until `answer` gives its content or the mount goes away."""

    def __init__(self, folder: Path, name: str, content: bytes) -> None:
        self.folder = folder
        self.file = folder / name
        self._name = name.encode()
        self._content = content
        self._reads: list[tuple[int, int, int]] = []  # unanswered: which, offset, size
        self._readers = 0
        self._seen = 0
        self._answers = False
        self._changed = threading.Condition()

    def __enter__(self) -> HangingMount:
        self.folder.mkdir()
        self._device = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self._device},rootmode=40000,user_id=0,group_id=0"
        if _libc.mount(b"hanging", bytes(self.folder), b"fuse", 0, options.encode()) != 0:
            error = ctypes.get_errno()
            os.close(self._device)
            raise OSError(error, f"mount: {os.strerror(error)}")
        self._server = threading.Thread(target=self._serve, daemon=True)
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.answer()
        _libc.umount2(bytes(self.folder), MNT_DETACH)
        os.close(self._device)
        self.folder.rmdir()

    def wait_for_a_reader(self) -> None:
        """One that has come since the last call."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._readers > self._seen, 20), "nobody reads the file"
            self._seen = self._readers

    def answer(self) -> None:
        """Whoever waits gets the content, and so does whoever comes."""
        with self._changed:
            self._answers = True
            for which, offset, size in self._reads:
                self._reply(which, self._content[offset : offset + size])
            self._reads.clear()

    def _serve(self) -> None:
        while True:
            try:
                request = os.read(self._device, 1 << 18)
            except OSError:  # unmounted
                return
            _, code, which, node, *_ = REQUEST.unpack_from(request)
            self._handle(code, which, node, request[REQUEST.size :])

    def _handle(self, code: int, which: int, node: int, body: bytes) -> None:
        if code == INIT:
            self._reply(which, struct.pack("<IIIIHHIIHHI28x", 7, 31, 1 << 17, 0, 16, 12, 1 << 17, 1, 1, 0, 0))
        elif code == LOOKUP and body.rstrip(b"\0") == self._name:
            self._reply(which, struct.pack("<QQQQII", FILE_NODE, 0, 0, 0, 0, 0) + self._attributes(FILE_NODE))
        elif code == LOOKUP:
            self._reply(which, b"", -ENOENT)
        elif code == GETATTR:
            self._reply(which, struct.pack("<QII", 0, 0, 0) + self._attributes(node))
        elif code == OPEN:
            self._reply(which, struct.pack("<QII", 0, DIRECT_IO, 0))
        elif code == READ:
            offset, size = struct.unpack_from("<QI", body, 8)
            with self._changed:
                self._reads.append((which, offset, size))
                self._readers += 1
                self._changed.notify_all()
                answers = self._answers
            if answers:
                self.answer()
        elif code == INTERRUPT:  # a reader was killed; without an answer the kernel would keep it
            (waits,) = struct.unpack_from("<Q", body)
            with self._changed:
                self._reads = [read for read in self._reads if read[0] != waits]
            self._reply(waits, b"", -EINTR)
        elif code in (FLUSH, RELEASE):
            self._reply(which, b"")
        elif code != FORGET:
            self._reply(which, b"", -ENOSYS)

    def _attributes(self, node: int) -> bytes:
        is_folder = node == FOLDER_NODE
        mode, size = (0o40755, 0) if is_folder else (0o100644, len(self._content))
        return struct.pack("<6Q3I6II", node, size, 1, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def _reply(self, which: int, body: bytes, error: int = 0) -> None:
        try:
            os.write(self._device, REPLY.pack(REPLY.size + len(body), error, which) + body)
        except OSError:  # who asked is gone
            pass

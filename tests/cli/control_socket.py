# SPDX-License-Identifier: BSD-3-Clause
"""A sekisho-control that answers each request with pages which a test gives it."""

import contextlib
import json
import socket
import struct
import threading


class ControlSocket:
    def __init__(self, path, answer):
        self.path = path
        self.answer = answer  # request -> list of pages, or the text of a refusal
        self.asked = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                with client, contextlib.suppress(OSError, struct.error):
                    stream = client.makefile("rb")
                    while True:
                        (length,) = struct.unpack(">I", stream.read(4))
                        self.asked.append(json.loads(stream.read(length)))
                        for reply in self._replies(self.answer(self.asked[-1])):
                            body = json.dumps(reply).encode()
                            client.sendall(struct.pack(">I", len(body)) + body)

    @staticmethod
    def _replies(answer):
        if isinstance(answer, str):
            return [{"ok": False, "error": answer}]
        return [{"ok": True, "result": page, "more": page is not answer[-1]} for page in answer]

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

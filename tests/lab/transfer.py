# SPDX-License-Identifier: BSD-3-Clause
"""A large transfer by TCP between on-premises and a server on the Internet: it ends only if both learn the MTU of their path."""

from __future__ import annotations

import contextlib
import socket
import threading

from lab.topology import ONPREM, Lab

PORT = 7001
SIZE = 300_000
PATIENCE = 60  # an emulated machine takes its time


class Server:
    """Takes one connection; sends or takes SIZE bytes."""

    def __init__(self, lab: Lab, address: str, sends: bool) -> None:
        self.received = 0
        self.sends = sends
        self.listening = lab["internet"].socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listening.bind((address, PORT))
        self.listening.listen()
        self.thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Server:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listening.close()
        self.thread.join()

    def _serve(self) -> None:
        self.listening.settimeout(PATIENCE)
        with contextlib.suppress(OSError):
            connection, _ = self.listening.accept()
            with connection:
                connection.settimeout(PATIENCE)
                if self.sends:
                    connection.sendall(bytes(SIZE))
                while piece := connection.recv(65536):
                    self.received += len(piece)


def connect(lab: Lab, address: str) -> socket.socket:
    client = lab["onprem"].socket(socket.AF_INET, socket.SOCK_STREAM)
    client.settimeout(PATIENCE)
    client.bind((ONPREM, 0))
    client.connect((address, PORT))
    return client


def upload(lab: Lab, address: str) -> None:
    with Server(lab, address, sends=False) as server:
        with connect(lab, address) as client:
            client.sendall(bytes(SIZE))
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b"", "the server has read all and closed"
        assert server.received == SIZE


def download(lab: Lab, address: str) -> None:
    with Server(lab, address, sends=True), connect(lab, address) as client:
        received = 0
        while received < SIZE:
            piece = client.recv(65536)
            assert piece, f"{received} of {SIZE} bytes"
            received += len(piece)

# SPDX-License-Identifier: BSD-3-Clause
"""The Internet's servers, one process: a web page and a KMS listener. Each connection leaves one JSON line, and each page.

usage: services.py LOG WEB-ADDRESS KMS-ADDRESS KMS-PORT
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

LARGE = bytes(4 << 20)  # what GET /large gets
PAGE = b"<!doctype html><title>The Internet</title><p>Hello from behind the checkpoint.\n"


def note(log: Path, service: str, writer: asyncio.StreamWriter) -> None:
    client, port = writer.get_extra_info("peername")
    with log.open("a") as file:
        file.write(json.dumps({"service": service, "client": client, "port": port}) + "\n")


async def main(log: Path, web: str, kms: str, kms_port: int) -> None:
    async def serve_page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        note(log, "web", writer)
        try:
            request = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return  # a probe, that only connects
        note(log, "page", writer)
        body = LARGE if request.startswith(b"GET /large ") else PAGE
        head = f"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    async def serve_kms(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        note(log, "kms", writer)
        writer.write(b"KMS\n")
        await writer.drain()
        writer.close()

    servers = [
        await asyncio.start_server(serve_page, web, 80),
        await asyncio.start_server(serve_kms, kms, kms_port),
    ]
    print("ready", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))

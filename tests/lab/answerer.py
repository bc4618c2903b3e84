# SPDX-License-Identifier: BSD-3-Clause
"""What runs on a firewall to be probed: answers every HTTP request with 200. usage: answerer.py PORT"""

from __future__ import annotations

import asyncio
import sys


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # who only connects has what he wanted
    writer.close()


async def main(port: int) -> None:
    server = await asyncio.start_server(answer, "0.0.0.0", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))

# SPDX-License-Identifier: BSD-3-Clause
"""TCP sessions that last. usage: echo.py serve PORT | echo.py talk ADDRESS PORT COUNT

`talk` opens COUNT connections and keeps them; each line on its standard input makes it send a line by every connection and
print, as JSON, how many got it back.
"""

from __future__ import annotations

import asyncio
import json
import sys

PATIENCE = 10  # seconds for an answer: some retransmissions


async def serve(port: int) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(line)
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(echo, "0.0.0.0", port)
    print("ready", flush=True)
    await server.serve_forever()


async def talk(address: str, port: int, count: int) -> None:
    opened = await asyncio.gather(
        *(asyncio.wait_for(asyncio.open_connection(address, port), PATIENCE) for _ in range(count)), return_exceptions=True
    )
    connections = [item for item in opened if not isinstance(item, BaseException)]

    async def say(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        line = f"{number}\n".encode()
        try:
            writer.write(line)
            return await asyncio.wait_for(reader.readline(), PATIENCE) == line
        except (asyncio.TimeoutError, ConnectionError):
            return False

    loop = asyncio.get_running_loop()
    number = 0
    while await loop.run_in_executor(None, sys.stdin.readline):
        number += 1
        answers = await asyncio.gather(*(say(number, *connection) for connection in connections))
        print(json.dumps({"opened": len(connections), "answered": sum(answers)}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve(int(sys.argv[2])))
    else:
        asyncio.run(talk(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))

# SPDX-License-Identifier: BSD-3-Clause
"""A headless Chromium in a namespace of the lab, driven by its DevTools protocol over two pipes: it listens nowhere."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from select import select
from typing import Any

from lab.process import wait_until
from lab.topology import Lab

PATIENCE = 60.0  # a browser that starts on a busy machine


class BrowserError(AssertionError):
    """The browser refused a command, or a script in it failed."""


class Browser:
    """One browser with one page. What its console, its scripts and its network say is kept."""

    def __init__(self, lab: Lab, space: str, cpus: list[int]) -> None:
        self.folder = tempfile.mkdtemp(prefix="sekisho-browser-")
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        # Chromium reads commands from descriptor 3 and writes answers to 4.
        moved = f'exec 8<&{to_browser} 9>&{from_browser}; exec 3<&8 4>&9 8<&- 9>&-; exec "$@" 2>"$0"'
        self.child = subprocess.Popen(
            [
                str(word)
                for word in lab[space].command(
                    "bash", "-c", moved, f"{self.folder}/log",
                    "taskset", "-c", ",".join(map(str, cpus)),
                    "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
                    "--no-first-run", "--disable-background-networking", "--disable-component-update",
                    f"--user-data-dir={self.folder}/profile", "about:blank",
                )
            ],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        self._number = 0
        self._buffer = b""
        self._session: str | None = None
        self.exceptions: list[str] = []
        self.logged: list[dict[str, Any]] = []
        self.requests: list[str] = []
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.command(f"{domain}.enable")

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        os.close(self._read)
        os.close(self._write)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- the protocol ---------------------------------------------------------------------------------------

    def command(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._receive(deadline - time.monotonic())
            if answer is None:
                raise BrowserError(f"{method}: no answer\n{self._log()}")
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                return answer["result"]
            self._notice(answer)

    def _receive(self, seconds: float) -> dict[str, Any] | None:
        deadline = time.monotonic() + seconds
        while b"\0" not in self._buffer:
            ready, _, _ = select([self._read], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            part = os.read(self._read, 1 << 20)
            if not part:
                raise BrowserError(f"the browser has ended\n{self._log()}")
            self._buffer += part
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def _notice(self, message: dict[str, Any]) -> None:
        said = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            details = said["exceptionDetails"]
            self.exceptions.append(details.get("exception", {}).get("description", details["text"]))
        elif message.get("method") == "Log.entryAdded":
            self.logged.append(said["entry"])
        elif message.get("method") == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"])

    def _log(self) -> str:
        with open(f"{self.folder}/log") as log:
            return log.read()[-2000:]

    # --- the page -------------------------------------------------------------------------------------------

    def open(self, url: str) -> None:
        self.command("Page.navigate", url=url)

    def resize(self, width: int, height: int) -> None:
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)

    def prefer(self, feature: str, value: str) -> None:
        self.command("Emulation.setEmulatedMedia", features=[{"name": feature, "value": value}])

    def evaluate(self, script: str) -> Any:
        said = self.command("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in said:
            raise BrowserError(f"{script}: {said['exceptionDetails']}")
        return said["result"].get("value")

    def text(self, selector: str = "body") -> str:
        """As it is seen, also of what is not on the screen now; empty while nothing matches."""
        return self.evaluate(f"(document.querySelector({json.dumps(selector)}) || {{innerText: ''}}).innerText")

    def wait_for(self, what: str, script: str, timeout: float = 30) -> Any:
        try:
            return wait_until(what, lambda: self.evaluate(script), timeout, interval=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text()}\n{self.exceptions}\n{self.logged}") from error

    def wait_for_text(self, text: str, selector: str = "body", timeout: float = 30) -> None:
        def there() -> bool:
            return text in self.text(selector)

        try:
            wait_until(f"{selector} to say {text!r}", there, timeout, interval=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text(selector)}\n{self.exceptions}\n{self.logged}") from error

    def press(self, key: str, code: int, text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            self.command("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, text=text if kind == "keyDown" else "")

    def type(self, text: str) -> None:
        self.command("Input.insertText", text=text)

    def screenshot(self) -> str:
        """PNG, in base64."""
        return self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]


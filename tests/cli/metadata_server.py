# SPDX-License-Identifier: BSD-3-Clause
"""The metadata server of a cloud, at 169.254.169.254 of the namespace that it runs in.

metadata_server.py ACCEPTED azure|aws|google|hangs [BROKEN]

The file ACCEPTED gets a line for each connection, and 503 is what each path gets that ends with BROKEN. Says "ready" when it
listens, and ends with the process that started it. As strict as the real ones: without the header that
each of them wants, and with the one of a proxy, it refuses.
"""

from __future__ import annotations

import ctypes
import json
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
TOKEN = "AQAEA-not-a-secret"

AZURE = {
    "compute": {
        "name": "nva1", "vmSize": "Standard_D4s_v5", "location": "westeurope", "resourceGroupName": "network",
        "azEnvironment": "AzurePublicCloud",
    },
    "network": {"interface": [
        {"macAddress": "000D3A000001", "ipv6": {"ipAddress": []},
         "ipv4": {"ipAddress": [{"privateIpAddress": "10.0.1.4", "publicIpAddress": ""}],
                  "subnet": [{"address": "10.0.1.0", "prefix": "24"}]}},
        {"macAddress": "000D3A000002", "ipv6": {"ipAddress": []},
         "ipv4": {"ipAddress": [{"privateIpAddress": "10.0.2.4", "publicIpAddress": "203.0.113.7"}],
                  "subnet": [{"address": "10.0.2.0", "prefix": "24"}]}},
    ]},
}  # fmt: skip
MACS = "network/interfaces/macs/"
AWS = {
    "instance-id": "i-0123456789abcdef0",
    "instance-type": "c6in.xlarge",
    "placement/region": "eu-central-1",
    MACS: "00:0d:3a:00:00:01/\n00:0d:3a:00:00:02/",
    MACS + "00:0d:3a:00:00:01/local-ipv4s": "10.0.1.4",
    MACS + "00:0d:3a:00:00:01/subnet-ipv4-cidr-block": "10.0.1.0/24",
    MACS + "00:0d:3a:00:00:01/interface-id": "eni-1",
    MACS + "00:0d:3a:00:00:02/local-ipv4s": "10.0.2.4\n10.0.2.5",
    MACS + "00:0d:3a:00:00:02/public-ipv4s": "203.0.113.7",
    MACS + "00:0d:3a:00:00:02/subnet-ipv4-cidr-block": "10.0.2.0/24",
    MACS + "00:0d:3a:00:00:02/interface-id": "eni-2",
}
GOOGLE = {
    "name": "nva1",
    "machine-type": "projects/1/machineTypes/n2-standard-4",
    "zone": "projects/1/zones/europe-west4-a",
    "network-interfaces/?recursive=true": json.dumps([
        {"mac": "00:0d:3a:00:00:01", "ip": "10.0.1.4", "subnetmask": "255.255.255.0", "accessConfigs": [],
         "forwardedIps": ["10.0.1.100"], "ipAliases": ["10.4.0.0/28"], "targetInstanceIps": []},
        {"mac": "00:0d:3a:00:00:02", "ip": "10.0.2.4", "subnetmask": "255.255.255.0", "forwardedIps": [], "ipAliases": [],
         "accessConfigs": [{"externalIp": "203.0.113.7", "type": "ONE_TO_ONE_NAT"}]},
    ]),
}  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    cloud = ""
    broken: str | None = None

    def do_PUT(self) -> None:
        good = self.cloud == "aws" and self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self.answer(TOKEN if good else None)

    def do_GET(self) -> None:
        answer = None
        if self.cloud == "hangs":
            time.sleep(60)
        if self.cloud == "azure" and self.headers["Metadata"] == "true":
            path, _, query = self.path.partition("?")
            answer = json.dumps(AZURE) if path == "/metadata/instance" and query.startswith("api-version=20") else None
        if self.cloud == "aws" and self.headers["X-aws-ec2-metadata-token"] == TOKEN:
            answer = AWS.get(self.path.removeprefix("/latest/meta-data/"))
        if self.cloud == "google" and self.headers["Metadata-Flavor"] == "Google":
            answer = GOOGLE.get(self.path.removeprefix("/computeMetadata/v1/instance/"))
        self.answer(answer)

    def answer(self, text: str | None) -> None:
        refused = text is None or "X-Forwarded-For" in self.headers or self.headers["Host"] != "169.254.169.254"
        body = b"" if refused or text is None else text.encode()
        is_broken = self.broken is not None and self.path.endswith(self.broken)
        body = b"" if is_broken else body
        self.send_response(503 if is_broken else 404 if refused else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    def get_request(self) -> Any:
        request = super().get_request()
        with Path(sys.argv[1]).open("a") as accepted:
            accepted.write("one\n")
        return request


def main() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    Handler.cloud, *broken = sys.argv[2:]
    Handler.broken = broken[0] if broken else None
    server = Server(("169.254.169.254", 80), Handler)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

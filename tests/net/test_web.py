# SPDX-License-Identifier: BSD-3-Clause
"""The page of [web] in a real browser, with a real appliance behind it: what it shows, and what it does when control is gone."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from lab import config
from lab.appliance import MAIN_CPU, ROOT, Appliance, Refused
from lab.browser import Browser
from lab.process import execute, wait_until
from lab.topology import FIREWALL, FIREWALL2, LAN, Lab

pytestmark = pytest.mark.usefixtures("manuals_neighbour_timers")

LISTEN = "127.0.0.1:8088"
WEB = f'\n[web]\nlisten = "{LISTEN}"\n'
# A name as hostile as the configuration lets it be stands in a path: names themselves are of letters alone.
HOSTILE = "<img src=x onerror=alert(1)>"
TAB, ENTER = ("Tab", 9), ("Enter", 13, "\r")


@pytest.fixture(scope="module")
def appliance(lab: Lab) -> Appliance:
    file = config.with_two_firewalls(lab)
    folder = file.parent.rename(file.parent.with_name(HOSTILE.replace("/", "")))
    file = folder / file.name
    file.write_text(file.read_text() + WEB)
    appliance = Appliance(lab, file)
    appliance.start()
    return appliance


@pytest.fixture(scope="module")
def browser(lab: Lab, appliance: Appliance) -> Iterator[Browser]:
    browser = Browser(lab, "nva", [MAIN_CPU])
    browser.resize(1280, 900)
    browser.open(f"http://{LISTEN}/")
    yield browser
    browser.close()


@pytest.fixture(autouse=True)
def well(appliance: Appliance) -> Iterator[None]:
    with appliance.put_back():
        yield
    wait_until("the appliance to be well again", lambda: appliance.execute("show", "state", "--check").returncode == 0)


def curl(lab: Lab, path: str, *options: str, space: str = "nva", at: str = LISTEN) -> tuple[int, str]:
    done = execute(*lab[space].command("curl", "-s", "--max-time", "8", "-w", "\n%{http_code}", *options, f"http://{at}{path}"))
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def ask(browser: Browser, source: str, destination: str) -> None:
    form = "document.querySelector('#ask')"
    browser.evaluate(f"{form}.from.value = '{source}', {form}.to.value = '{destination}', {form}.requestSubmit()")


def test_endpoints_say_what_the_command_says(lab: Lab, appliance: Appliance) -> None:
    status, body = curl(lab, "/api/v1/bgp")
    assert (status, json.loads(body)) == (200, appliance.json("show", "bgp"))
    for name in ("state", "ports", "next-hops", "zones", "stats"):  # in which time passes, and packets
        status, body = curl(lab, f"/api/v1/{name}")
        assert (status, shape(json.loads(body))) == (200, shape(appliance.json("show", name))), name
    status, body = curl(lab, "/api/v1/explain?from=172.16.0.10&to=1.1.1.1&port=lan")
    said = appliance.explain("172.16.0.10", "1.1.1.1")
    assert (status, json.loads(body)["member"], json.loads(body)["candidates"]) == (200, said["member"], said["candidates"])


def shape(value: Any) -> Any:
    """Without what changes."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return value if isinstance(value, str) and not value.isdigit() else None


def test_the_picture_shows_what_is_there(lab: Lab, appliance: Appliance, browser: Browser) -> None:
    browser.wait_for_text("Forwarding", "#verdict")
    assert browser.evaluate("document.title").startswith("● forwarding")
    picture = browser.text("#picture")
    for hop in appliance.json("show", "next-hops"):
        for member in hop["members"]:
            assert member["address"] in picture
    for name in ("onprem", "vnet", "internet", "lan", "egress", "firewall", "onprem-gateway", LAN, "2 of 2", "since "):
        assert name in picture, name
    nodes = set(browser.evaluate("[...document.querySelectorAll('[data-node]')].map(each => each.dataset.node)"))
    assert {f"member firewall {FIREWALL}", f"member firewall {FIREWALL2}", "zone onprem", "port lan", "hop Internet"} <= nodes
    assert browser.evaluate("document.querySelectorAll('#picture path').length") >= 3 + 5 + 5


def test_names_are_text(lab: Lab, appliance: Appliance, browser: Browser) -> None:
    browser.wait_for_text(HOSTILE, "#verdict")
    assert browser.evaluate("document.images.length") == 0


def test_a_firewall_dies(lab: Lab, appliance: Appliance, browser: Browser) -> None:
    browser.wait_for_text("Forwarding", "#verdict")
    lab.link_down("firewall")
    browser.wait_for_text("Degraded", "#verdict")
    browser.wait_for_text("firewall 1 of 2 alive", "#verdict")
    dead = f"[data-node='member firewall {FIREWALL}']"
    browser.wait_for_text("dead", dead)
    assert re.search(r"since \d\d:\d\d:\d\d", browser.text(dead)), browser.text(dead)
    browser.wait_for_text(f"member {FIREWALL} of firewall is dead", "#news")
    assert "degraded" in browser.evaluate("document.querySelector('#say').textContent"), "who hears the page is told"
    lab.link_down("firewall2")
    browser.wait_for_text("Closed", "#verdict")
    lab.link_up("firewall")
    lab.link_up("firewall2")
    browser.wait_for_text("Forwarding", "#verdict", timeout=60)


def test_drops_and_rates(lab: Lab, appliance: Appliance, browser: Browser) -> None:
    pings = lab.spawn("onprem", "pings", "ping", "-q", "-i", "0.05", "192.168.7.7")
    through = lab.spawn("onprem", "through", "ping", "-q", "-i", "0.05", "1.1.1.1")
    try:
        browser.wait_for_text("null_route", "#lost-packets")
        browser.wait_for_text("a route of type None covers the destination", "#lost-packets")
        browser.wait_for_text("192.168.7.7", "#lost-packets")
        browser.wait_for("a rate", "/in [1-9]/.test(document.querySelector('#charts').innerText.replaceAll('\\u00a0', ' '))")
        browser.wait_for("traffic on a wire", "document.querySelectorAll('#picture path.flows').length > 0")
    finally:
        for process in (pings, through):
            process.stop()
            lab.forget(process)
    browser.evaluate("document.querySelector('#lost-packets button[data-to=\"192.168.7.7\"]').click()")
    browser.wait_for_text("Dropped: null_route", "#answer")
    assert browser.evaluate("document.activeElement.name") == "from"


def test_lines_of_before_the_page_was_open(lab: Lab, appliance: Appliance, browser: Browser) -> None:
    """Drawn by the first answer; while the dataplane was away they are broken."""

    def traffic() -> list[int | None]:
        ports = json.loads(curl(lab, "/api/v1/rates")[1])["ports"]
        return next((port["rx_bits"] for port in ports if port["name"] == "lan"), [])

    def drawn() -> list[int]:
        """Of each port that has a line: how many pieces, of how many points, the line has."""
        lines = browser.evaluate("JSON.stringify([...document.querySelectorAll('#charts path:not(.area, .tx, .drop)')].map(each => each.getAttribute('d')))")
        return [line.count("L") for line in json.loads(lines)]

    through = lab.spawn("onprem", "through", "ping", "-q", "-i", "0.05", "1.1.1.1")
    try:
        wait_until("three rates of the lan", lambda: sum(1 for bits in traffic() if bits) >= 3, 60)
    finally:
        through.stop()
        lab.forget(through)
    browser.evaluate("window.setInterval = () => 0, 1")
    browser.open(f"http://{LISTEN}/")
    browser.wait_for("a line", "document.querySelectorAll('#charts path').length > 0")
    assert max(drawn()) >= 3, "by then the page itself has counted twice at most"
    appliance.kill_dataplane()
    appliance.start_dataplane()
    before = len(traffic())
    wait_until("a rate of the new dataplane", lambda: len(traffic()) >= min(before + 2, 150) and traffic()[-1] is not None, 60)
    known = [bits is not None for bits in traffic()]
    assert False in known[known.index(True):], "one dataplane's counters less another's are no rate"
    assert max(bits or 0 for bits in traffic()) < 1_000_000


def test_explain_with_the_keyboard_alone(lab: Lab, appliance: Appliance, browser: Browser) -> None:
    browser.wait_for_text("Forwarding", "#verdict")
    browser.evaluate("document.querySelector('#ask').reset(), document.querySelector('#answer').replaceChildren(), document.activeElement.blur()")
    browser.evaluate("document.querySelector('.skip').focus()")
    browser.press(*ENTER)
    browser.press(*TAB)
    assert browser.evaluate("document.activeElement.name") == "from"
    assert browser.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", "the focus is seen"
    browser.type("172.16.0.10")
    browser.press(*TAB)
    browser.type("1.1.1.1")
    browser.press(*ENTER)
    browser.wait_for_text("Forwarded", "#answer")
    way = browser.text("#answer")
    for said in ("onprem", "172.16.0.0/12", "0.0.0.0/1 wins", "firewall", "takes this flow", "decides the same"):
        assert said in way, said
    assert appliance.explain("172.16.0.10", "1.1.1.1", "lan")["member"] in way
    assert browser.evaluate("document.activeElement.name") == "to", "and stays where it was while the page is drawn anew"
    unlabelled = "[...document.querySelectorAll('input, select, button')].filter(each => !each.labels?.length && !each.innerText.trim()).length"
    assert browser.evaluate(unlabelled) == 0


def test_a_silly_question_is_answered_in_words(browser: Browser) -> None:
    ask(browser, "here", "1.1.1.1")
    browser.wait_for_text("here", "#answer")


def test_control_is_killed_and_comes_back(lab: Lab, appliance: Appliance, browser: Browser) -> None:
    browser.wait_for_text("Forwarding", "#verdict")
    appliance.kill_control()
    browser.wait_for_text("No answer since", "#lost")
    assert browser.evaluate("document.body.classList.contains('gone')")
    # Opacity moves there in a moment.
    browser.wait_for("greyed values", "getComputedStyle(document.querySelector('#verdict').parentElement).filter === 'grayscale(1)'")
    assert "no answer" in browser.text("#pulse") and "no answer" in browser.evaluate("document.title")
    ask(browser, "172.16.0.10", "1.1.1.1")
    browser.wait_for_text("No answer", "#answer")
    appliance.start_control()
    browser.wait_for("it to be live again", "!document.body.classList.contains('gone') && document.querySelector('#lost').hidden", timeout=60)
    browser.wait_for_text("Forwarding", "#verdict")
    assert browser.text("#pulse") == "live"


def test_control_hangs(lab: Lab, appliance: Appliance, browser: Browser) -> None:
    browser.wait_for_text("Forwarding", "#verdict")
    appliance.signal_control(signal.SIGSTOP)
    try:
        browser.wait_for_text("No answer since", "#lost")
    finally:
        appliance.signal_control(signal.SIGCONT)
    browser.wait_for("it to be live again", "!document.body.classList.contains('gone')")


def test_the_dataplane_hangs(lab: Lab, appliance: Appliance, browser: Browser) -> None:
    """What needs none is answered meanwhile, and what is not known is not said to be so."""
    browser.wait_for_text("Forwarding", "#verdict")
    assert appliance.dataplane is not None
    appliance.dataplane.send(signal.SIGSTOP)
    try:
        asking = lab.spawn("nva", "asking", "curl", "-s", "-o", "/dev/null", f"http://{LISTEN}/api/v1/zones")
        for name in ("events", "bgp", "rates"):
            assert curl(lab, f"/api/v1/{name}")[0] == 200, name
            assert asking.running(), "the dataplane was asked first, and is still waited for"
        browser.wait_for_text("the dataplane does not answer", "#verdict")
        browser.wait_for_text("not known", "[data-node='port lan']")
        browser.wait_for_text("the dataplane does not answer", "#news")
    finally:
        appliance.dataplane.send(signal.SIGCONT)
    lab.forget(asking)
    browser.wait_for_text("Forwarding", "#verdict", timeout=60)


def test_the_dataplane_is_killed(lab: Lab, appliance: Appliance, browser: Browser) -> None:
    appliance.kill_dataplane()
    browser.wait_for_text("the dataplane is not running", "#verdict")
    browser.wait_for_text("Not known: the dataplane is not connected", "#charts")
    assert not browser.evaluate("document.body.classList.contains('gone')"), "control answers"
    appliance.start_dataplane()
    browser.wait_for_text("Forwarding", "#verdict", timeout=60)


def test_rates_are_of_two_answers(browser: Browser) -> None:
    """A missed answer is no answer of nothing; and a port may be called as JavaScript calls its own things."""
    browser.wait_for_text("Forwarding", "#verdict")
    rate = """(() => {
        const hear = (packets, at) => {
            heard.drops = packets === null ? undefined : [{port: "lan", by: "x", reason: "y", packets}];
            times.drops = at;
            count_rates();
            return rates.get("reason lan x y")?.packets ?? null;
        };
        return JSON.stringify([hear(null, 0), hear(5e9, 1000), hear(5e9 + 100, 3000)]);
    })()"""
    assert json.loads(browser.evaluate(rate)) == [None, None, 50]
    port = '{name: "constructor", rx: 1, rx_bytes: 1, tx: 1, tx_bytes: 1, drops: 0, steer_dropped: 0}'
    drawn = f"heard.stats = {{ports: [{port}]}}, draw(), JSON.stringify([[...faults], document.querySelector('#charts').innerText])"
    faults, charts = json.loads(browser.evaluate(drawn))
    assert "constructor" in charts and "charts" not in faults and "rates" not in faults


def test_answers_that_it_does_not_understand(browser: Browser) -> None:
    """What cannot be drawn is said where it would stand; values of before never stand there as if they were so."""
    browser.wait_for_text("Forwarding", "#verdict")
    browser.evaluate("window.real = window.fetch, 1")
    try:
        browser.evaluate("window.fetch = async (...all) => all[0].endsWith('/events') ? new Response('[null]') : window.real(...all), 1")
        browser.wait_for_text("This page could not show it", "#news")
        browser.wait_for_text("not shown: events", "#lost")
        assert "Forwarding" in browser.text("#verdict")
        browser.wait_for_text("live", "#pulse")
        browser.evaluate("window.fetch = async () => new Response('not called so', {status: 421}), 1")
        browser.wait_for_text("status 421: not called so", "#lost")
        assert "may be down" not in browser.text("#lost")
    finally:
        browser.evaluate("window.fetch = window.real, 1")
    browser.wait_for("it to be live again", "document.querySelector('#lost').hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone(browser: Browser, scheme: str) -> None:
    browser.resize(320, 640)
    browser.prefer("prefers-color-scheme", scheme)
    try:
        browser.wait_for_text("Forwarding", "#verdict")
        assert browser.evaluate("document.documentElement.scrollWidth") == 320, "nothing is beyond the edge"
        paper = browser.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 3 * 64) == (scheme == "dark"), paper
        assert len(browser.screenshot()) > 10_000
    finally:
        browser.resize(1280, 900)
        browser.prefer("prefers-color-scheme", "light")


def test_nothing_from_elsewhere_and_no_fault_of_a_script(browser: Browser) -> None:
    """Last: of all that the tests before have done."""
    assert {url for url in browser.requests if not url.startswith((f"http://{LISTEN}/", "data:"))} == set()
    assert browser.exceptions == []
    # While control was gone, its answers were missed, and questions were refused: that is the network's to say.
    assert [entry for entry in browser.logged if entry["source"] != "network"] == []


def test_size_and_guards(lab: Lab, appliance: Appliance) -> None:
    status, page = curl(lab, "/")
    assert status == 200 and len(page.encode()) < 50_000
    for part in ("page.css", "page.js"):
        assert (ROOT / "control" / "web" / part).read_text() in page
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", page)
    assert curl(lab, "/", "-H", "Host: evil.example")[0] == 421
    assert curl(lab, "/api/v1/state", "-H", "Host: evil.example")[0] == 421
    assert curl(lab, "/api/v1/state", "-X", "POST")[0] == 405
    assert curl(lab, "/api/v1/reload")[0] == 404


def test_many_browsers_and_slow_ones(lab: Lab, appliance: Appliance, browser: Browser) -> None:
    """Control goes on: a firewall that dies is noticed, and the command line is answered."""
    loop = f"while :; do curl -s -o /dev/null http://{LISTEN}/api/v1/state; curl -s -o /dev/null 'http://{LISTEN}/api/v1/explain?from=172.16.0.10&to=1.1.1.1'; done"
    flood = [lab.spawn("nva", f"flood-{number}", "sh", "-c", loop, cpus=[MAIN_CPU]) for number in range(4)]
    slow = []
    try:
        for _ in range(40):
            client = lab["nva"].socket(socket.AF_INET, socket.SOCK_STREAM)
            client.connect(("127.0.0.1", 8088))
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")  # and never reads
            slow.append(client)
        lab.link_down("firewall")
        wait_until("one firewall", lambda: appliance.next_hops()["firewall"] == 1)
        browser.wait_for_text("Degraded", "#verdict", timeout=60)
    finally:
        for client in slow:
            client.close()
        for process in flood:
            process.stop()
            lab.forget(process)


def test_a_port_that_another_has(lab: Lab, appliance: Appliance) -> None:
    appliance.kill_control()
    with lab["nva"].socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 8088))
        other.listen()
        appliance.start_control()
        wait_until("control to answer", appliance.answers)
        found = wait_until("it to be said", lambda: [each for each in appliance.json("show", "state")["problems"] if each["kind"] == "not_served"])
    line = appliance.config.read_text().splitlines().index(f'listen = "{LISTEN}"') + 1
    assert [each["severity"] for each in found] == ["warning"]
    assert f"{appliance.config}:{line}: the page cannot be served on {LISTEN}: Address already in use" in found[0]["sentence"]
    wait_until("it to be served", lambda: curl(lab, "/")[0] == 200 and not appliance.json("show", "state")["problems"], 60)


def test_a_reload_moves_it_and_names_it(lab: Lab, appliance: Appliance) -> None:
    text = appliance.config.read_text()
    appliance.config.write_text(text.replace(WEB, f'\n[web]\nlisten = "{LAN}:8088"\nhosts = ["NVA.example.net"]\n'))
    appliance.reload()
    assert curl(lab, "/")[0] == 0
    at = f"{LAN}:8088"
    assert curl(lab, "/", space="onprem", at=at)[0] == 200
    assert curl(lab, "/", "-H", "Host: nva.example.net", space="onprem", at=at)[0] == 200
    assert curl(lab, "/", "-H", "Host: nva2.example.net", space="onprem", at=at)[0] == 421
    said = appliance.execute("check", appliance.config).stdout
    assert "web-open" in said, said
    appliance.config.write_text(text.replace(WEB, '\n[web]\nlisten = "localhost:8088"\n'))
    with pytest.raises(Refused, match="is not an IPv4 address and TCP port"):
        appliance.reload()
    appliance.config.write_text(text.replace(WEB, ""))
    appliance.reload()
    assert curl(lab, "/", space="onprem", at=at)[0] == 0

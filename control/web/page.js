// SPDX-License-Identifier: BSD-3-Clause
"use strict";
const EVERY = 2000, PATIENCE = 6000, KEPT = 300, MOST = 60;
const $ = id => document.getElementById(id);
const is = value => value != null && value !== false;

// --- Elements. Strings become text, so that no name from a configuration is ever markup.
const SVG = "http://www.w3.org/2000/svg";
function make(element, attributes, ...inside) {
  for (const [name, value] of Object.entries(attributes || {}))
    if (is(value)) element.setAttribute(name, value === true ? "" : String(value));
  for (const each of inside.flat(9))
    if (is(each)) element.append(each instanceof Node ? each : String(each));
  return element;
}
const h = (tag, attributes, ...inside) => make(document.createElement(tag), attributes, ...inside);
const s = (tag, attributes, ...inside) => make(document.createElementNS(SVG, tag), attributes, ...inside);

// Makes what is there like what should be: what has the focus, or is selected, stays.
function become(old, now) {
  if (old.nodeType !== now.nodeType || old.nodeName !== now.nodeName) return old.replaceWith(now);
  if (old.nodeType === Node.TEXT_NODE) { if (old.data !== now.data) old.data = now.data; return; }
  for (const {name} of [...old.attributes]) if (!now.hasAttribute(name)) old.removeAttribute(name);
  for (const {name, value} of now.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  fill(old, [...now.childNodes]);
}
function fill(parent, nodes) {
  nodes = nodes.flat(9).filter(is);
  while (parent.childNodes.length > nodes.length) parent.lastChild.remove();
  nodes.forEach((node, index) => {
    const there = parent.childNodes[index];
    there ? become(there, node) : parent.append(node);
  });
}

// --- Words and figures.
const two = n => String(n).padStart(2, "0");
let skew = 0;  // of the appliance's clock, in ms
const now = () => Date.now() + skew;
function clock(ms) {
  const at = new Date(ms), time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return Math.abs(now() - ms) < 20 * 3600e3 ? time : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}
function span(seconds) {
  seconds = Math.max(0, Math.round(seconds));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`;
  return seconds < 48 * 3600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}
const since = ms => ms ? `since ${clock(ms)} (${span((now() - ms) / 1000)})` : "";
function short(value, unit) {
  const prefixes = ["", "k", "M", "G", "T"];
  let power = 0;
  while (value >= 999.5 && power < 4) { value /= 1000; power++; }
  return `${value >= 100 || power === 0 ? Math.round(value) : value.toPrecision(3)}\u00A0${prefixes[power]}${unit}`;
}
const count = n => n == null ? "\u2013" : Number(n).toLocaleString("en").replaceAll(",", "\u2009");
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;

// --- What was heard last, and when.
const heard = {};        // by path; nothing where it could not be said
const refusals = {};     // by path: why not
const problems = {};     // by path: what was said without the dataplane, and why
const times = {};        // by path: when it was heard
// When the newest round began that was answered whole; since when none is; what came instead of an answer; which parts could not be drawn.
let answered = 0, firstFailure = 0, instead = "";
const faults = new Set();
const isGone = () => firstFailure !== 0;

async function ask(path, query = "") {
  const reply = await fetch(`/api/v1/${path}${query}`, {cache: "no-store", signal: AbortSignal.timeout(PATIENCE)});
  const text = await reply.text();
  const date = Date.parse(reply.headers.get("Date"));
  if (date) skew = Math.abs(date - Date.now()) > 2500 ? date - Date.now() : 0;
  let body = null;
  try { body = JSON.parse(text); } catch { /* it is none of our answers */ }
  const problem = reply.headers.get("Sekisho-Problem") || undefined;
  if (reply.ok && body !== null) return {body, problem};
  if (body !== null && body.error !== undefined) return {error: body.error};
  throw Object.assign(new Error(), {instead: `status ${reply.status}: ${text.trim().slice(0, 200) || reply.statusText}`});
}

async function hear(path) {
  const {body, error, problem} = await ask(path);
  heard[path] = body;
  refusals[path] = error;
  problems[path] = problem;
  times[path] = Date.now();
}

// What needs no dataplane does not wait for one.
let asking = false, recalling = false;
async function recall() {
  if (recalling) return;
  recalling = true;
  try {
    for (const path of MEMORY) await hear(path);
    if (!isGone()) draw(RECALLED);
  } catch {
    for (const path of MEMORY) { heard[path] = undefined; refusals[path] = "no answer"; }
  }
  recalling = false;
}
async function look() {
  const recalled = recall();
  if (asking) return;
  asking = true;
  const begun = Date.now();
  try {
    // What was before this page was open, or while it was not looked at.
    if (begun - (times.stats || 0) > 4 * EVERY) { await hear("rates"); remember_rates(); }
    for (const path of ["state", "zones", "ports", "next-hops", "stats", "drops", "last-drops"]) await hear(path);
    if (!heard.events) await recalled;
    answered = begun;
    firstFailure = 0;
  } catch (error) {
    firstFailure = firstFailure || Date.now();
    instead = error.instead || "";
  }
  if (!isGone()) draw();
  asking = false;
  tick();
}

// --- Whether what is shown is so.
let wasGone = false, isBack = false;
function tick() {
  // A browser that slept must not show what was as what is.
  const gone = isGone() || (answered !== 0 && Date.now() - answered > EVERY + PATIENCE + 2000);
  document.body.classList.toggle("gone", gone);
  $("lost").hidden = !gone && faults.size === 0;
  if (gone) {
    const from = answered || firstFailure;
    const then = answered ? "What stands below is from then, and may be otherwise now. " : "";
    fill($("lost").firstElementChild, [document.createTextNode(instead
      ? `${answered ? `No answer since ${clock(answered + skew)}, but` : "Instead of an answer:"} ${instead}. ${then}Asking again.`
      : answered ? `No answer since ${clock(answered + skew)}. ${then}sekisho-control may be down; packets are forwarded without it. Asking again.`
        : `sekisho-control does not answer. Asking again.`)]);
    $("pulse").textContent = `no answer for ${span((Date.now() - from) / 1000)}`;
  } else if (answered) {
    if (faults.size) fill($("lost").firstElementChild, [document.createTextNode(`A fault of this page: not shown: ${[...faults].join(", ")}. The sekisho command shows it.`)]);
    const age = (Date.now() - answered) / 1000;
    $("pulse").textContent = age < 3 ? "live" : `${span(age)} ago`;
  }
  const word = gone ? "no answer" : heard.state ? heard.state.verdict : answered ? "not known" : "asking";
  document.title = `${gone ? "\u2715" : {ok: "\u25CF", warning: "\u25D0", bad: "\u2715"}[heard.state && heard.state.severity] || "\u25CB"} ${word} \u2013 sekisho`;
  if (wasGone && !gone) isBack = true;
  wasGone = gone;
}
// To who hears the page: what is new. That control is gone is an alert of its own.
let said = "";
function say(text) {
  if (text === said && !isBack) return;
  $("say").textContent = `${isBack ? "sekisho-control answers again: " : ""}${text}`;
  said = text;
  isBack = false;
}

function unless_refused(place, path, nodes) {
  fill($(place), refusals[path] !== undefined ? [h("p", {class: "fault"}, `Not known: ${refusals[path]}`)] : nodes());
}

// --- The verdict.
const WORDS = {forwarding: "Forwarding", degraded: "Degraded", closed: "Closed"};
function draw_verdict() {
  const state = heard.state;
  $("verdict").className = `card ${state ? state.severity : ""}`;
  if (!state) return fill($("verdict"), [h("p", {class: "fault"}, `Not known: ${refusals.state}`)]);
  const {control, dataplane} = state;
  const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  const reasons = state.reasons.join("; ");
  const sentence = reasons || (state.verdict === "forwarding" ? "Everything that is configured works." : "");
  fill($("verdict"), [
    h("p", {class: "glyph", "aria-hidden": "true"}, {ok: "\u2713", warning: "!", bad: "\u2715"}[state.severity] || "?"),
    h("div", {}, h("p", {class: "word"}, WORDS[state.verdict] || state.verdict), h("p", {}, sentence),
      state.draining && h("p", {}, h("b", {}, "Being drained: "), "no new traffic should come.")),
    state.problems.length + state.warnings.length > 0 && h("ul", {class: "problems"},
      state.problems.map(each => h("li", {class: each.severity}, h("b", {}, each.severity), each.sentence,
        each.remedy && h("span", {class: "soft"}, " \u2192 ", h("code", {}, each.remedy)))),
      state.warnings.slice(0, 9).map(each => h("li", {class: "warning"}, h("b", {}, "note"), each)), more(state.warnings.length, 9, "li")),
    h("dl", {class: "facts"},
      fact("dataplane", dataplane.connected ? `up ${span(dataplane.uptime_seconds)}` : dataplane.answers === false ? "does not answer" : "not running"),
      fact("control", `up ${span(control.uptime_seconds)}`),
      dataplane.lcores && fact("workers", dataplane.lcores.length),
      fact("routes considered", count(control.candidate_routes)),
      fact("version", control.version), fact("configuration", control.configuration)),
  ]);
  say(`${state.verdict}${reasons ? ": " + reasons : ""}`);
}

// --- The picture: zones, ports, next hops, members.
function node(kind, name, looks, state, ...more) {
  return h("div", {class: `card node ${looks}`, "data-node": `${kind} ${name}`},
    h("div", {class: "what"}, h(kind === "member" ? "span" : "h3", {class: kind === "member" ? "mono" : null}, name), state && h("span", {class: "state"}, state)), more);
}
const line = (...text) => h("p", {class: "soft small"}, text);
const more = (all, shown, element = "p") => all > shown && h(element, {class: "soft small"}, `and ${count(all - shown)} more`);

function zone_node(zone) {
  const rate = rate_of(`zone ${zone.name}`);
  const sources = zone.sources.length > 4 ? [...zone.sources.slice(0, 3), `and ${zone.sources.length - 3} more`] : zone.sources;
  return h("li", {}, node("zone", zone.name, "idle", "",
    line(h("span", {class: "mono"}, sources.join(", "))),
    line(plural(zone.routes, "route"), zone.internet && zone.via ? `, Internet by ${zone.via}` : ""),
    rate && line(`sends ${short(rate.bits, "bit/s")}`)));
}
function port_node(port) {
  const known = port.running !== null;
  const looks = !known ? "idle" : port.running && (port.link === "up" || port.link === null) ? "" : "dead";
  const state = !known ? "not known" : looks === "" ? "runs" : port.running ? `link ${port.link}` : "does not run";
  return h("li", {}, node("port", port.name, looks, state,
    line(h("span", {class: "mono"}, port.addresses.join(", ") || "no address")), line(`${port.interface || port.device}${port.mtu ? `, MTU ${port.mtu}` : ""}`),
    port.error && h("p", {class: "fault small"}, port.error), port.findings.map(each => h("p", {class: "fault small"}, each))));
}
// What the kernel knows of a member forwards nothing without a dataplane.
const life = (member, hop) => hop.alive === null ? null : member.alive;
function member_node(member, hop) {
  const {drained} = member, alive = life(member, hop);
  const looks = alive === true ? drained ? "idle" : "" : alive === false ? "dead" : "idle";
  const state = drained ? "drained" : alive === true ? "alive" : alive === false ? "dead" : "not known";
  const rate = rate_of(`member ${hop.name} ${member.address}`);
  return h("li", {}, h("div", {class: `card node member ${looks}`, "data-node": `member ${hop.name} ${member.address}`},
    h("div", {class: "what"}, h("span", {class: "mono"}, member.address), h("span", {class: "state"}, state)),
    line(member.alive === true ? "" : `${member.why}, `, since(member.since_unix_ms), member.flaps ? `, went ${plural(member.flaps, "time")}` : "",
      rate && rate.bits ? `, ${short(rate.bits, "bit/s")}` : "", member.round_trip_us ? `, ${(member.round_trip_us / 1000).toFixed(1)}\u00A0ms` : "")));
}
function hop_node(hop) {
  const rate = rate_of(`hop ${hop.name}`);
  if (hop.action === "exit") {
    const known = hop.alive !== null, ready = hop.exit && hop.exit.ready && hop.alive;
    return h("li", {class: "pair"}, node("hop", hop.name, !known ? "idle" : ready ? "" : "dead", !known ? "not known" : ready ? "ready" : "down", line(`the kernel's way out by ${hop.exit ? hop.exit.port : "?"}`)),
      h("ul", {}, hop.exit && !hop.exit.ready && h("li", {class: "small"}, hop.exit.why)));
  }
  const all = hop.members.length, alive = hop.alive;
  const looks = alive === null ? "idle" : alive === 0 ? "dead" : alive < all ? "part" : "";
  return h("li", {class: "pair"},
    node("hop", hop.name, looks, alive === null ? "not known" : `${alive} of ${all}`, rate && line(short(rate.bits, "bit/s"), ", ", short(rate.packets, "p/s"))),
    h("ul", {"aria-label": `Members of ${hop.name}`}, hop.members.map(member => member_node(member, hop))));
}
const trouble = hop => hop.alive !== null && hop.action === "forward" && hop.alive < hop.members.length ? 0 : 1;

let wires = [];  // [from, to, looks]
function draw_picture() {
  const problem = problems.zones || problems.ports || problems["next-hops"];
  $("without").hidden = !problem;
  fill($("without"), problem ? [document.createTextNode(`${problem}: what stands here is what sekisho-control knows without it.`)] : []);
  unless_refused("picture", ["zones", "ports", "next-hops"].find(path => refusals[path]) || "zones", () => {
    const zones = heard.zones, ports = heard.ports;
    const configured = heard["next-hops"].filter(hop => hop.hash || hop.action === "exit");
    const hops = configured.length > MOST ? [...configured].sort((a, b) => trouble(a) - trouble(b)).slice(0, MOST) : configured;
    const others = heard["next-hops"].filter(hop => !hop.hash && hop.action === "forward").length;
    const shown = zones.slice(0, MOST);
    const flows = key => { const rate = rate_of(key); return rate && rate.packets > 0 ? "flows" : ""; };
    wires = [];
    for (const zone of shown) for (const port of zone.ports) wires.push([`zone ${zone.name}`, `port ${port}`, flows(`zone ${zone.name}`)]);
    for (const hop of hops) {
      const by = hop.action === "exit" ? [hop.exit && hop.exit.port] : [...new Set(hop.members.map(member => member.port))];
      const dead = hop.alive === null ? false : hop.action === "exit" ? !(hop.exit && hop.exit.ready) : hop.alive === 0;
      for (const port of by) if (port) wires.push([`port ${port}`, `hop ${hop.name}`, dead ? "dead" : flows(`hop ${hop.name}`)]);
      for (const member of hop.members) {
        const key = `member ${hop.name} ${member.address}`;
        wires.push([`hop ${hop.name}`, key, life(member, hop) === false ? "dead" : flows(key)]);
      }
    }
    return [s("svg", {"aria-hidden": "true"}),
      h("div", {class: "column"}, h("h3", {}, "Zones"), h("ul", {}, shown.map(zone_node)), zones.length > MOST && line(`and ${zones.length - MOST} more`)),
      h("div", {class: "column"}, h("h3", {}, "Ports"), h("ul", {}, ports.map(port_node))),
      h("div", {class: "column"}, h("h3", {}, "Next hops and their members"), h("ul", {}, hops.map(hop_node)),
        configured.length > hops.length && line(`and ${count(configured.length - hops.length)} more, none of them with a dead member unless all above have one`),
        others > 0 && line(`and ${plural(others, "host")} on the ports' subnets`))];
  });
  draw_wires();
}
function draw_wires() {
  const picture = $("picture"), svg = picture.querySelector("svg");
  if (!svg) return;
  const around = picture.getBoundingClientRect(), nodes = {};
  for (const each of picture.querySelectorAll("[data-node]")) nodes[each.dataset.node] = each.getBoundingClientRect();
  fill(svg, wires.map(([from, to, looks]) => {
    const a = nodes[from], b = nodes[to];
    if (!a || !b) return null;
    const x = a.right - around.left, y = a.top + a.height / 2 - around.top, x2 = b.left - around.left, y2 = b.top + b.height / 2 - around.top, half = (x2 - x) / 2;
    return s("path", {class: looks || null, d: `M${x.toFixed(1)} ${y.toFixed(1)}C${(x + half).toFixed(1)} ${y.toFixed(1)} ${(x2 - half).toFixed(1)} ${y2.toFixed(1)} ${x2.toFixed(1)} ${y2.toFixed(1)}`});
  }));
}
new ResizeObserver(draw_wires).observe($("picture"));

// --- Rates: differences of counters, and what control remembers of before.
// Maps: a port may be called "constructor".
const counted = {};         // by path: {at, all: by key: {packets, bytes}}
const rates = new Map();    // by key, now
const history = new Map();  // by port: [{at, rx, tx, drops}], bit/s and p/s, nothing where a difference is not known
const rate_of = key => rates.get(key);
function counters(path) {
  const all = new Map(), body = heard[path];
  const add = (key, traffic) => { if (traffic) all.set(key, {packets: traffic.packets, bytes: traffic.bytes}); };
  if (path === "zones") for (const zone of body) add(`zone ${zone.name}`, zone.traffic);
  if (path === "next-hops") for (const hop of body) {
    add(`hop ${hop.name}`, hop.traffic);
    for (const member of hop.members) add(`member ${hop.name} ${member.address}`, member.traffic);
  }
  if (path === "stats") for (const port of body.ports) {
    add(`rx ${port.name}`, {packets: port.rx, bytes: port.rx_bytes});
    add(`tx ${port.name}`, {packets: port.tx, bytes: port.tx_bytes});
    add(`drops ${port.name}`, {packets: port.drops + port.steer_dropped, bytes: 0});
  }
  if (path === "drops") for (const drop of body) add(`reason ${drop.port} ${drop.by} ${drop.reason}`, {packets: drop.packets, bytes: 0});
  return all;
}
function count_rates() {
  rates.clear();
  for (const path of ["zones", "next-hops", "stats", "drops"]) {
    const before = counted[path];
    counted[path] = heard[path] === undefined ? undefined : {at: times[path], all: counters(path)};
    if (!before || !counted[path]) continue;
    const seconds = (counted[path].at - before.at) / 1000;
    // What is new, was reset, or is too long ago has no rate; a reason that was never counted was at nothing.
    if (seconds <= .5 || seconds >= 3 * EVERY / 1000 + 2) continue;
    for (const [key, value] of counted[path].all) {
      const was = before.all.get(key) || (path === "drops" ? {packets: 0, bytes: 0} : null);
      if (was && value.packets >= was.packets)
        rates.set(key, {packets: (value.packets - was.packets) / seconds, bits: Math.max(0, value.bytes - was.bytes) * 8 / seconds});
    }
  }
  for (const port of heard.stats ? heard.stats.ports : []) {
    const [rx, tx, drops] = ["rx", "tx", "drops"].map(kind => rate_of(`${kind} ${port.name}`));
    const list = history.get(port.name) || [];
    list.push({at: times.stats, rx: rx?.bits, tx: tx?.bits, drops: drops?.packets});
    history.set(port.name, list);
  }
}
function remember_rates() {
  if (!heard.rates) return;
  const at = heard.rates.age_ms.map(age => times.rates - age);
  for (const {name, rx_bits, tx_bits, dropped} of heard.rates.ports)
    history.set(name, [...(history.get(name) || []).filter(each => each.at < at[0]),
      ...at.map((at, i) => ({at, rx: rx_bits[i], tx: tx_bits[i], drops: dropped[i]}))]);
}
function chart(port) {
  const list = history.get(port) || [], end = Date.now(), width = 300;
  while (list.length > 0 && list[0].at < end - KEPT * EVERY) list.shift();
  // From a minute on it grows to all that is kept.
  const window = Math.min(KEPT * EVERY, Math.max(60e3, list.length ? end - list[0].at : 0));
  const x = at => width - (end - at) / window * width;
  // A line, broken where nothing was heard; closed: the area under it.
  const path = (value, height, highest, closed) => {
    let d = "", isOpen = false, first = 0, last = 0, before = 0;
    const shut = () => {
      if (closed && isOpen) d += `L${last.toFixed(1)} ${height}L${first.toFixed(1)} ${height}Z`;
      isOpen = false;
    };
    for (const each of list) {
      const is = value(each);
      if (is == null || each.at - before > 4 * EVERY) shut();
      before = each.at;
      if (is == null) continue;
      last = x(each.at);
      if (!isOpen) first = last;
      d += `${isOpen ? "L" : "M"}${last.toFixed(1)} ${(height - is / highest * height).toFixed(1)}`;
      isOpen = true;
    }
    shut();
    return d;
  };
  const rx = each => each.rx, tx = each => each.tx, drops = each => each.drops;
  const highest = value => Math.max(0, ...list.map(each => value(each) || 0));
  const top = Math.max(8000, highest(rx), highest(tx)), most = highest(drops);
  const [latest_rx, latest_tx, latest_drops] = ["rx", "tx", "drops"].map(kind => rate_of(`${kind} ${port}`));
  const said = rate => rate ? `${short(rate.bits, "bit/s")}, ${short(rate.packets, "p/s")}` : "\u2013";
  const picture = (height, looks, ...inside) => s("svg", {viewBox: `0 0 ${width} ${height}`, class: looks, preserveAspectRatio: "none", "aria-hidden": "true"}, inside);
  return h("figure", {class: "card rate"},
    h("figcaption", {}, h("h3", {}, port), h("p", {class: "legend"}, h("span", {}, `in ${said(latest_rx)}`), h("span", {class: "tx"}, `out ${said(latest_tx)}`),
      h("span", {class: "drop"}, `dropped ${latest_drops ? short(latest_drops.packets, "p/s") : "\u2013"}`))),
    picture(100, null, [0, 50, 100].map(y => s("line", {x1: 0, x2: width, y1: y, y2: y})),
      s("path", {class: "area", d: path(rx, 100, top, true)}), s("path", {d: path(rx, 100, top)}), s("path", {class: "tx", d: path(tx, 100, top)})),
    most > 0 && picture(20, "strip", s("path", {class: "drop", d: path(drops, 20, most, true)}), s("line", {x1: 0, x2: width, y1: 20, y2: 20})),
    h("p", {class: "axis"}, h("span", {}, `${span(window / 1000)} ago`),
      h("span", {}, `highest ${short(top, "bit/s")}${most > 0 ? `, ${short(most, "p/s")} dropped` : ""}`), h("span", {}, clock(now()))));
}
function draw_charts() {
  unless_refused("charts", "stats", () => heard.stats.ports.map(port => chart(port.name)));
}

// --- Drops.
function draw_drops() {
  unless_refused("lost-packets", refusals.drops ? "drops" : "last-drops", () => {
    const drops = [...heard.drops].sort((a, b) => b.packets - a.packets), most = Math.max(1, ...drops.map(each => each.packets));
    const reasons = drops.length === 0 ? h("p", {class: "note"}, "Nothing was dropped since the dataplane started.")
      : h("div", {class: "scroll"}, h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, "Reason"), h("th", {}, "Port"), h("th", {class: "number"}, "Packets"), h("th", {class: "number"}, "Now"))),
        h("tbody", {}, drops.slice(0, MOST).map(each => {
          const rate = rate_of(`reason ${each.port} ${each.by} ${each.reason}`);
          return h("tr", {}, h("td", {}, h("b", {}, each.reason), h("p", {class: "soft small"}, each.sentence),
            s("svg", {viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true"}, s("rect", {width: Math.max(1, 100 * Math.sqrt(each.packets / most)).toFixed(1), height: 4, rx: 1}))),
            h("td", {class: "name", "data-label": "port"}, each.port), h("td", {class: "number", "data-label": "packets"}, count(each.packets)), h("td", {class: "number", "data-label": "now"}, rate ? short(rate.packets, "p/s") : "\u2013"));
        }))), more(drops.length, MOST));
    const newest = heard["last-drops"], packets = newest.slice(0, 20);
    return [h("div", {class: "card"}, h("h3", {}, "By reason"), reasons),
      h("div", {class: "card"}, h("h3", {}, "Newest dropped packets"), packets.length === 0 ? h("p", {class: "note"}, "None.")
        : h("ul", {class: "lines"}, packets.map(each => h("li", {}, h("span", {class: "when"}, `${span(each.age_seconds)} ago`),
          h("span", {}, h("span", {class: "mono"}, each.packet), h("p", {class: "soft small"}, `${each.port}: ${each.sentence || each.reason}`)),
          each.ip && h("button", {class: "quiet", type: "button", "aria-label": `Explain ${each.packet}`, "data-from": each.ip.source, "data-to": each.ip.destination,
            "data-port": each.port, "data-protocol": each.ip.protocol, "data-source-port": each.ip.source_port, "data-destination-port": each.ip.destination_port}, "explain")))), more(newest.length, packets.length))];
  });
}

// --- BGP.
function draw_bgp() {
  const bgp = heard.bgp, there = Boolean(bgp && bgp.configured);
  $("bgp").hidden = $("to-bgp").hidden = !there && refusals.bgp === undefined;
  if ($("bgp").hidden) return;
  unless_refused("peers", "bgp", () => [
    h("p", {}, bgp.frr.failure ? h("b", {class: "fault"}, bgp.frr.failure) : bgp.wanted ? `Advertised: ${bgp.originated.join(", ") || "nothing yet"}` : `Not advertised: ${bgp.why_not}`,
      h("span", {class: "soft"}, ` \u2013 AS ${bgp.asn}, ${bgp.frr.version ? `FRR ${bgp.frr.version}` : "FRR"}${bgp.frr.answered_unix_ms ? `, asked at ${clock(bgp.frr.answered_unix_ms)}` : ""}`)),
    h("div", {class: "scroll"}, h("table", {}, h("thead", {}, h("tr", {}, ["Peer", "State", "Since", "Received", "Told"].map(each => h("th", {}, each)))),
      h("tbody", {}, bgp.sessions.map(each => h("tr", {}, h("td", {}, h("span", {class: "mono"}, each.peer), h("p", {class: "soft small"}, `AS ${each.asn}, ${each.preset}`)),
        h("td", {}, h("span", {class: `state ${each.established ? "" : "dead"}`}, each.state)), h("td", {}, since(each.since_unix_ms) || "\u2013"),
        h("td", {"data-label": "received"}, count(each.prefixes_received)), h("td", {"data-label": "told"}, each.advertised.join(", ") || count(each.prefixes_sent))))))),
  ]);
}

// --- Events.
function draw_events() {
  unless_refused("news", "events", () => {
    const all = heard.events, events = all.slice(0, 40);
    const tone = each => each.event === "verdict" ? {forwarding: "ok", degraded: "warning", closed: "bad"}[each.verdict] : each.state === "ends" ? "ok" : each.severity || (each.alive === false ? "bad" : each.alive ? "ok" : "");
    return events.length === 0 ? [h("p", {class: "note"}, "None since sekisho-control started.")]
      : [h("ul", {class: "lines"}, events.map(each => h("li", {}, h("time", {class: "when", datetime: each.time}, clock(Date.parse(each.time))), h("span", {class: tone(each)}, each.sentence), h("span", {class: "soft small"}, each.event)))), more(all.length, events.length)];
  });
}

// --- Explain.
function place_of(route) {
  return route.file ? `${route.file}${route.line ? `:${route.line}` : ""}` : route.source || "";
}
const VERDICTS = {forward: "Forwarded", host: "Taken by this appliance's own kernel", exit: "Out through the kernel: the exit", drop: "Dropped", wait: "Waits", unknown: "Not known"};
function way_of(said) {
  const flow = said.flow, port = n => n === null ? "" : `:${n}`;
  const step = (looks, kind, title, ...more) => h("li", {class: looks}, h("p", {class: "step"}, kind), h("h4", {}, title), more);
  const steps = [step("", "Packet", `${flow.protocol} ${said.source}${port(flow.source_port)} \u2192 ${said.destination}${port(flow.destination_port)}`)];
  const entry = (heard.ports || []).find(each => each.name === said.port);
  const refused = said.zone !== null && said.port_allowed === false;
  steps.push(step("", "Port", said.port || (said.zone_ports.length ? `${said.zone_ports.join(" or ")}, as its zone allows` : "any"), entry && line(entry.addresses.join(", "))));
  if (!said.before_tables)
    steps.push(said.zone === null ? step("bad", "Zone", "none: no zone has this source")
      : step(refused ? "bad" : "", "Zone", said.zone, line(`by the source prefix ${said.source_prefix}; it comes in by ${said.zone_ports.join(", ") || "no port"}`)));
  if (said.zone !== null && !said.before_tables)
    steps.push(said.candidates.length === 0 ? step("bad", "Routes considered", "none covers the destination")
      : step("", "Routes considered", `${said.candidates[0].prefix} wins${said.candidates.length > 1 ? ` of ${said.candidates.length}` : ""}`,
        h("div", {class: "scroll"}, h("table", {}, h("thead", {}, h("tr", {}, ["Prefix", "Next hop", "Why", "Written in"].map(each => h("th", {}, each)))),
          h("tbody", {}, said.candidates.slice(0, 20).map(each => h("tr", {class: each.wins ? "wins" : "loses"}, h("td", {class: "mono"}, each.prefix), h("td", {"data-label": "\u2192"}, each.next_hop), h("td", {}, each.why), h("td", {class: "mono"}, place_of(each))))))), more(said.candidates.length, 20)));
  if (said.next_hop !== null)
    steps.push(step(said.drop_reason === "next_hop_down" ? "bad" : "", "Next hop", said.next_hop,
      said.exit && line(`by port ${said.exit.port}: ${said.exit.why}`),
      said.members.length > 0 && h("ul", {class: "chips"}, said.members.slice(0, MOST).map(each => h("li", {class: each.address === said.member ? "chosen" : each.alive === false ? "dead" : null},
        each.address, each.address === said.member ? " \u2013 takes this flow" : each.alive === false ? " \u2013 dead" : "")), more(said.members.length, MOST, "li"))));
  const member = said.members.find(each => each.address === said.member);
  if (member) steps.push(step("", "Member", member.address, line(`out of port ${member.port || "?"}${member.mac ? `, to ${member.mac}` : ""}`)));
  const looks = said.verdict === "drop" || said.verdict === "unknown" ? "bad" : said.verdict === "wait" ? "" : "good";
  const dataplane = said.dataplane;
  steps.push(step(looks, "Verdict", `${VERDICTS[said.verdict] || said.verdict}${said.drop_reason ? `: ${said.drop_reason}` : ""}`, said.sentence && h("p", {}, said.sentence),
    said.answer && line(`Its sender is told by ICMP: ${said.answer.sentence}.`),
    dataplane === null ? line("The dataplane could not be asked.") : dataplane.error ? h("p", {class: "fault"}, `The dataplane could not be asked: ${dataplane.error}`)
      : dataplane.agrees ? line("The dataplane was asked, and decides the same.")
        : h("div", {}, h("p", {class: "fault"}, "The dataplane decides otherwise than the configuration says:"),
          h("ul", {}, dataplane.differences.map(each => h("li", {}, `${each.what}: ${each.policy} configured, ${each.dataplane} in the dataplane`))))));
  return h("ol", {class: "way"}, steps);
}
let questions = 0;
async function explain() {
  const form = $("ask"), question = ++questions;
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value.trim()) query.set(name, value.trim());
  let nodes;
  try {
    const {body, error} = await ask("explain", `?${query}`);
    nodes = [error === undefined ? way_of(body) : h("p", {class: "fault"}, error), h("p", {class: "soft small"}, `As of ${clock(now())}.`)];
  } catch (error) {
    nodes = [h("p", {class: "fault"}, error.instead || (error instanceof TypeError || error.name === "TimeoutError" ? "No answer: ask again when sekisho-control is back." : `A fault of this page: ${error.message}`))];
  }
  if (question === questions) $("answer").replaceChildren(...nodes);
}
function show_ports() {
  const with_ports = ["tcp", "udp"].includes($("ask").protocol.value);
  // What is not seen must not keep the question from being asked.
  for (const name of ["source_port", "destination_port"]) $("ask")[name].parentElement.hidden = $("ask")[name].disabled = !with_ports;
}
function draw_form() {
  if (heard.ports === undefined) return;
  const select = $("ports"), names = heard.ports.map(port => port.name), chosen = select.value;
  fill(select, [h("option", {value: ""}, "any of its zone"), ...names.map(name => h("option", {value: name}, name))]);
  select.value = names.includes(chosen) ? chosen : "";
}
$("ask").addEventListener("submit", event => { event.preventDefault(); explain(); });
$("ask").protocol.addEventListener("change", show_ports);
document.addEventListener("click", event => {
  const button = event.target.closest("button[data-from]");
  if (!button) return;
  const form = $("ask"), about = button.dataset;
  form.from.value = about.from;
  form.to.value = about.to;
  form.port.value = about.port;
  const protocol = about.protocol.replace("protocol ", "");  // others are asked about by their number
  if (![...form.protocol.options].some(each => each.value === protocol)) form.protocol.append(h("option", {}, protocol));
  form.protocol.value = protocol;
  form.source_port.value = about.sourcePort || "";
  form.destination_port.value = about.destinationPort || "";
  show_ports();
  $("explain").scrollIntoView();
  form.from.focus({preventScroll: true});
  explain();
});

const MEMORY = ["events", "bgp"], RECALLED = [[draw_bgp, "BGP", "peers"], [draw_events, "events", "news"]];
const ALL = [[count_rates, "rates"], [draw_verdict, "verdict", "verdict"], [draw_picture, "map", "picture"], [draw_charts, "charts", "charts"],
  [draw_drops, "drops", "lost-packets"], ...RECALLED, [draw_form, "the ports to choose from"]];
function draw(parts = ALL) {
  // A part that cannot be drawn says so: what it showed before must not stand there as if it were so.
  for (const [part, name, place] of parts)
    try {
      faults.delete(name);
      part();
    } catch (error) {
      faults.add(name);
      if (place) fill($(place), [h("p", {class: "fault"}, `This page could not show it: ${error.message}`)]);
      if (place === "verdict") $(place).className = "card";
    }
}
show_ports();
setInterval(() => { if (!document.hidden) look(); }, EVERY);
setInterval(tick, 1000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) { tick(); look(); } });
$("name").textContent = `sekisho \u2013 ${location.hostname}`;
look();

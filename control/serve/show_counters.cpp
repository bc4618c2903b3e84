// SPDX-License-Identifier: BSD-3-Clause
#include <map>
#include <string>

#include "control/serve/reasons.hpp"
#include "control/serve/show.hpp"

namespace sekisho::serve {
namespace {

// What became of the frames of one port, or of all.
struct Account {
  std::uint64_t arrived = 0;  // as the first who saw them says: steering, or else the device
  std::uint64_t rx = 0;
  std::uint64_t generated =
      0;  // by this appliance's kernel; ICMP errors, and fragments but for one of each packet
  std::uint64_t tx = 0;
  std::uint64_t host = 0;
  std::uint64_t held = 0;     // by the device until a worker takes it
  std::uint64_t waiting = 0;  // by a worker until its neighbour is known
  std::uint64_t drops = 0;
  std::uint64_t missed = 0;
  std::uint64_t steer_passed = 0;
  std::uint64_t steer_dropped = 0;
  std::uint64_t steer_before = 0;  // redirected to earlier dataplanes

  void add(const Account& other) {
    arrived += other.arrived;
    rx += other.rx;
    generated += other.generated;
    tx += other.tx;
    host += other.host;
    held += other.held;
    waiting += other.waiting;
    drops += other.drops;
    missed += other.missed;
    steer_passed += other.steer_passed;
    steer_dropped += other.steer_dropped;
    steer_before += other.steer_before;
  }
};

Account account_of(const ipc::PortStatistics& port) {
  Account account{.rx = port.rx().packets(),
                  .generated = port.generated().packets(),
                  .tx = port.tx().packets(),
                  .host = port.host(),
                  .held = port.held(),
                  .waiting = port.waiting(),
                  .missed = port.missed(),
                  .steer_before = port.redirected_before()};
  for (const auto& [reason, packets] : port.drops()) {
    account.drops += packets;
  }
  for (const auto& [counter, packets] : port.steer()) {
    switch (steer_verdict(counter)) {
      case SteerVerdict::passed:
        account.steer_passed += packets;
        break;
      case SteerVerdict::dropped:
        account.steer_dropped += packets;
        break;
      case SteerVerdict::redirected:
        break;  // counted again as rx when a worker takes it
    }
    account.arrived += packets;
  }
  if (port.steer().empty()) {
    account.arrived = account.rx + account.missed;
  }
  return account;
}

Json account_json(const Account& account) {
  return {{"arrived", account.arrived},
          {"rx", account.rx},
          {"generated", account.generated},
          {"steer_passed", account.steer_passed},
          {"steer_dropped", account.steer_dropped},
          {"steer_before", account.steer_before},
          {"tx", account.tx},
          {"host", account.host},
          {"held", account.held},
          {"waiting", account.waiting},
          {"drops", account.drops},
          {"missed", account.missed}};
}

}  // namespace

Json show_drops(const ipc::Statistics& statistics, bool all) {
  auto result = Json::array();
  for (const auto& port : statistics.ports()) {
    const auto add = [&](const char* by, const std::string& reason, std::uint64_t packets) {
      if (packets != 0 || all) {
        result.push_back({{"port", port.name()},
                          {"by", by},
                          {"reason", reason},
                          {"packets", packets},
                          {"sentence", sentence_of(reason)}});
      }
    };
    std::map<std::string, std::uint64_t> steering;
    for (const auto& [counter, packets] : port.steer()) {
      if (steer_verdict(counter) == SteerVerdict::dropped) {
        steering.emplace(counter, packets);
      }
    }
    for (const auto& [reason, packets] : steering) {
      add("steering", reason, packets);
    }
    if (all || port.missed() != 0) {
      add("device", "missed", port.missed());
    }
    std::map<std::string, std::uint64_t> drops(port.drops().begin(), port.drops().end());
    for (const auto reason : dataplane_reasons()) {
      drops.emplace(reason, 0);
    }
    for (const auto& [reason, packets] : drops) {
      add("dataplane", reason, packets);
    }
  }
  return result;
}

Json show_stats(const ipc::Statistics& statistics) {
  auto ports = Json::array();
  Account total;
  for (const auto& port : statistics.ports()) {
    const auto account = account_of(port);
    total.add(account);
    Json entry{{"name", port.name()}};
    entry.update(account_json(account));
    entry["rx_bytes"] = port.rx().bytes();
    entry["tx_bytes"] = port.tx().bytes();
    auto icmp = Json::object();
    for (const auto error : icmp_errors()) {
      const auto sent = port.icmp().find(std::string{error});
      icmp[std::string{error}] = sent == port.icmp().end() ? 0 : sent->second;
    }
    entry["icmp"] = std::move(icmp);
    entry["icmp_limited"] = port.icmp_limited();
    entry["fragmented"] = port.fragmented();
    entry["fragments"] = port.fragments();
    entry["mss_clamped"] = port.mss_clamped();
    entry["unfinished_checksums"] = port.unfinished_checksums();
    entry["steering_restored"] = port.steering_restored();
    entry["steer"] = Json(std::map<std::string, std::uint64_t>(port.steer().begin(), port.steer().end()));
    ports.push_back(std::move(entry));
  }
  const auto in = total.arrived + total.generated;
  const auto out = total.tx + total.host + total.held + total.waiting + total.drops + total.missed +
                   total.steer_passed + total.steer_dropped + total.steer_before;
  auto workers = Json::array();
  for (const auto& worker : statistics.workers()) {
    workers.push_back({{"lcore", worker.lcore()},
                       {"polls", worker.polls()},
                       {"bursts", worker.bursts()},
                       {"sleeps", worker.sleeps()}});
  }
  return {{"ports", std::move(ports)},
          {"total", account_json(total)},
          {"balance",
           {{"in", in},
            {"out", out},
            {"unaccounted", static_cast<std::int64_t>(in - out)},
            {"adds_up", in == out}}},
          {"workers", std::move(workers)}};
}

}  // namespace sekisho::serve

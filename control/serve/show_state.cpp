// SPDX-License-Identifier: BSD-3-Clause
#include "common/base/version.hpp"
#include "control/serve/show.hpp"
#include "control/serve/verdict.hpp"

namespace sekisho::serve {
namespace {

std::uint64_t seconds_since(std::uint64_t started_unix_ms, std::uint64_t now_unix_ms) {
  return now_unix_ms > started_unix_ms ? (now_unix_ms - started_unix_ms) / 1000 : 0;
}

Json dataplane_json(const ipc::State& state, std::uint64_t now_unix_ms) {
  std::uint64_t memory = 0;
  for (const auto& table : state.tables()) {
    memory += table.memory_bytes();
  }
  return {{"connected", true},
          {"answers", true},
          {"version", state.version()},
          {"uptime_seconds", seconds_since(state.started_unix_ms(), now_unix_ms)},
          {"transaction", state.transaction()},
          {"commanded_by", state.commanded_by() == 0 ? Json(nullptr) : Json(state.commanded_by())},
          {"lcores", std::vector<std::uint32_t>(state.lcores().begin(), state.lcores().end())},
          {"hugepages", state.hugepages()},
          {"packet_memory",
           {{"bytes", state.packet_memory().bytes()},
            {"reserved_hugepage_bytes", state.packet_memory().reserved_hugepage_bytes()},
            {"transparent_hugepage_bytes", state.packet_memory().transparent_hugepage_bytes()}}},
          {"table_memory_bytes", memory}};
}

// One that is there and does not answer may well forward.
Json silent_json(const Live& live) {
  return {{"connected", false}, {"answers", live.connected ? Json(false) : Json(nullptr)}};
}

Json draining_json(const Times& times) {
  if (!times.draining_since_unix_ms) {
    return nullptr;
  }
  return {{"since_unix_ms", *times.draining_since_unix_ms},
          {"seconds", seconds_since(*times.draining_since_unix_ms, times.now_unix_ms)}};
}

}  // namespace

Json show_state(const policy::Policy& policy, const Live& live, const std::vector<Problem>& problems,
                const Times& times) {
  std::size_t routes = 0;
  for (const auto& zone : policy.zones) {
    routes += zone.table.candidates().size();
  }
  const auto verdict = judge(policy, problems);
  return {{"verdict", to_string(verdict.word)},
          {"reasons", verdict.reasons},
          {"severity", severity_of(problems)},
          {"draining", draining_json(times)},
          {"problems", problems_json(problems)},
          {"dataplane", live.state ? dataplane_json(*live.state, times.now_unix_ms) : silent_json(live)},
          {"control",
           {{"version", base::version()},
            {"uptime_seconds", seconds_since(times.control_started_unix_ms, times.now_unix_ms)},
            {"configuration", policy.config.file.string()},
            {"ports", policy.config.ports.size()},
            {"zones", policy.zones.size()},
            {"candidate_routes", routes}}},
          {"warnings", policy.warnings}};
}

}  // namespace sekisho::serve

// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "control/cli/output.hpp"
#include "control/cli/show_tables.hpp"

namespace sekisho::cli {
namespace {

// How long ago that was by this machine's clock; "-" where it is not known.
std::string ago(const Json& unix_ms) {
  if (unix_ms.is_null()) {
    return "-";
  }
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  const auto seconds = std::max<std::int64_t>(0, now - unix_ms.get<std::int64_t>()) / 1000;
  return duration(static_cast<std::uint64_t>(seconds));
}

std::string what_is_advertised(const Json& bgp) {
  const auto reasons = fmt::format("{}", fmt::join(bgp.at("why_not").get<std::vector<std::string>>(), "; "));
  const auto since = bgp.at("changed_unix_ms").is_null() ? "" : " for " + ago(bgp.at("changed_unix_ms"));
  const auto& originated = bgp.at("originated");
  if (bgp.at("prefixes").empty()) {
    return "nothing is to be advertised\n";
  }
  if (originated.empty()) {
    return toned(fmt::format("nothing is advertised{}: {}\n", since,
                             reasons.empty() ? "FRR does not originate it" : reasons),
                 Tone::bad);
  }
  return toned(fmt::format("advertised{}: {}{}\n", since, list_text(originated),
                           reasons.empty() ? "" : " (to be withdrawn: " + reasons + ")"),
               reasons.empty() ? Tone::good : Tone::bad);
}

}  // namespace

std::string bgp_text(const Json& bgp) {
  if (bgp.at("configured") != true) {
    return "no BGP peers are configured\n";
  }
  const auto& frr = bgp.at("frr");
  auto text = what_is_advertised(bgp);
  if (const auto& failure = frr.at("failure"); !failure.is_null()) {
    text += toned(value_text(failure) + "\n", Tone::bad);
  }
  text += fmt::format("AS {}, FRR {}{}\n\n", bgp.at("asn").get<std::uint32_t>(),
                      frr.at("version").is_null() ? "of unknown version" : value_text(frr, "version"),
                      frr.at("instance").is_null() ? "" : ", instance " + value_text(frr, "instance"));
  Table table{
      {{"PEER"}, {"AS"}, {"PRESET"}, {"STATE"}, {"FOR"}, {"RECEIVED", true}, {"SENT", true}, {"TOLD"}}};
  for (const auto& session : bgp.at("sessions")) {
    const bool is_established = session.at("established").get<bool>();
    table.add({value_text(session, "peer"), value_text(session, "asn"), value_text(session, "preset"),
               Cell{value_text(session, "state"), is_established ? Tone::good : Tone::bad},
               ago(session.at("since_unix_ms")), value_text(session, "prefixes_received"),
               value_text(session, "prefixes_sent"), list_text(session.at("advertised"))});
  }
  return text + table.render();
}

}  // namespace sekisho::cli

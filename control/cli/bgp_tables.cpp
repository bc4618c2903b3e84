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

// All of the prefixes are one unit: a part of them is a fault, and so is whatever is not wanted.
std::string what_is_advertised(const Json& bgp) {
  const auto reasons = fmt::format("{}", fmt::join(bgp.at("why_not").get<std::vector<std::string>>(), "; "));
  const auto since = bgp.at("changed_unix_ms").is_null() ? "" : " for " + ago(bgp.at("changed_unix_ms"));
  const auto& prefixes = bgp.at("prefixes");
  const auto& originated = bgp.at("originated");
  const auto fault = [](const std::string& text) { return toned(text + "\n", Tone::bad); };
  if (originated.empty()) {
    return prefixes.empty() ? "nothing is to be advertised\n"
                            : fault(fmt::format("nothing is advertised{}: {}", since,
                                                reasons.empty() ? "FRR does not originate it" : reasons));
  }
  const auto advertised = fmt::format("advertised{}: {}", since, list_text(originated));
  if (prefixes.empty()) {
    return fault(advertised + " (nothing is to be)");
  }
  if (!reasons.empty()) {
    return fault(fmt::format("{} (to be withdrawn: {})", advertised, reasons));
  }
  if (bgp.at("wanted") == true && originated != prefixes) {
    return fault(fmt::format("{} (to be: {})", advertised, list_text(prefixes)));
  }
  return toned(advertised + "\n", Tone::good);
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
  // A frr.conf that somebody else wrote may tell a peer more than is listed.
  const auto told = [](const Json& session) {
    const auto sent = session.at("prefixes_sent").get<std::uint64_t>();
    const auto& listed = session.at("advertised");
    return listed.empty() && sent != 0 ? fmt::format("{} prefixes", sent) : list_text(listed);
  };
  for (const auto& session : bgp.at("sessions")) {
    const bool is_established = session.at("established").get<bool>();
    table.add({value_text(session, "peer"), value_text(session, "asn"), value_text(session, "preset"),
               Cell{value_text(session, "state"), is_established ? Tone::good : Tone::bad},
               ago(session.at("since_unix_ms")), value_text(session, "prefixes_received"),
               value_text(session, "prefixes_sent"), told(session)});
  }
  return text + table.render();
}

}  // namespace sekisho::cli

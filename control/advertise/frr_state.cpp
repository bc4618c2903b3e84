// SPDX-License-Identifier: BSD-3-Clause
#include "control/advertise/frr_state.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace sekisho::advertise {
namespace {

using nlohmann::json;

auto words_of(const std::string& line) -> std::vector<std::string> {
  std::istringstream text{line};
  std::vector<std::string> result;
  for (std::string word; text >> word;) {
    result.push_back(std::move(word));
  }
  return result;
}

auto number_of(std::string_view text) -> std::uint32_t {
  std::uint32_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && rest == text.data() + text.size() ? number : 0;
}

void add_prefix(std::vector<base::Prefix>& prefixes, std::string_view text) {
  if (const auto prefix = base::parse_prefix(text)) {
    prefixes.push_back(*prefix);
  }
}

auto unclear(std::string_view what) -> frr::Failure {
  return {frr::Failure::Kind::broken, "FRR's " + std::string{what} + " is not what other versions give"};
}

std::uint64_t count_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

}  // namespace

auto read_running_config(std::string_view text) -> RunningConfig {
  RunningConfig result;
  std::istringstream lines{std::string{text}};
  bool is_ours = false;     // in `router bgp` of the default VRF
  bool is_unicast = false;  // in its family IPv4 unicast
  for (std::string line; std::getline(lines, line);) {
    const auto words = words_of(line);
    if (words.empty()) {
      continue;
    }
    if (line.front() != ' ' && line.front() != '!') {
      is_ours = words.size() == 3 && words[0] == "router" && words[1] == "bgp";
      is_unicast = false;
      if (is_ours) {
        result.asns.push_back(number_of(words[2]));
      } else if (words.size() >= 3 && words[0] == "frr" && words[1] == "version") {
        result.version = words[2];
      }
    } else if (is_ours && words[0] == "address-family") {
      is_unicast = words.size() == 3 && words[1] == "ipv4" && words[2] == "unicast";
    } else if (is_ours && words[0] == "exit-address-family") {
      is_unicast = false;
    } else if (is_unicast && words[0] == "network" && words.size() >= 2) {
      add_prefix(result.originated, words[1]);
    }
  }
  std::ranges::sort(result.originated);
  return result;
}

auto read_summary(const json& summary) -> frr::Result<std::vector<PeerState>> {
  std::vector<PeerState> result;
  if (!summary.is_object()) {
    return tl::unexpected(unclear("summary of peers"));
  }
  // From the family or, in some versions, the summary of that family alone.
  const auto family = summary.find("ipv4Unicast");
  const auto& of_family = family == summary.end() ? summary : *family;
  if (!of_family.is_object() || !of_family.contains("peers")) {
    return result;  // none
  }
  const auto& peers = of_family.at("peers");
  if (!peers.is_object()) {
    return tl::unexpected(unclear("summary of peers"));
  }
  for (const auto& [name, peer] : peers.items()) {
    const auto address = base::parse_address(name);
    if (!address || !peer.is_object()) {
      continue;  // one of IPv6, or without a number
    }
    PeerState state{.address = *address};
    state.asn = static_cast<std::uint32_t>(count_of(peer, "remoteAs"));
    state.state = text_of(peer, "state");
    state.is_established = state.state == "Established";
    if (state.is_established) {
      state.since_unix_ms = count_of(peer, "peerUptimeEstablishedEpoch") * 1000;
      state.received = count_of(peer, "pfxRcd");
      state.sent = count_of(peer, "pfxSnt");
    }
    result.push_back(std::move(state));
  }
  std::ranges::sort(result, {}, &PeerState::address);
  return result;
}

auto read_advertised_routes(const json& routes) -> frr::Result<std::vector<base::Prefix>> {
  std::vector<base::Prefix> result;
  if (!routes.is_object()) {
    return tl::unexpected(unclear("list of advertised routes"));
  }
  const auto found = routes.find("advertisedRoutes");
  if (found == routes.end() || !found->is_object()) {
    return result;
  }
  for (const auto& [name, route] : found->items()) {
    add_prefix(result, name);
  }
  std::ranges::sort(result);
  return result;
}

}  // namespace sekisho::advertise

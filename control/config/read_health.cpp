// SPDX-License-Identifier: BSD-3-Clause
// [metrics], [health], [web] and [hook]: who is told how this appliance does.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/text.hpp"
#include "control/config/addresses.hpp"
#include "control/config/reader.hpp"

namespace sekisho::config {
namespace {

// Whether the kernel refuses one beside the other: "any address" is every address.
bool overlap(const Listen& a, const Listen& b) {
  return a.port == b.port && (a.address == b.address || a.address == 0 || b.address == 0);
}

// Of a host, as browsers send it: without a port, and of nothing but these.
bool is_host_name(std::string_view name) {
  constexpr std::size_t longest = 253;  // RFC 1035, 2.3.4, without the length octets
  return !name.empty() && name.size() <= longest && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

std::string to_string(const Requirement& requirement) {
  using Kind = Requirement::Kind;
  switch (requirement.kind) {
    case Kind::internet:
      return "internet";
    case Kind::exit:
      return "exit";
    case Kind::next_hop:
      return "next_hop:" + requirement.name;
    case Kind::zone:
      break;
  }
  return "zone:" + requirement.name;
}

auto Reader::read_listen(const Located<std::string>& text, const std::string& whose)
    -> std::optional<Listen> {
  const auto endpoint = parse_endpoint(text.value);
  if (!endpoint) {
    refuse(text.line, endpoint.error());
    return std::nullopt;
  }
  const Listen listen{endpoint->first, endpoint->second, text.line};
  const auto other =
      std::ranges::find_if(listening_, [&](const auto& taken) { return overlap(taken.first, listen); });
  if (other != listening_.end()) {
    refuse(text.line, fmt::format("{} is taken by {} ({})", text.value, other->second,
                                  place(text.line, other->first.line)));
    return std::nullopt;
  }
  listening_.emplace_back(listen, whose);
  return listen;
}

void Reader::read_metrics(const SingleTable& found) {
  const Section section{*found.table, found.line, "[metrics]", problems_, keys::metrics};
  if (const auto listen = section.required_text("listen"))
    config_.metrics = read_listen(*listen, section.name());
}

void Reader::read_health(const SingleTable& found) {
  const Section section{*found.table, found.line, "[health]", problems_, keys::health};
  Health health;
  for (const auto& text : section.required_texts("listen")) {
    if (const auto listen = read_listen(text, section.name()))
      health.listen.push_back(*listen);
  }
  if (section.has("require")) {
    health.require.emplace();
    for (const auto& text : section.texts("require"))
      health.require->push_back(read_requirement(text));
  }
  config_.health = std::move(health);
}

auto Reader::read_requirement(const Located<std::string>& text) -> Requirement {
  using Kind = Requirement::Kind;
  const auto colon = text.value.find(':');
  const auto word = text.value.substr(0, colon);
  const auto name = colon == std::string::npos ? std::string{} : text.value.substr(colon + 1);
  const auto need = [&](bool is_there, std::string_view what) {
    if (!is_there)
      refuse(text.line, fmt::format("{} is required, and there is no {}", base::in_quotes(text.value), what));
  };
  const auto named = [&](std::string_view what, const auto& known) {
    if (std::ranges::find(known, name) == known.end())
      refuse(text.line,
             fmt::format("there is no {} {}{}", what, base::in_quotes(name), base::suggestion(name, known)));
  };
  if (text.value == "internet") {
    need(config_.internet.has_value(), "[internet]");
    return {Kind::internet, {}};
  }
  if (text.value == "exit") {
    need(config_.internet && config_.internet->exit, "exit in [internet]");
    return {Kind::exit, {}};
  }
  if (word == "next_hop" && colon != std::string::npos) {
    named("next hop", next_hop_names_);
    return {Kind::next_hop, name};
  }
  if (word == "zone" && colon != std::string::npos) {
    std::vector<std::string_view> zones;
    std::ranges::transform(config_.zones, std::back_inserter(zones), &Zone::name);
    named("zone", zones);
    return {Kind::zone, name};
  }
  refuse(
      text.line,
      fmt::format(R"({} is nothing that can be required: "internet", "exit", "next_hop:NAME" or "zone:NAME")",
                  base::in_quotes(text.value)));
  return {};
}

void Reader::read_web(const SingleTable& found) {
  const Section section{*found.table, found.line, "[web]", problems_, keys::web};
  Web web;
  if (const auto text = section.required_text("listen")) {
    if (const auto listen = read_listen(*text, section.name()))
      web.listen = *listen;
  }
  for (auto& host : section.texts("hosts")) {
    std::ranges::transform(host.value, host.value.begin(), base::lower);
    if (!is_host_name(host.value)) {
      refuse(host.line, fmt::format("{} is not a host's name without a port, such as nva1.example.net",
                                    base::in_quotes(host.value)));
    }
    web.hosts.push_back(std::move(host.value));
  }
  config_.web = std::move(web);
}

void Reader::read_hook(const SingleTable& found) {
  const Section section{*found.table, found.line, "[hook]", problems_, keys::hook};
  if (const auto program = section.required_text("on_change"))
    config_.hook = Hook{resolve_file(*program, "on_change"), program->line};
}

}  // namespace sekisho::config

// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard/listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "common/base/mac_address.hpp"
#include "common/base/prefix.hpp"
#include "control/config/addresses.hpp"
#include "control/guard/nft.hpp"
#include "control/guard/rules.hpp"

namespace sekisho::guard {
namespace {

using nlohmann::json;

constexpr int priority = -300;

struct Chain {
  std::string type;
  std::string hook;
  int priority = 0;
  std::string policy;
  std::vector<json> rules;

  [[nodiscard]] bool has(const std::vector<rules::Rule>& wanted) const {
    return std::ranges::equal(rules, wanted, rules::is);
  }
};

// "20.118.99.224", or {"prefix": {"addr": "10.0.0.0", "len": 8}}.
std::optional<base::Prefix> parse_prefix(const json& element) {
  const auto text = element.is_string()          ? element.get<std::string>() + "/32"
                    : element.contains("prefix") ? fmt::format("{}/{}", element["prefix"].value("addr", ""),
                                                               element["prefix"].value("len", 0))
                                                 : std::string{};
  const auto prefix = base::parse_prefix(text);
  return prefix ? std::optional(*prefix) : std::nullopt;
}

bool read_exception(const json& element, Guard& guard) {
  const auto prefix = parse_prefix(element);
  guard.exceptions.push_back(prefix.value_or(base::Prefix{}));
  return prefix.has_value();
}

bool read_link(const json& element, Guard& guard) {
  const int link = element.is_string()   ? rules::link_of(element.get<std::string>())
                   : element.is_number() ? element.get<int>()
                                         : 0;
  guard.links.insert(link);
  return link != 0;
}

bool read_station(const json& element, Guard& guard) {
  const auto mac = base::parse_mac(element.is_string() ? element.get<std::string>() : std::string{});
  guard.stations.insert(mac.value_or(base::MacAddress{}));
  return mac.has_value();
}

bool read_name(const json& element, std::set<std::string>& names) {
  return element.is_string() && names.insert(element.get<std::string>()).second;
}

struct SetReader {
  std::string type;
  json flags;
  bool (*read)(const json& element, Guard& guard);  // false: it cannot be read
};

const std::map<std::string, SetReader>& set_readers() {
  static const std::map<std::string, SetReader> all{
      {"ports", {"ifname", {}, [](const json& name, Guard& guard) { return read_name(name, guard.names); }}},
      {"allow", {"ifname", {}, [](const json& name, Guard& guard) { return read_name(name, *guard.allow); }}},
      {"links", {"iface_index", {}, read_link}},
      {"stations", {"ether_addr", {}, read_station}},
      {"exceptions", {"ipv4_addr", json::array({"interval"}), read_exception}},
  };
  return all;
}

// The links that the rule for exceptions names.
std::optional<Exit> exit_of(const Chain& forward) {
  Exit exit;
  if (forward.rules.empty() || !forward.rules.front().contains("expr")) {
    return std::nullopt;
  }
  for (const auto& expression : forward.rules.front()["expr"]) {
    const auto& match = expression.value("match", json::object());
    const auto& right = match.value("right", json());
    for (const auto& [key, link] : {std::pair{"iif", &Exit::in}, {"oif", &Exit::out}}) {
      if (match.value("left", json()) == json{{"meta", {{"key", key}}}} && right.is_string() &&
          !right.get<std::string>().starts_with('@')) {
        exit.*link = rules::link_of(right.get<std::string>());
      }
    }
  }
  return exit.in != 0 && exit.out != 0 ? std::optional(exit) : std::nullopt;
}

class Reading {
 public:
  void add(const json& object) {
    if (object.contains("table")) {
      enabled_ = !object["table"].contains("flags");  // "dormant" unhooks every chain
    } else if (object.contains("set")) {
      add_set(object["set"]);
    } else if (object.contains("chain")) {
      const auto& chain = object["chain"];
      chains_[chain.value("name", "")] = {chain.value("type", ""),
                                          chain.value("hook", ""),
                                          chain.value("prio", 0),
                                          chain.value("policy", ""),
                                          {}};
    } else if (object.contains("rule")) {
      chains_[object["rule"].value("chain", "")].rules.push_back(object["rule"]);
    }
  }

  Listing finish() {
    std::ranges::sort(guard_.exceptions);
    const auto& forward = chains_["forward"];
    const auto& exit = chains_["exit"];
    guard_.exit = exit_of(forward);
    const bool hooked = forward.type == "filter" && forward.hook == "forward" &&
                        forward.priority == priority && forward.policy == "drop";
    const bool translates = !guard_.exit || (exit.type == "nat" && exit.hook == "postrouting");
    const auto needed = set_readers().size() - (guard_.exit ? 0 : 1) - (guard_.allow ? 0 : 1);
    const bool whole = enabled_ && hooked && translates && readable_ && sets_ >= needed &&
                       forward.has(rules::forward(guard_)) && exit.has(rules::translation(guard_.exit));
    return {.ours = false, .whole = whole, .guard = std::move(guard_)};
  }

 private:
  void add_set(const json& set) {
    const auto known = set_readers().find(set.value("name", ""));
    if (known == set_readers().end()) {
      return;
    }
    const auto& [type, flags, read] = known->second;
    if (set.value("type", "") != type || set.value("flags", json()) != flags) {
      return;
    }
    ++sets_;
    if (known->first == "allow") {
      guard_.allow.emplace();
    }
    for (const auto& element : set.value("elem", json::array())) {
      readable_ = read(element, guard_) && readable_;
    }
  }

  bool enabled_ = false;
  bool readable_ = true;
  std::size_t sets_ = 0;
  std::map<std::string, Chain> chains_;
  Guard guard_;
};

Listing parse(const std::string& text) {
  const auto listed = json::parse(text, nullptr, false);
  if (listed.is_discarded() || !listed.contains("nftables")) {
    return {};
  }
  Reading reading;
  for (const auto& object : listed["nftables"]) {
    reading.add(object);
  }
  return reading.finish();
}

}  // namespace

auto list() -> tl::expected<std::optional<Listing>, std::string> {
  const auto text = nft::run("list table inet sekisho");
  if (!text.done) {
    if (text.error.find(std::strerror(ENOENT)) != std::string::npos) {
      return std::nullopt;
    }
    return tl::unexpected("the guard cannot be read from nftables: " + text.error);
  }
  const auto listed = nft::run("list table inet sekisho", nft::Format::json);
  if (!listed.done) {
    return tl::unexpected("the guard cannot be read from nftables: " + listed.error);
  }
  Listing listing = parse(listed.text);
  // nft 1.0.6 leaves the table's comment out of its JSON. In its text it stands before the first set or chain.
  const std::string head =
      text.text.substr(0, std::min(text.text.find("\tset "), text.text.find("\tchain ")));
  listing.ours = head.find(fmt::format("comment \"{}\"", marker)) != std::string::npos;
  return listing;
}

}  // namespace sekisho::guard

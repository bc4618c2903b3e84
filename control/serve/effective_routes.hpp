// SPDX-License-Identifier: BSD-3-Clause
// `effective-routes`: a table's candidates in Azure's own words, a page at a time. An element has the members of an
// EffectiveNetworkRoute (REST API, "Network Interfaces - Get Effective Route Table"), in the order in which az prints them; a
// BGP route has one element a next hop, as in Azure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"
#include "control/route/effective.hpp"
#include "control/route/next_hop_type.hpp"
#include "control/serve/json.hpp"

namespace sekisho::serve {

// What a table's own numbers for next hop and source stand for.
struct AzureWords {
  route::NextHopType type = route::NextHopType::none;
  std::span<const std::uint32_t> addresses{};
  std::string_view name{};  // of the route in its route table; empty: it has none
};
using InAzureWords = std::function<AzureWords(const route::Route&)>;

struct EffectiveOptions {
  bool winners = false;   // also "overriddenBy": what an invalid route lost to, null of an active one
  bool takes_bgp = true;  // not `disableBgpRoutePropagation`
  // What this dataplane drops before it asks a table is no route in force: a None route of the system's overrides it.
  bool drops_martians = false;
};

// A route as a row tells it.
struct AzureRoute {
  base::Prefix prefix;
  std::string_view source;
  AzureWords words;
};
struct EffectiveRow {
  AzureRoute route;
  std::string_view state;
  std::optional<AzureRoute> winner;  // what an invalid one lost to, where that was asked
};

class EffectivePages {
 public:
  static constexpr std::size_t page_size = 4096;

  // What `words` gives must hold as long as the table.
  EffectivePages(std::shared_ptr<const route::RouteTable> table, InAzureWords words,
                 EffectiveOptions options);
  // Of a zone, whose martians are dropped. A next hop of the configuration is a VirtualAppliance, one of several members a VirtualApplianceEcmp; a route
  // that was written with another type of Azure's keeps that.
  [[nodiscard]] static auto open(const std::shared_ptr<const policy::Policy>& policy, const std::string& zone,
                                 EffectiveOptions options) -> tl::expected<EffectivePages, std::string>;

  [[nodiscard]] Json next();  // an array, empty only when there is nothing at all
  [[nodiscard]] bool more() const { return !routes_.done(); }

  // A table of 900,000 routes takes seconds by way of Json. While there are more: the rows of the next route, and a row's
  // element as text.
  void next(const std::function<void(const EffectiveRow&)>& visit);
  void append(std::string& text, const EffectiveRow& row) const;

 private:
  [[nodiscard]] AzureRoute in_azures_words(const route::Route& route) const;

  std::shared_ptr<const route::RouteTable> table_;
  InAzureWords words_;
  EffectiveOptions options_;
  route::EffectiveRoutes routes_;
};

}  // namespace sekisho::serve

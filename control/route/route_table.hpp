// SPDX-License-Identifier: BSD-3-Clause
// A route table as an operator means it: candidates with their origin, and which of them win. Pure; knows no
// file format and no socket.
//
// Selection (Azure, "Virtual network traffic routing"):
//   - the longest prefix;
//   - for the same prefix User over BGP over System: the greater Origin;
//   - "System routes for traffic related to virtual network, virtual network peerings, or virtual network service
//     endpoints are preferred routes. They are preferred, even if BGP routes are more specific": BGP routes that an
//     active route of Origin::vnet covers are shadowed, whatever their length. A User route is not;
//   - for the same prefix and origin the one that was added last (it is reported as a duplicate);
//   - the System routes to None for private space are there while the winning default leads to the Internet or to None. Once a
//     User or BGP route leads it to an appliance or a gateway, they are gone: what they would drop goes there, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/route/next_hop_type.hpp"

namespace sekisho::route {

// Where a route comes from. For the same prefix the greater wins.
enum class Origin : std::uint8_t {
  system_none,  // a System route to None that a default of another origin takes away
  system,
  bgp,
  vnet,  // a System route of a VNet, its peerings or its service endpoints
  // User routes whose destination is a service tag: "explicit UDR > regional tag > top-level tag > AzureCloud.region >
  // AzureCloud".
  user_cloud_tag,
  user_regional_cloud_tag,
  user_tag,
  user_regional_tag,
  user,
};
// "System", "BGP" or "User": what an operator knows.
[[nodiscard]] std::string_view to_string(Origin origin) noexcept;
[[nodiscard]] bool is_user(Origin origin) noexcept;

using NameId = std::uint32_t;

// Strings that stand in many routes, kept once.
class Names {
 public:
  [[nodiscard]] NameId intern(std::string_view name);
  [[nodiscard]] const std::string& operator[](NameId id) const { return names_[id]; }
  [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, NameId> ids_;
};

struct Route {
  base::Prefix prefix;
  Origin origin = Origin::system;
  NextHopType type =
      NextHopType::named;  // as it was written; `next_hop` is what that means on this appliance
  NameId next_hop = 0;     // a next hop's name, "None" or "Internet"
  // Where it comes from: a file's path, "[internet]", "zone.onprem.routes", "preset kms public".
  NameId source = 0;
  unsigned line = 0;  // in that file; 0 where there is none
};
static_assert(sizeof(Route) == 24, "a table may have 900,000 of them, in several zones");

// Copies share their routes, which do not change once it is finished.
class RouteTable {
 public:
  void add(Route route) { own().routes.push_back(route); }
  // Sorts by prefix; for the same prefix in the order of preference, the last added of equals first, what is shadowed behind
  // the rest. Once: after the last add, before any of the questions below.
  void finish();
  // The same table, finished, but of these prefixes the candidates that are given here, in the order in which they would be
  // added. Time is linear in the routes, with nothing to sort.
  [[nodiscard]] auto with(const std::map<base::Prefix, std::vector<Route>>& others) const -> RouteTable;
  // The same table, finished, without the candidates that are `gone`, and with these besides, which are sorted by prefix; of the
  // same prefix and origin they go before those that are there. Time is linear, too.
  [[nodiscard]] auto merged(const std::vector<Route>& more,
                            const std::function<bool(const Route&)>& gone) const -> RouteTable;

  [[nodiscard]] const std::vector<Route>& candidates() const noexcept { return content_->routes; }
  // Whether both are the same routes, without looking at any; false says nothing.
  [[nodiscard]] bool shares_with(const RouteTable& other) const noexcept {
    return content_ == other.content_;
  }
  // Of which prefixes this table, made of the other by with(), may have another route in force: sorted. Null: of any, for all that is
  // known; so it is where a route changed that decides about others, a VNet's or the default.
  [[nodiscard]] const std::vector<base::Prefix>* changed_since(const RouteTable& other) const noexcept;
  // Whether a candidate is in force. A reference into candidates(), for what stands before it decides.
  [[nodiscard]] bool wins(const Route& candidate) const noexcept {
    return (&candidate == candidates().data() || (&candidate)[-1].prefix != candidate.prefix) &&
           shadow(candidate) == nullptr;
  }
  // The active route that keeps another from being in force whatever else there is: of a BGP route the shortest of Origin::vnet
  // that covers it, of one of Origin::system_none the default. Null of any other route.
  [[nodiscard]] const Route* shadow(const Route& route) const noexcept;

  // The candidates in force, at most one a prefix, sorted: a view of candidates().
  [[nodiscard]] auto active() const {
    return candidates() | std::views::filter([this](const Route& route) { return wins(route); });
  }
  [[nodiscard]] std::vector<Route> winners() const;  // active() as a copy
  // What covers the address: longest first, winner of a prefix first, and behind all these, in the same order, the routes
  // that are shadowed. The first is the one that lookup() gives.
  [[nodiscard]] std::vector<Route> covering(std::uint32_t address) const;
  [[nodiscard]] std::optional<Route> lookup(std::uint32_t address) const;
  // Routes that another of the same prefix and origin replaced.
  [[nodiscard]] std::size_t duplicates() const noexcept { return content_->duplicates; }

 private:
  struct Content {
    std::vector<Route> routes;
    std::vector<std::size_t> shadows;  // the outermost active routes of Origin::vnet; none covers another
    std::size_t duplicates = 0;
    bool is_finished = false;              // and does not change any more
    std::weak_ptr<const Content> made_of;  // what with() made it of, where `changed` is all that differs
    std::vector<base::Prefix> changed;
  };
  Content& own();  // which no other table has
  static void sort(Content& content);
  static void settle(Content& content);
  static void cast_shadows(Content& content);
  [[nodiscard]] const Route* shadow_of_vnet(base::Prefix prefix) const noexcept;
  [[nodiscard]] const Route* default_past_none() const noexcept;

  std::shared_ptr<Content> content_ = std::make_shared<Content>();
};

}  // namespace sekisho::route

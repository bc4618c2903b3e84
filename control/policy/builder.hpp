// SPDX-License-Identifier: BSD-3-Clause
// Builds a policy's zones, one after the other.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "control/policy/files.hpp"
#include "control/policy/next_hops.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::policy {

class Builder {
 public:
  Builder(Policy& policy, const InterfaceAddresses& addresses)
      : policy_(policy), next_hops_(policy.config, policy.names, addresses), files_(policy.oddities) {}

  [[nodiscard]] auto build() -> std::optional<base::Error>;

 private:
  // What a route of a file is to be here.
  struct Source {
    const formats::RouteFile& file;
    const config::RouteSpec& spec;
    std::vector<route::NameId> names;  // by label
    // Of the file's next hops each as a route has it, and then as a BGP route does.
    std::vector<std::optional<NextHop>> next_hops;
    std::map<std::pair<route::NextHopType, std::string_view>, LeftOut> left_out;
    MaybeOwn maybe_own;
  };

  auto add_advertised() -> std::optional<base::Error>;
  auto add_assertion(const config::Assertion& assertion) -> std::optional<base::Error>;
  auto unfold(const std::vector<config::Destination>& written) -> tl::expected<Destinations, base::Error>;
  auto add_zone(const config::Zone& zone) -> std::optional<base::Error>;
  auto add_spec(route::RouteTable& table, const config::Zone& zone, const config::RouteSpec& spec)
      -> std::optional<base::Error>;
  auto add_prefix(route::RouteTable& table, const config::Zone& zone, const config::RouteSpec& spec)
      -> std::optional<base::Error>;
  auto add_preset(route::RouteTable& table, const config::RouteSpec& spec) -> std::optional<base::Error>;
  auto add_tag(route::RouteTable& table, const config::RouteSpec& spec, const std::string& tag,
               const std::string& written) -> std::optional<base::Error>;
  auto add_file(route::RouteTable& table, const config::RouteSpec& spec) -> std::optional<base::Error>;
  auto add_route(route::RouteTable& table, Source& source, const formats::FileRoute& route)
      -> std::optional<base::Error>;
  // A next hop as a route of a file names it; the error is half a sentence.
  auto resolve(const formats::NextHop& written, route::Origin origin, const std::string& otherwise)
      -> tl::expected<NextHop, std::string>;
  auto source_name(const formats::RouteFile& file, const std::string& label) -> route::NameId;
  void note_if_unsure(Source& source, const formats::FileRoute& route, NextHop next_hop);

  Policy& policy_;
  NextHops next_hops_;
  Files files_;
};

}  // namespace sekisho::policy

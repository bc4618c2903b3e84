// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/azure_subnet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "common/base/text.hpp"
#include "control/cli/bgp_routes.hpp"
#include "control/cli/file_options.hpp"
#include "control/cli/load_findings.hpp"
#include "control/formats/reader.hpp"
#include "control/formats/service_tags.hpp"

namespace sekisho::cli {
namespace {

using base::Error;
using formats::Format;
using formats::RouteFile;
using route::NextHopType;
using route::Origin;

using Done = tl::expected<void, Error>;

auto refuse(const RouteFile& file, unsigned line, std::string reason) {
  return tl::unexpected(Error{file.file, line, std::move(reason)});
}

// "10.0.0.0/8", or where it has a name in Azure, "10.0.0.0/8 ("DefaultRoute")", without the bytes that steer a terminal.
auto describe(const RouteFile& file, const formats::FileRoute& route) -> std::string {
  const auto& label = file.labels[route.label];
  return base::to_string(route.prefix) + (label.empty() ? "" : fmt::format(" ({})", base::in_quotes(label)));
}

class Builder {
 public:
  explicit Builder(const SubnetInputs& inputs) : inputs_(inputs) {}

  auto build() -> tl::expected<std::shared_ptr<const Subnet>, Error> {
    if (!inputs_.service_tags.empty()) {
      auto tags = formats::read_service_tags(inputs_.service_tags);
      if (!tags)
        return tl::unexpected(std::move(tags.error()));
      tags_ = std::move(*tags);
    }
    // What a route table of the subnet says decides which system routes there are.
    auto done = each(inputs_.routes, &Builder::add_user_routes)
                    .and_then([this] { return add_system_routes(); })
                    .and_then([this] { return each(inputs_.gateway_routes, &Builder::read_gateway_routes); });
    if (!done)
      return tl::unexpected(std::move(done.error()));
    add_gateway_routes();
    subnet_->table.finish();
    return std::move(subnet_);
  }

 private:
  auto each(const std::vector<std::filesystem::path>& files,
            Done (Builder::*add)(const std::filesystem::path&)) -> Done {
    for (const auto& file : files) {
      if (auto done = (this->*add)(file); !done)
        return done;
    }
    return {};
  }

  // Azure, "Virtual network traffic routing", System routes: each prefix of the VNet; its peerings; its service endpoints;
  // the default to the Internet; None for private space and what else Azure keeps to itself, unless a prefix of the VNet is the
  // same or around it.
  auto add_system_routes() -> Done {
    for (const auto prefix : inputs_.vnet)
      add(prefix, Origin::vnet, NextHopType::vnet_local);
    add_peerings();
    add({0, 0}, Origin::system, NextHopType::internet);
    for (const auto prefix : inputs_.none) {
      if (std::ranges::none_of(inputs_.vnet, [&](base::Prefix vnet) { return vnet.covers(prefix); }))
        add(prefix, Origin::system_none, NextHopType::none);
    }
    for (const auto& word : inputs_.service_endpoints) {
      if (auto done = add_service_endpoint(word); !done)
        return done;
    }
    return {};
  }

  auto add_service_endpoint(const std::string& word) -> Done {
    if (const auto prefix = base::parse_prefix(word)) {
      add(*prefix, Origin::vnet, NextHopType::virtual_network_service_endpoint);
      return {};
    }
    if (!tags_)
      return tl::unexpected(
          Error{"--service-endpoint", 0,
                fmt::format("\"{}\" is not a prefix; a service tag requires --service-tags", word)});
    const auto* tag = tags_->find(word);
    if (tag == nullptr)
      return tl::unexpected(
          Error{inputs_.service_tags, 0,
                fmt::format("service endpoint \"{}\" is neither a prefix nor a service tag there", word)});
    for (const auto prefix : tag->prefixes)
      add(prefix, Origin::vnet, NextHopType::virtual_network_service_endpoint);
    return {};
  }

  auto add_user_routes(const std::filesystem::path& path) -> Done {
    auto reading = inputs_.reading;
    const auto place = file_of(path, reading);
    if (!place)
      return tl::unexpected(place.error());
    auto file = formats::read_routes(*place, reading);
    if (!file)
      return tl::unexpected(std::move(file.error()));
    if (file->format == Format::mrt || file->format == Format::service_tags)
      return refuse(*file, 0,
                    fmt::format("is not a route table: it holds {}", formats::to_string(file->format)));
    if (!file->tag_routes.empty()) {
      if (!tags_)
        return tl::unexpected(Error{
            path, 0,
            fmt::format("goes to the service tag \"{}\": give --service-tags", file->tag_routes.front().tag),
            file->tag_routes.front().path});
      if (auto done = formats::resolve_tags(*file, *tags_); !done)
        return done;
    }
    for (const auto& table : file->tables) {
      subnet_->takes_bgp = subnet_->takes_bgp && table.takes_bgp;
      takes_peerings_ = takes_peerings_ && table.takes_peerings;
    }
    take_findings(*file);
    const auto first_name = static_cast<route::NameId>(subnet_->names.size());
    subnet_->names.insert(subnet_->names.end(), file->labels.begin(), file->labels.end());
    for (const auto& route : file->routes) {
      if (!route::is_user(route.origin))
        continue;
      const auto& next_hop = file->next_hops[route.next_hop];
      if (next_hop.type == NextHopType::named)
        return refuse(*file, route.line,
                      fmt::format("{} needs an address or one of Azure's next-hop types, not \"{}\"",
                                  describe(*file, route), formats::to_string(next_hop)));
      add(route.prefix, route.origin, next_hop.type, next_hop.addresses, first_name + route.label,
          route.line);
    }
    return {};
  }

  auto read_gateway_routes(const std::filesystem::path& path) -> Done {
    auto reading = inputs_.reading;
    reading.peer = inputs_.peer;
    reading.parameters.clear();  // these are the route tables'
    reading.table.clear();
    const auto place = file_of(path, reading);
    if (!place)
      return tl::unexpected(place.error());
    auto file = formats::read_routes(*place, reading);
    if (!file)
      return tl::unexpected(std::move(file.error()));
    if (file->format == Format::service_tags || !file->tag_routes.empty())
      return refuse(*file, 0, "holds service tags, and BGP tells prefixes");
    take_findings(*file);
    for (const auto& route : file->routes) {
      if (formats::are_effective_routes(file->format) && route.origin != Origin::bgp)
        continue;
      const auto& next_hop = file->next_hops[route.next_hop];
      const auto is_learned = next_hop.is_missing() ||
                              next_hop.type == NextHopType::virtual_network_gateway ||
                              next_hop.type == NextHopType::virtual_appliance ||
                              next_hop.type == NextHopType::virtual_appliance_ecmp;
      if (!is_learned)
        return refuse(*file, route.line,
                      fmt::format("BGP tells an address for the next hop of {}, not \"{}\"",
                                  describe(*file, route), formats::to_string(next_hop)));
      gateway_routes_.add(route.prefix, next_hop.addresses);
    }
    return {};
  }

  // disablePeeringRoute = "All" keeps them off the subnet.
  void add_peerings() {
    if (!takes_peerings_ && !inputs_.peerings.empty()) {
      subnet_->findings.push_back(
          {base::Severity::note,
           {"--peering", 0,
            "peering routes are left out: a route table of the subnet has disablePeeringRoute = All"}});
      return;
    }
    for (const auto prefix : inputs_.peerings)
      add(prefix, Origin::vnet, NextHopType::vnet_peering);
  }

  // "Propagate gateway routes: No" keeps them off the subnet.
  void add_gateway_routes() {
    auto routes = std::move(gateway_routes_).merge();
    if (!subnet_->takes_bgp && !routes.empty()) {
      subnet_->findings.push_back(
          {base::Severity::note,
           {inputs_.gateway_routes.front(), 0,
            "gateway routes are left out: a route table of the subnet has disableBgpRoutePropagation"}});
      return;
    }
    for (auto& [prefix, addresses] : routes)
      add(prefix, Origin::bgp, NextHopType::virtual_network_gateway, std::move(addresses));
  }

  void take_findings(const RouteFile& file) {
    std::ranges::move(findings_of(file), std::back_inserter(subnet_->findings));
  }

  void add(base::Prefix prefix, Origin origin, NextHopType type, std::vector<std::uint32_t> addresses = {},
           route::NameId name = 0, unsigned line = 0) {
    const auto [known, added] =
        ids_.try_emplace({type, std::move(addresses)}, static_cast<route::NameId>(subnet_->next_hops.size()));
    if (added)
      subnet_->next_hops.push_back({.type = type, .name = {}, .addresses = known->first.second});
    subnet_->table.add({prefix, origin, type, known->second, name, line});
  }

  const SubnetInputs& inputs_;
  std::optional<formats::ServiceTags> tags_;
  std::shared_ptr<Subnet> subnet_ = std::make_shared<Subnet>(Subnet{.names = {""}});
  BgpRoutes gateway_routes_;
  bool takes_peerings_ = true;  // no route table says otherwise
  std::map<std::pair<NextHopType, std::vector<std::uint32_t>>, route::NameId> ids_;
};

}  // namespace

auto read_subnet(const SubnetInputs& inputs) -> tl::expected<std::shared_ptr<const Subnet>, std::string> {
  auto subnet = Builder{inputs}.build();
  if (!subnet)
    return tl::unexpected(subnet.error().to_string());
  return *subnet;
}

}  // namespace sekisho::cli

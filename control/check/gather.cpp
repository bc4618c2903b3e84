// SPDX-License-Identifier: BSD-3-Clause
#include "control/check/gather.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/check/place.hpp"
#include "control/check/table.hpp"
#include "control/config/presets.hpp"
#include "control/formats/reader.hpp"
#include "control/formats/tables.hpp"

namespace sekisho::check {
namespace {

using base::Error;
using formats::RouteFile;

class Gatherer {
 public:
  // The first that was met; what is gathered is then of no use.
  [[nodiscard]] auto error() const -> const std::optional<Error>& { return error_; }
  [[nodiscard]] auto take() -> Facts { return std::move(facts_); }

  void add_service_tags(const std::filesystem::path& file);
  void add_policy(std::shared_ptr<const policy::Policy> policy, const netlink::Mirror* mirror);
  void add_ways(const ByDefault& is_by_default);
  void add_tables_of(std::shared_ptr<const policy::Policy> policy);
  void add_findings_of(const std::vector<base::Finding>& findings);
  void add_findings_of_tags();  // where no policy has judged them
  void add_files(const FilesAlone& alone);
  void set_azure(std::optional<std::string> cloud, config::Gateway gateway) {
    facts_.cloud = std::move(cloud);
    facts_.gateway = gateway;
  }

 private:
  void add_zones();
  void add_interface(const config::Port& port, const netlink::Mirror* mirror);
  void add_ports(const netlink::Mirror* mirror);
  void add_advertised();
  void add_tag_uses();
  void add_azure_tables(const std::filesystem::path& file, const std::filesystem::path& parameters,
                        const std::vector<formats::TableSummary>& tables,
                        const std::optional<Table>& routes = {});
  auto add_table(RouteFile routes, const std::filesystem::path& parameters = {}) -> SubnetTable;
  auto add_subnet(const config::Port& port) -> std::optional<SubnetTable>;

  Facts facts_;
  std::optional<Error> error_;
  bool has_interface_ = false;  // of a port
};

void Gatherer::add_service_tags(const std::filesystem::path& file) {
  if (file.empty())
    return;
  if (auto tags = formats::read_service_tags(file))
    facts_.tags = std::move(*tags);
  else if (!error_)
    error_ = tags.error();
}

void Gatherer::add_findings_of_tags() {
  if (facts_.tags)
    add_findings_of(facts_.tags->findings);
}

void Gatherer::add_findings_of(const std::vector<base::Finding>& findings) {
  std::ranges::copy(findings, std::back_inserter(facts_.file_findings));
}

void Gatherer::add_tables_of(std::shared_ptr<const policy::Policy> policy) {
  facts_.policy = std::move(policy);
  add_findings_of(facts_.policy->oddities.files);
  add_zones();
}

auto Gatherer::add_table(RouteFile routes, const std::filesystem::path& parameters) -> SubnetTable {
  for (const auto& route : routes.tag_routes)
    facts_.tag_uses.push_back({route.tag, place(Error{routes.file, 0, {}, route.path})});
  add_findings_of(routes.findings);
  add_findings_of(formats::repeated_routes(routes));
  // What is odd about a tag, rules say.
  if (facts_.tags && !routes.tag_routes.empty())
    if (const auto resolved = formats::resolve_tags(routes, *facts_.tags); !resolved && !error_)
      error_ = resolved.error();
  SubnetTable subnet{.table = table_of(routes), .takes_bgp = std::nullopt};
  if (formats::are_azure_tables(routes.format))
    add_azure_tables(routes.file, parameters, routes.tables, subnet.table);
  if (!routes.tables.empty())
    subnet.takes_bgp = std::ranges::any_of(routes.tables, &formats::TableSummary::takes_bgp);
  facts_.tables.push_back(subnet.table);
  return subnet;
}

auto Gatherer::add_subnet(const config::Port& port) -> std::optional<SubnetTable> {
  if (port.subnet_routes.empty())
    return std::nullopt;
  // A subnet's route table without routes says something, too.
  auto routes =
      formats::read_routes(port.subnet_routes, {.table = port.subnet_table, .empty = formats::Empty::table});
  if (routes)
    return add_table(std::move(*routes));
  if (!error_)
    error_ = routes.error();
  return std::nullopt;
}

void Gatherer::add_files(const FilesAlone& alone) {
  for (const auto& [file, table] : alone.files) {
    auto options = alone.reading;
    if (!table.empty())
      options.table = table;
    auto tables = formats::read_tables(file, options);
    if (!tables && !error_)
      error_ = tables.error();
    if (tables)
      for (auto& each : *tables)
        add_table(std::move(each), options.parameters);
  }
}

void Gatherer::add_policy(std::shared_ptr<const policy::Policy> policy, const netlink::Mirror* mirror) {
  add_tables_of(std::move(policy));
  const auto& azure = facts_.policy->config.azure;
  set_azure(azure.line != 0 ? std::optional{azure.cloud} : std::nullopt, azure.gateway);
  add_service_tags(azure.service_tags);
  add_ports(mirror);
  add_advertised();
  add_tag_uses();
  for (const auto& file : facts_.policy->files)
    if (formats::are_azure_tables(file.format))
      add_azure_tables(file.file, file.parameters, file.tables);
}

void Gatherer::add_azure_tables(const std::filesystem::path& file, const std::filesystem::path& parameters,
                                const std::vector<formats::TableSummary>& tables,
                                const std::optional<Table>& routes) {
  for (const auto& summary : tables)
    if (std::ranges::none_of(facts_.azure_tables, [&](const AzureTable& known) {
          return known.file == file && known.parameters == parameters && known.summary.place == summary.place;
        }))
      facts_.azure_tables.push_back({file, parameters, summary, routes});
}

void Gatherer::add_zones() {
  const auto& policy = facts_.policy;
  for (const auto& zone : policy->zones)
    facts_.tables.push_back({Table::Holder::zone, fmt::format("zone {}", zone.name),
                             std::shared_ptr<const route::RouteTable>{policy, &zone.table},
                             std::shared_ptr<const route::Names>{policy, &policy->names}});
}

void Gatherer::add_interface(const config::Port& port, const netlink::Mirror* mirror) {
  auto& addresses = facts_.addresses.back() = std::nullopt;
  if (mirror == nullptr)
    return;
  const auto link = mirror->find_link_of(port);
  if (!link) {
    facts_.missing.push_back({&port, link.error()});
    return;
  }
  has_interface_ = true;
  addresses.emplace();
  if (const auto known = mirror->addresses.find((*link)->index); known != mirror->addresses.end())
    addresses = known->second;
  if (port.mtu == 0)
    facts_.mtus.back() = (*link)->mtu;
  if ((*link)->kind == "veth")
    facts_.on_veth.push_back(&port);
}

void Gatherer::add_ports(const netlink::Mirror* mirror) {
  for (const auto& port : facts_.policy->config.ports) {
    facts_.addresses.push_back(port.addresses);
    facts_.mtus.push_back(port.mtu);
    if (port.is_af_xdp())
      add_interface(port, mirror);
    facts_.subnets.push_back(add_subnet(port));
  }
}

// Where no port's interface is, neither is the way to the peers.
void Gatherer::add_ways(const ByDefault& is_by_default) {
  const auto& bgp = facts_.policy->config.bgp;
  if (!bgp || !is_by_default || !has_interface_)
    return;
  for (const auto& peer : bgp->peers)
    if (is_by_default(peer.address))
      facts_.by_default_alone.push_back(peer.address);
}

void Gatherer::add_advertised() {
  facts_.advertised = facts_.policy->advertised;
}

void Gatherer::add_tag_uses() {
  for (const auto& zone : facts_.policy->config.zones)
    for (const auto& spec : zone.routes)
      if (spec.kind == config::RouteSpec::Kind::tag)
        facts_.tag_uses.push_back({spec.tag, place(facts_, spec.line)});
      else if (const auto* preset = config::find_preset(spec.preset); preset != nullptr)
        for (const auto& tag : preset->tags)
          if (preset->is_routable(tag, spec.cloud))
            facts_.tag_uses.push_back({std::string{tag.name}, place(facts_, spec.line)});
  for (const auto& file : facts_.policy->files)
    for (const auto& tag : file.tags)
      facts_.tag_uses.push_back({tag, file.file.string()});
}

auto finish(Gatherer& gatherer) -> tl::expected<Facts, Error> {
  if (gatherer.error())
    return tl::unexpected(*gatherer.error());
  return gatherer.take();
}

}  // namespace

auto gather(std::shared_ptr<const policy::Policy> policy, const netlink::Mirror* mirror,
            const ByDefault& is_by_default) -> tl::expected<Facts, Error> {
  Gatherer gatherer;
  gatherer.add_policy(std::move(policy), mirror);
  gatherer.add_ways(is_by_default);
  return finish(gatherer);
}

auto gather(const policy::Policy& policy) -> Facts {
  Gatherer gatherer;
  gatherer.add_tables_of({std::shared_ptr<void>{}, &policy});
  gatherer.add_findings_of(policy.oddities.tags);  // beside the file of tags, rules say these
  return gatherer.take();
}

auto gather(const FilesAlone& alone) -> tl::expected<Facts, Error> {
  Gatherer gatherer;
  gatherer.set_azure(alone.cloud, alone.gateway);
  gatherer.add_service_tags(alone.service_tags);
  gatherer.add_findings_of_tags();
  gatherer.add_files(alone);
  return finish(gatherer);
}

auto gather(Error refusal) -> Facts {
  Facts facts;
  facts.refusal = std::move(refusal);
  return facts;
}

}  // namespace sekisho::check

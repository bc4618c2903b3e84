#include "control/config/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "control/config/addresses.hpp"
#include "control/config/words.hpp"

namespace sekisho::config {
namespace {

// What the dataplane has room for (forward/forwarding_state.hpp).
constexpr std::size_t max_ports = 32;
constexpr std::size_t max_zones = 255;
constexpr std::size_t max_next_hops = 4000;
constexpr std::size_t max_members = 64;  // of one next hop

constexpr std::size_t longest_netdev = 15;  // IFNAMSIZ with its NUL is 16

constexpr std::string_view none = "None";
constexpr std::string_view leave = "Internet";  // through this appliance's own kernel

}  // namespace

auto Reader::read(const toml::table& root) -> Config {
  const Section top{
      root, 1, "the configuration", problems_, {"port", "next_hop", "internet", "metrics", "zone"}, {"bgp"}};
  const auto ports = named_tables(root, "port", problems_);
  const auto next_hops = named_tables(root, "next_hop", problems_);
  const auto zones = named_tables(root, "zone", problems_);
  if (ports.size() > max_ports)
    refuse(ports[max_ports].line, fmt::format("more than {} ports", max_ports));
  if (zones.size() > max_zones)
    refuse(zones[max_zones].line, fmt::format("more than {} zones", max_zones));
  if (next_hops.size() > max_next_hops)
    refuse(next_hops[max_next_hops].line, fmt::format("more than {} next hops", max_next_hops));

  // All names before any details, so that a port with a bad device does not also seem to be missing
  // elsewhere.
  std::ranges::transform(ports, std::back_inserter(port_names_), &NamedTable::name);
  std::ranges::transform(next_hops, std::back_inserter(next_hop_names_), &NamedTable::name);
  next_hop_names_.insert(next_hop_names_.end(), {none, leave});

  for (const auto& port : ports)
    read_port(port);
  for (const auto& next_hop : next_hops)
    read_next_hop(next_hop);
  if (const auto found = root.find("internet"); found != root.end()) {
    const unsigned line = found->first.source().begin.line;
    if (const auto* table = found->second.as_table())
      read_internet(*table, line);
    else
      refuse(line, "\"internet\" must be a table, [internet]");
  }
  if (const auto found = root.find("metrics"); found != root.end()) {
    const unsigned line = found->first.source().begin.line;
    if (const auto* table = found->second.as_table())
      read_metrics(*table, line);
    else
      refuse(line, "\"metrics\" must be a table, [metrics]");
  }
  for (const auto& zone : zones)
    read_zone(zone);

  if (config_.ports.empty() && !problems_.first())
    refuse(0, "names no port: at least one [port.NAME] is needed");
  std::ranges::sort(config_.ports, {}, &Port::name);
  std::ranges::sort(config_.next_hops, {}, &NextHop::name);
  std::ranges::sort(config_.zones, {}, &Zone::name);
  return std::move(config_);
}

void Reader::read_port(const NamedTable& named) {
  const Section section{*named.table,
                        named.line,
                        fmt::format("[port.{}]", named.name),
                        problems_,
                        {"device", "address", "neighbours", "companion", "gateway", "mtu"}};
  Port port;
  port.name = named.name;
  port.line = named.line;
  read_device(section, port);
  if (const auto mtu = section.integer("mtu")) {
    // RFC 791: "All hosts must be prepared to accept datagrams of up to 576 octets".
    constexpr std::int64_t least = 576;
    constexpr std::int64_t most = 9000;
    if (mtu->value < least || mtu->value > most)
      refuse(mtu->line, fmt::format("an MTU of {} is not between {} and {}", mtu->value, least, most));
    else
      port.mtu = static_cast<std::uint16_t>(mtu->value);
  }
  if (port.is_af_xdp()) {
    if (section.has("address"))
      refuse(section.line_of_key("address"),
             fmt::format("the kernel's addresses of {} are used; remove \"address\"", *port.netdev()));
    if (section.has("companion"))
      refuse(section.line_of_key("companion"),
             fmt::format("the kernel has this port as {}; remove \"companion\"", *port.netdev()));
  } else {
    read_addresses(section, port);
    read_companion(section, port);
  }
  if (!port.netdev())
    read_neighbours(section, port);
  else if (section.has("neighbours"))
    refuse(section.line_of_key("neighbours"),
           fmt::format("the kernel's neighbours of {} are used; remove \"neighbours\"", *port.netdev()));
  read_gateway(section, port);
  if (const auto netdev = port.netdev()) {
    if (*netdev == exit_netdev)
      refuse(port.line, fmt::format("{} is the interface of next hop \"Internet\"", in_quotes(*netdev)));
    const auto [other, added] = netdevs_.try_emplace(*netdev, Owner{port.name, port.line});
    if (!added &&
        !(port.is_af_xdp() && devices_.at(port.device).name != port.name))  // said of the device already
      refuse(port.line, fmt::format("{} is the kernel's interface of port {} already (line {})",
                                    in_quotes(*netdev), other->second.name, other->second.line));
  }
  config_.ports.push_back(std::move(port));
}

void Reader::read_device(const Section& section, Port& port) {
  const auto device = section.required_text("device");
  if (!device)
    return;
  if (const auto reason = refuse_device(device->value))
    return refuse(device->line, *reason);
  port.device = normal_device(device->value);
  // The arguments of a vdev do not tell two of the same name apart.
  const auto [other, added] =
      devices_.try_emplace(port.device.substr(0, port.device.find(',')), Owner{port.name, device->line});
  if (!added)
    refuse(device->line, fmt::format("{} is the device of port {} already (line {})", in_quotes(other->first),
                                     other->second.name, other->second.line));
}

void Reader::read_addresses(const Section& section, Port& port) {
  for (const auto& text : section.texts("address")) {
    const auto address = parse_interface_address(text.value);
    if (!address) {
      refuse(text.line, address.error());
      continue;
    }
    for (const auto& [other, owner] : own_addresses_) {
      if (other.address == address->address)
        refuse(text.line, fmt::format("{} is an address of port {} already (line {})",
                                      fib::address_to_string(address->address), owner.name, owner.line));
      else if (owner.name != port.name &&
               (subnet_of(other).covers(subnet_of(*address)) || subnet_of(*address).covers(subnet_of(other))))
        refuse(text.line,
               fmt::format(
                   "the subnet of {} overlaps with {} of port {} (line {}): a neighbour would be on both",
                   to_string(*address), to_string(other), owner.name, owner.line));
    }
    own_addresses_.emplace_back(*address, Owner{port.name, text.line});
    port.addresses.push_back(*address);
  }
}

void Reader::read_neighbours(const Section& section, Port& port) {
  const auto* entries = section.array("neighbours", "tables");
  if (entries == nullptr)
    return;
  for (const auto& entry : *entries) {
    const auto* table = entry.as_table();
    if (table == nullptr) {
      section.wrong_type(entry, "neighbours", "an array of tables only");
      continue;
    }
    const Section inner{*table, line_of(entry), "a neighbour", problems_, {"address", "mac"}};
    const auto address = inner.required_text("address");
    const auto mac = inner.required_text("mac");
    if (!address || !mac)
      continue;
    const auto host = parse_host(address->value);
    const auto bytes = parse_mac(mac->value);
    if (!host) {
      refuse(address->line, host.error());
    } else if (!bytes) {
      refuse(mac->line, bytes.error());
    } else if (std::ranges::none_of(port.addresses,
                                    [&](const auto& own) { return subnet_of(own).covers(*host); })) {
      refuse(address->line, fmt::format("{} is in no subnet of port {}", address->value, port.name));
    } else if (std::ranges::find(port.addresses, *host, &InterfaceAddress::address) != port.addresses.end()) {
      refuse(address->line, fmt::format("{} is port {}'s own address", address->value, port.name));
    } else if (std::ranges::find(port.neighbours, *host, &StaticNeighbour::address) !=
               port.neighbours.end()) {
      refuse(address->line, fmt::format("neighbour {} stands here again", address->value));
    } else {
      port.neighbours.push_back({*host, *bytes});
    }
  }
}

// A port with static neighbours is a software device of a test or a benchmark, which the kernel has no part in.
void Reader::read_companion(const Section& section, Port& port) {
  const auto* node = section.node("companion");
  if (node == nullptr) {
    if (!section.has("neighbours") && !port.device.empty())
      port.companion = fmt::format("sk-{}", port.name);
    if (port.companion.size() > longest_netdev)
      refuse(port.line,
             fmt::format("the kernel takes no interface of the name {}: give port {} a \"companion\" "
                         "of at most {} characters",
                         in_quotes(port.companion), port.name, longest_netdev));
    return;
  }
  const auto line = line_of(*node);
  if (const auto* wanted = node->as_boolean(); wanted != nullptr && !wanted->get())
    return;
  const auto* name = node->as_string();
  if (name == nullptr)
    return section.wrong_type(*node, "companion", "the name of an interface or false");
  if (const auto reason = refuse_netdev(name->get()))
    return refuse(line, *reason);
  port.companion = name->get();
}

void Reader::read_gateway(const Section& section, Port& port) {
  const auto text = section.text("gateway");
  if (!text)
    return;
  const auto gateway = parse_host(text->value);
  // With /32 addresses (Google's) a gateway is in no subnet.
  const auto is_near = [&](const InterfaceAddress& own) {
    return own.length == 32 || subnet_of(own).covers(*gateway);
  };
  if (!gateway)
    refuse(text->line, gateway.error());
  else if (!port.netdev())
    refuse(text->line,
           fmt::format("a gateway is the kernel's, and the kernel has no interface of port {}", port.name));
  else if (std::ranges::find(port.addresses, *gateway, &InterfaceAddress::address) != port.addresses.end())
    refuse(text->line, fmt::format("{} is port {}'s own address", text->value, port.name));
  else if (!port.is_af_xdp() && std::ranges::none_of(port.addresses, is_near))
    refuse(text->line, fmt::format("{} is in no subnet of port {}", text->value, port.name));
  else
    port.gateway = *gateway;
}

void Reader::read_next_hop(const NamedTable& named) {
  for (const auto* reserved : {"none", "internet", "host"}) {
    if (named.name == reserved)
      refuse(named.line, fmt::format("\"{}\" has a meaning of its own and cannot name a next hop", reserved));
  }
  const Section section{*named.table, named.line,  fmt::format("[next_hop.{}]", named.name),
                        problems_,    {"members"}, {"probe"}};
  NextHop next_hop;
  next_hop.name = named.name;
  next_hop.line = named.line;
  for (const auto& text : section.required_texts("members")) {
    const auto member = parse_host(text.value);
    if (!member) {
      refuse(text.line, member.error());
      continue;
    }
    if (std::ranges::find(next_hop.members, *member) != next_hop.members.end())
      refuse(text.line, fmt::format("member {} stands here again", text.value));
    for (const auto& [own, owner] : own_addresses_) {
      if (own.address == *member)
        refuse(text.line,
               fmt::format("member {} is the appliance's own address on port {}", text.value, owner.name));
    }
    next_hop.members.push_back(*member);
  }
  if (next_hop.members.size() > max_members)
    refuse(named.line, fmt::format("more than {} members", max_members));
  std::ranges::sort(next_hop.members);
  config_.next_hops.push_back(std::move(next_hop));
}

void Reader::read_internet(const toml::table& table, unsigned line) {
  const Section section{table, line, "[internet]", problems_, {"via", "install", "exit"}, {"advertise"}};
  Internet internet;
  internet.line = line;
  if (const auto via = section.required_text("via")) {
    if (equal_without_case(via->value, leave))
      refuse(via->line, "[internet] via \"Internet\" would take everything past the firewall");
    else
      internet.via = resolve_next_hop(*via);
    if (internet.via == none)
      refuse(via->line,
             "[internet] via \"None\" would drop everything: leave \"internet\" out of the zones instead");
  }
  if (const auto install = section.text("install")) {
    if (install->value == "default")
      internet.install = Install::default_route;
    else if (install->value != "halves")
      refuse(install->line, fmt::format("\"install\" in [internet] is \"default\" or \"halves\", not {}",
                                        in_quotes(install->value)));
  }
  read_exit(section, internet);
  config_.internet = std::move(internet);
}

void Reader::read_metrics(const toml::table& table, unsigned line) {
  const Section section{table, line, "[metrics]", problems_, {"listen"}};
  const auto listen = section.required_text("listen");
  if (!listen)
    return;
  const auto endpoint = parse_endpoint(listen->value);
  if (!endpoint)
    refuse(listen->line, endpoint.error());
  else
    config_.metrics = Metrics{endpoint->first, endpoint->second, listen->line};
}

void Reader::read_exit(const Section& section, Internet& internet) {
  const auto* node = section.node("exit");
  if (node == nullptr)
    return;
  const auto* table = node->as_table();
  if (table == nullptr)
    return section.wrong_type(*node, "exit", "a table, { port = \"NAME\" }");
  const Section exit{*table, line_of(*node), "\"exit\"", problems_, {"port"}};
  const auto name = exit.required_text("port");
  if (!name)
    return;
  const auto port = std::ranges::find(config_.ports, name->value, &Port::name);
  if (std::ranges::find(port_names_, name->value) == port_names_.end())
    refuse(name->line, fmt::format("there is no port {}{}", in_quotes(name->value),
                                   suggestion(name->value, port_names_)));
  else if (port != config_.ports.end() && !port->netdev())
    refuse(name->line,
           fmt::format("port {} cannot be the exit: the kernel has no interface of it", port->name));
  internet.exit = name->value;
}

void Reader::read_zone(const NamedTable& named) {
  const Section section{*named.table,
                        named.line,
                        fmt::format("[zone.{}]", named.name),
                        problems_,
                        {"port", "sources", "internet", "routes"}};
  Zone zone;
  zone.name = named.name;
  zone.line = named.line;
  if (zone.name == "sources")
    refuse(named.line, "\"sources\" is the table that finds the zones and cannot name one");
  for (auto& port : section.required_texts("port")) {
    if (std::ranges::find(port_names_, port.value) == port_names_.end())
      refuse(port.line, fmt::format("there is no port {}{}", in_quotes(port.value),
                                    suggestion(port.value, port_names_)));
    else if (std::ranges::find(zone.ports, port.value) != zone.ports.end())
      refuse(port.line, fmt::format("port {} stands here again", in_quotes(port.value)));
    zone.ports.push_back(std::move(port.value));
  }
  for (const auto& text : section.required_texts("sources")) {
    if (text.value == "bgp") {
      refuse(text.line, "\"bgp\" as a source is not supported in this version");
      continue;
    }
    const auto source = parse_source(text.value);
    if (!source) {
      refuse(text.line, source.error());
      continue;
    }
    const auto [other, added] = sources_.try_emplace(*source, Owner{zone.name, text.line});
    if (!added)
      refuse(text.line, fmt::format("{} is a source of zone {} already (line {})", text.value,
                                    other->second.name, other->second.line));
    zone.sources.push_back(*source);
  }
  if (const auto internet = section.boolean("internet")) {
    zone.internet = internet->value;
    if (internet->value && !config_.internet)
      refuse(internet->line, fmt::format("{} wants the Internet and there is no [internet]", section.name()));
  }
  read_routes(section, zone);
  config_.zones.push_back(std::move(zone));
}

void Reader::read_routes(const Section& section, Zone& zone) {
  const auto* entries = section.array("routes", "tables and file names");
  if (entries == nullptr)
    return;
  for (const auto& entry : *entries) {
    const auto* table = entry.as_table();
    std::optional<RouteSpec> spec;
    if (table != nullptr) {
      spec = read_route({*table,
                         line_of(entry),
                         "an entry of \"routes\"",
                         problems_,
                         {"prefix", "file", "preset", "cloud", "next_hop"}});
    } else if (const auto* file = entry.as_string()) {  // short for { file = "..." }
      spec.emplace();
      spec->line = line_of(entry);
      read_route_file({file->get(), spec->line}, *spec);
    } else {
      section.wrong_type(entry, "routes", "an array of tables and file names only");
    }
    if (spec)
      zone.routes.push_back(std::move(*spec));
  }
}

auto Reader::read_route(const Section& section) -> std::optional<RouteSpec> {
  RouteSpec spec;
  spec.line = section.line();
  const int kinds = section.has("prefix") + section.has("file") + section.has("preset");
  if (kinds != 1) {
    refuse(section.line(), "an entry of \"routes\" has exactly one of \"prefix\", \"file\" and \"preset\"");
    return std::nullopt;
  }
  if (section.has("cloud") && !section.has("preset"))
    refuse(section.line_of_key("cloud"), "\"cloud\" belongs to a \"preset\" only");

  if (const auto prefix = section.text("prefix")) {
    spec.kind = RouteSpec::Kind::prefix;
    if (const auto parsed = fib::parse_prefix(prefix->value))
      spec.prefix = *parsed;
    else
      refuse(prefix->line, parsed.error());
  } else if (const auto file = section.text("file")) {
    read_route_file(*file, spec);
  } else if (const auto preset = section.text("preset")) {
    spec.kind = RouteSpec::Kind::preset;
    spec.preset = preset->value;
    if (preset->value != "kms")
      refuse(preset->line, fmt::format("there is no preset {}; there is \"kms\"", in_quotes(preset->value)));
    if (const auto cloud = section.required_text("cloud")) {
      spec.cloud = cloud->value;
      if (cloud->value != "public" && cloud->value != "usgov" && cloud->value != "china")
        refuse(cloud->line, fmt::format("\"cloud\" is \"public\", \"usgov\" or \"china\", not {}",
                                        in_quotes(cloud->value)));
    }
  }
  // The lines of a file may each name their own.
  if (const auto next_hop =
          section.has("file") ? section.text("next_hop") : section.required_text("next_hop"))
    spec.next_hop = resolve_next_hop(*next_hop);
  return spec;
}

void Reader::read_route_file(const Located<std::string>& file, RouteSpec& spec) {
  spec.kind = RouteSpec::Kind::file;
  if (file.value.empty() || file.value.find('\0') != std::string::npos)
    return refuse(file.line, "\"file\" names no file");
  const std::filesystem::path path{file.value};
  if (path.extension() == ".json")
    return refuse(file.line, fmt::format("{}: Azure's JSON route tables are not supported in this version",
                                         in_quotes(file.value)));
  std::error_code code;
  const auto configuration = std::filesystem::absolute(config_.file, code);
  spec.file = (configuration.parent_path() / path).lexically_normal();
}

auto Reader::resolve_next_hop(const Located<std::string>& name) -> std::string {
  if (equal_without_case(name.value, none))
    return std::string{none};
  if (equal_without_case(name.value, leave)) {
    if (!config_.internet || !config_.internet->exit)
      refuse(name.line, std::string{no_exit});
    return std::string{leave};
  }
  if (std::ranges::find(next_hop_names_, name.value) != next_hop_names_.end())
    return name.value;
  else
    refuse(name.line, fmt::format("there is no next hop {}{}", in_quotes(name.value),
                                  suggestion(name.value, next_hop_names_)));
  return {};
}

}  // namespace sekisho::config

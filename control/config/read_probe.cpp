// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "common/base/duration.hpp"
#include "common/base/text.hpp"
#include "control/config/addresses.hpp"
#include "control/config/reader.hpp"

namespace sekisho::config {
namespace {

constexpr std::array<Word<Probe::Type>, 3> types{{
    {"icmp", Probe::Type::icmp},
    {"tcp", Probe::Type::tcp},
    {"http", Probe::Type::http},
}};

// A name of DNS (RFC 1123, 2.1), as far as a resolver would not take it for something else.
bool is_name(std::string_view text) {
  constexpr std::size_t longest = 253;
  return !text.empty() && text.size() <= longest && text.front() != '-' && text.front() != '.' &&
         std::ranges::all_of(text,
                             [](char c) {
                               const char low = base::lower(c);
                               return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                                      c == '.';
                             }) &&
         std::ranges::any_of(text, [](char c) { return base::lower(c) >= 'a' && base::lower(c) <= 'z'; });
}

auto parse_target(std::string_view text) -> tl::expected<Probe::Target, std::string> {
  const auto wanted = fmt::format("{} is not ADDRESS:PORT or NAME:PORT", base::in_quotes(text));
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return tl::unexpected(wanted);
  const auto host = text.substr(0, colon);
  const auto port = text.substr(colon + 1);
  Probe::Target target{.host = std::string{host}, .addresses = {}};
  const auto [rest, error] = std::from_chars(port.data(), port.data() + port.size(), target.port);
  if (error != std::errc{} || rest != port.data() + port.size() || target.port == 0)
    return tl::unexpected(wanted);
  if (is_name(host))
    return target;
  const auto address = parse_host(host);
  if (!address)
    return tl::unexpected(address.error());
  target.addresses = {*address};
  return target;
}

// One probe of a file, key by key.
class ProbeReader {
 public:
  ProbeReader(const Section& section, Problems& problems) : section_(section), problems_(problems) {}

  auto read() -> Probe {
    probe_.type = section_.required_choice("type", types).value_or(probe_.type);
    read_where();
    read_http();
    probe_.interval = section_.time("interval").value_or(probe_.interval);
    probe_.timeout = section_.time("timeout").value_or(probe_.interval);
    if (probe_.timeout > probe_.interval)
      refuse("timeout", fmt::format("\"timeout\" {} is longer than \"interval\" {}: the next probe would go "
                                    "out before this one is lost",
                                    base::to_string(probe_.timeout), base::to_string(probe_.interval)));
    probe_.down_after = count("down_after").value_or(probe_.down_after);
    probe_.up_after = count("up_after").value_or(probe_.up_after);
    probe_.hold = section_.time("hold").value_or(probe_.hold);
    return std::move(probe_);
  }

 private:
  void refuse(std::string_view key, std::string reason) {
    problems_.add(section_.line_of_key(key), std::move(reason));
  }

  void read_where() {
    if (probe_.type == Probe::Type::icmp) {
      for (const auto* key : {"port", "through"})
        if (section_.has(key))
          refuse(key, fmt::format("\"{}\" is for tcp and http: icmp asks the member itself", key));
      return;
    }
    if (section_.has("port") == section_.has("through")) {
      refuse(section_.has("port") ? "through" : "type",
             section_.has("port")
                 ? "\"port\" asks the member itself and \"through\" what is beyond it: write one of them"
                 : "\"probe\" needs \"port\", of the member itself, or \"through\" = \"ADDRESS:PORT\" beyond "
                   "it");
      return;
    }
    probe_.port = static_cast<std::uint16_t>(section_.number("port").value_or(0));
    read_targets();
  }

  void read_targets() {
    const auto* node = section_.node("through");
    if (node == nullptr)
      return;
    const auto texts = node->is_string() ? std::vector{*section_.text("through")} : section_.texts("through");
    if (node->is_array() && node->as_array()->empty())
      refuse("through", "\"through\" is empty");
    const auto most = section_.range("through").most;
    if (std::ssize(texts) > most)
      refuse("through", fmt::format("more than {} targets in \"through\"", most));
    for (const auto& text : texts) {
      auto target = parse_target(text.value);
      if (!target)
        problems_.add(text.line, target.error());
      else if (std::ranges::find(probe_.through, *target) != probe_.through.end())
        problems_.add(text.line, fmt::format("duplicate target {}", text.value));
      else
        probe_.through.push_back(std::move(*target));
    }
  }

  void read_http() {
    if (probe_.type != Probe::Type::http) {
      for (const auto* key : {"path", "status"})
        if (section_.has(key))
          refuse(key, fmt::format("\"{}\" is for type = \"http\"", key));
      return;
    }
    if (const auto path = section_.text("path")) {
      probe_.path = path->value;
      const bool is_clean = std::ranges::all_of(path->value, [](char c) { return c > ' ' && c < '\x7f'; });
      if (!path->value.starts_with('/') || !is_clean)
        refuse("path", fmt::format("{} is not a path of HTTP: it begins with / and has no blanks",
                                   base::in_quotes(path->value)));
    }
    probe_.status = count("status").value_or(probe_.status);
  }

  auto count(std::string_view key) -> std::optional<unsigned> {
    const auto value = section_.number(key);
    return value ? std::optional{static_cast<unsigned>(*value)} : std::nullopt;
  }

  const Section& section_;
  Problems& problems_;
  Probe probe_;
};

}  // namespace

auto to_string(const Probe& probe) -> std::string {
  std::string result{std::ranges::find(types, probe.type, &Word<Probe::Type>::meaning)->word};
  if (probe.port != 0)
    result += fmt::format(" {}", probe.port);
  for (const auto& target : probe.through)
    result +=
        fmt::format("{}{}:{}", &target == &probe.through.front() ? " " : ", ", target.host, target.port);
  return probe.through.empty() ? result : result + " through it";
}

void Reader::read_probe(const Section& of, NextHop& next_hop) {
  const auto* node = of.node("probe");
  if (node == nullptr)
    return;
  const auto* table = node->as_table();
  if (table == nullptr)
    return of.wrong_type(*node, "probe", "a table, { type = \"tcp\", port = 443 }");
  next_hop.probe_line = of.line_of_key("probe");
  const Section section{*table, next_hop.probe_line, "\"probe\"", problems_, keys::probe};
  next_hop.probe = ProbeReader{section, problems_}.read();
}

// A member is one address with one state, whoever names it; and only the kernel sends.
void Reader::check_probes() {
  for (const auto& next_hop : config_.next_hops) {
    if (!next_hop.probe)
      continue;
    for (const auto member : next_hop.members) {
      const auto text = base::address_to_string(member);
      for (const auto& port : config_.ports)
        if (!port.has_netdev() && std::ranges::any_of(port.addresses, [&](const InterfaceAddress& own) {
              return subnet_of(own).covers(member);
            }))
          refuse(next_hop.probe_line,
                 fmt::format("member {} cannot be probed: the kernel has no interface of port {} and no "
                             "address there to send from",
                             text, port.name));
      const auto other = std::ranges::find_if(config_.next_hops, [&](const NextHop& each) {
        return each.line < next_hop.line && each.probe && each.probe != next_hop.probe &&
               std::ranges::find(each.members, member) != each.members.end();
      });
      if (other != config_.next_hops.end())
        refuse(next_hop.probe_line, fmt::format("member {} has another probe in [next_hop.{}] ({})", text,
                                                other->name, place(next_hop.probe_line, other->probe_line)));
    }
  }
}

}  // namespace sekisho::config

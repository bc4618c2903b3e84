// SPDX-License-Identifier: BSD-3-Clause
// Fills a RouteFile: each next hop and each label is kept once.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "control/formats/json.hpp"
#include "control/formats/route_file.hpp"

namespace sekisho::formats {

class RouteCollector {
 public:
  RouteCollector(const std::filesystem::path& file, Format format);

  [[nodiscard]] auto next_hop(NextHop next_hop) -> std::uint32_t;
  [[nodiscard]] auto label(const std::string& label) -> std::uint32_t;
  // `line`: of a text file.
  void find(base::Severity severity, std::string path, std::string reason, unsigned line = 0);
  // That so many routes lead to the host itself, and are left out.
  void find_own(std::size_t count);
  // A property that is not known, once a name: a table of thousands has it in every row.
  void find_unknown_property(std::string_view what, const std::string& name, std::string path);

  // Opens another table. What is found while one is open is about it.
  [[nodiscard]] auto add_table(TableSummary table, const std::string& path)
      -> tl::expected<std::uint16_t, base::Error>;
  class Opened {
   public:
    Opened(RouteCollector& collector, std::uint16_t table)
        : collector_(collector), before_(std::exchange(collector.open_, table)) {}
    ~Opened() { collector_.open_ = before_; }
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;

   private:
    RouteCollector& collector_;
    std::optional<std::uint16_t> before_;
  };
  [[nodiscard]] Opened open(std::uint16_t table) { return {*this, table}; }
  // An IPv6 prefix, of the open table if there is one.
  void leave_out_ipv6();

  // A route of the open table.
  struct Written {
    base::Prefix prefix;
    route::Origin origin = route::Origin::user;
    NextHop next_hop;
    std::string label;
    unsigned line = 0;
    bool in_force = true;
  };
  void add(Written route);

  // What is filled. Its next hops, labels and tables only by the functions above.
  RouteFile result;

 private:
  std::unordered_map<std::string, std::uint32_t> next_hops_;
  std::unordered_map<std::string, std::uint32_t> labels_;
  std::set<std::string> unknown_properties_;
  std::set<std::string> places_;
  std::optional<std::uint16_t> open_;
};

// What stands in an `addressPrefix`.
enum class DestinationKind : std::uint8_t { ipv4, ipv6, tag };
struct Destination {
  DestinationKind kind = DestinationKind::ipv4;
  base::Prefix prefix;  // of ipv4
};
// The error is a reason.
[[nodiscard]] auto parse_destination(std::string_view text) -> tl::expected<Destination, std::string>;
// An IPv4 address; an IPv6 address is an error that says so.
[[nodiscard]] auto parse_next_hop_address(const std::string& text)
    -> tl::expected<std::uint32_t, std::string>;
// An array of them, each once.
[[nodiscard]] auto parse_next_hop_addresses(const Json& list, const std::string& path,
                                            const std::filesystem::path& file)
    -> tl::expected<std::vector<std::uint32_t>, base::Error>;

}  // namespace sekisho::formats

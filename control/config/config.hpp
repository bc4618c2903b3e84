// sekisho.toml as types. Reads that one file; the route files that it names are read by policy/.
//
// A configuration is either whole or refused: the first error names file, line and reason. A key this version
// does not know is an error, never ignored.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "control/load/error.hpp"
#include "dataplane/fib/prefix.hpp"

namespace sekisho::config {

struct InterfaceAddress {  // "10.0.1.4/24": an address and the subnet it is in
  std::uint32_t address = 0;
  std::uint8_t length = 0;
  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

struct StaticNeighbour {
  std::uint32_t address = 0;
  std::array<std::uint8_t, 6> mac{};
};

struct Port {
  std::string name;
  std::string device;                       // "af_xdp:NETDEV" or a DPDK vdev string
  std::vector<InterfaceAddress> addresses;  // only for devices that are no netdev of the kernel
  std::vector<StaticNeighbour> neighbours;  // likewise: nothing resolves them there
  std::uint16_t mtu = 0;                    // 0: the device's own
  unsigned line = 0;

  // The kernel interface of an "af_xdp:NETDEV" port.
  [[nodiscard]] std::optional<std::string> netdev() const;
};

struct NextHop {
  std::string name;
  std::vector<std::uint32_t> members;  // sorted, distinct, at least one
  unsigned line = 0;
};

enum class Install : std::uint8_t { default_route, halves };

struct Internet {
  std::string via;  // names a next hop
  Install install = Install::halves;
  unsigned line = 0;
};

// An entry of a zone's `routes`, in the order of the file.
struct RouteSpec {
  enum class Kind : std::uint8_t { prefix, file, preset };
  Kind kind = Kind::prefix;
  fib::Prefix prefix;  // Kind::prefix
  std::filesystem::path
      file;            // Kind::file: absolute, or relative to the configuration's folder and made absolute
  std::string preset;  // Kind::preset: "kms"
  std::string cloud;   // Kind::preset: "public", "usgov", "china"
  std::string
      next_hop;  // a name of [next_hop.*], or "None"; of a file: what a line without one means, or empty
  unsigned line = 0;
};

struct Zone {
  std::string name;
  std::vector<std::string> ports;
  std::vector<fib::Prefix> sources;
  bool internet = false;  // gets the default or the halves, and Azure's None routes for private space
  std::vector<RouteSpec> routes;
  unsigned line = 0;
};

struct Metrics {              // who asks over HTTP is told
  std::uint32_t address = 0;  // to listen on; 0.0.0.0: all of the host's
  std::uint16_t port = 0;
  unsigned line = 0;  // of "listen"
};

struct Config {
  std::filesystem::path file;
  std::vector<Port> ports;  // each list sorted by name
  std::vector<NextHop> next_hops;
  std::optional<Internet> internet;
  std::vector<Zone> zones;
  std::optional<Metrics> metrics;  // none: served nowhere
};

[[nodiscard]] auto read(const std::filesystem::path& file) -> tl::expected<Config, load::Error>;
[[nodiscard]] auto parse(std::string_view text, const std::filesystem::path& file)
    -> tl::expected<Config, load::Error>;

}  // namespace sekisho::config

// SPDX-License-Identifier: BSD-3-Clause
// The third lock: a tc program on each port's interface in the kernel (ingress.bpf.c), through which only what is for this
// host goes up. Attached by filter, not by link: it stays when its process dies.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/guard/guard.hpp"

struct bpf_object;

namespace sekisho::guard {

// One program and its maps, shared by all interfaces that it is attached to. Errors are one sentence.
class Ingress {
 public:
  // Whether the caller goes on telling the addresses of this host. If not, a frame passes, too, where the kernel forwards
  // nothing from the interface: an address that comes later is reached all the same.
  enum class Addresses : std::uint8_t { kept, as_they_are };
  [[nodiscard]] static auto load(Addresses addresses) -> tl::expected<std::unique_ptr<Ingress>, std::string>;
  ~Ingress();
  Ingress(const Ingress&) = delete;
  Ingress& operator=(const Ingress&) = delete;

  // Host byte order. Only the difference to the last call is written.
  [[nodiscard]] auto set_addresses(const std::set<std::uint32_t>& addresses)
      -> tl::expected<void, std::string>;
  // In one step in the place of a program of ours that another process has loaded.
  [[nodiscard]] auto attach(int link) const -> tl::expected<void, std::string>;
  [[nodiscard]] bool is_on(int link) const;
  // What it dropped, by reason.
  [[nodiscard]] std::map<std::string, std::uint64_t> drops() const;

 private:
  explicit Ingress(bpf_object* object) noexcept : object_(object) {}
  [[nodiscard]] int map(const char* name) const;

  bpf_object* object_;
  int program_ = -1;
  std::uint32_t id_ = 0;
  std::set<std::uint32_t> addresses_;
};

// Whether such a program is on the link, whoever loaded it.
[[nodiscard]] bool has_ingress(int link);
// True: there was one.
[[nodiscard]] auto remove_ingress(int link) -> tl::expected<bool, std::string>;

// Which links it has to be on: what is or ever was a port, and is there.
[[nodiscard]] auto ingress_links(const Guard& guard, const netlink::Mirror& mirror)
    -> std::vector<const netlink::Link*>;
// Unicast and subnet broadcast, of all interfaces.
[[nodiscard]] auto host_addresses(const netlink::Mirror& mirror) -> std::set<std::uint32_t>;

}  // namespace sekisho::guard

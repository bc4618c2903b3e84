// SPDX-License-Identifier: BSD-3-Clause
// A persistent TUN or TAP device of the kernel, attached to this process. It outlives the process with its addresses, routes
// and sockets, and has no carrier meanwhile; its alias says that it is ours, so that one made by somebody else is never
// taken, and its owner is this process's user, so that nobody else attaches to it meanwhile.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "common/base/fd.hpp"
#include "common/base/mac_address.hpp"
#include "dataplane/steer/steering.hpp"

namespace sekisho::host {

// The aliases of companions: this and the port's name.
inline constexpr std::string_view companion_alias = "sekisho port ";

class Tap {
 public:
  enum class Kind { frames, packets };  // a TAP: Ethernet; a TUN: IP
  struct Spec {
    Kind kind = Kind::frames;
    std::string name;
    std::string alias;
    std::uint16_t mtu = 0;
    base::MacAddress mac{};  // of a TAP
  };

  // Makes it, or attaches to the one that an earlier process left; a companion that a port of another name has left becomes
  // this one's. The error is one sentence that begins with its name.
  [[nodiscard]] static auto open(const Spec& spec) -> tl::expected<Tap, std::string>;

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }  // does not block
  [[nodiscard]] bool exists() const noexcept;                  // somebody may have removed it (`ip link del`)
  void set_carrier(bool up) const noexcept;
  [[nodiscard]] auto set_mtu(std::uint16_t mtu) const -> tl::expected<void, std::string>;
  // Puts it back, with a line in the log, when somebody else has changed it.
  void keep_mtu(std::uint16_t mtu) const;

 private:
  Tap(std::string name, base::Fd fd) : name_{std::move(name)}, fd_{std::move(fd)} {}

  std::string name_;
  base::Fd fd_;
};

// Removes every device whose alias begins with `alias` and whose name is not among `wanted`. One that a process
// has attached is in use, by another dataplane say, and stays.
void remove_stale(std::string_view alias, const std::set<std::string>& wanted);

}  // namespace sekisho::host

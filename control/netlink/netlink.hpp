// SPDX-License-Identifier: BSD-3-Clause
// The kernel's links, addresses, neighbours, and what of its routing concerns us, mirrored by rtnetlink: one dump at the
// start, then every change. When the kernel says that messages were lost (ENOBUFS) the mirror dumps again. Runs on the
// caller's io_context.
//
// Neighbours that next hops need are kept resolved by the kernel itself (NTF_EXT_MANAGED, Linux 5.16; before that
// NTF_USE, repeated). What the kernel's own stack needs for our ports (netlink/wanted.hpp) is kept as it is wanted.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "control/netlink/mirror.hpp"

namespace sekisho::netlink {

struct Wanted;

class Netlink {
 public:
  // `changed` is called on the io_context after the mirror changed (once for a batch of messages).
  [[nodiscard]] static auto open(boost::asio::io_context& io, std::function<void()> changed)
      -> tl::expected<std::unique_ptr<Netlink>, std::string>;
  ~Netlink();
  Netlink(const Netlink&) = delete;
  Netlink& operator=(const Netlink&) = delete;

  [[nodiscard]] const Mirror& mirror() const noexcept;
  // Replaces which links ports are bound to; those that are gone are forgotten when they go.
  void bind(Mirror::Bindings bound);
  // As another mirror has counted before this one.
  void count_returns(std::map<int, unsigned> returns);
  // The neighbours to keep resolved; replaces what was asked for before, and asks again by itself when a link returns.
  void keep_resolved(const std::vector<NeighbourKey>& neighbours);
  // Asks the kernel for what is wanted and not there, and to remove what we made and is no longer wanted. To be called
  // again whenever the mirror changed; asks for the same thing once a second at most.
  void keep(const Wanted& wanted);
  // Done when it returns, unless the kernel refuses: the mirror tells.
  void set_forwarding(int link, bool forwarding);
  // Lists everything again: of an interface that is down, the kernel does not tell that it was given an alias.
  void refresh();

 private:
  struct Impl;
  explicit Netlink(std::shared_ptr<Impl> impl) noexcept;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sekisho::netlink

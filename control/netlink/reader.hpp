// SPDX-License-Identifier: BSD-3-Clause
// Reads what the kernel says on an rtnetlink socket into a mirror: dumps, and every change where the socket is a member of
// the groups that tell of it. A round is one dump of each kind that is asked for; what a round did not name is forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <tuple>
#include <utility>
#include <vector>

#include "control/netlink/last_macs.hpp"
#include "control/netlink/mirror.hpp"
#include "control/netlink/rtnetlink.hpp"
#include "control/netlink/socket.hpp"

namespace sekisho::netlink {

class Reader {
 public:
  // What the kernel answered to a request that was sent with this sequence number: 0 or an errno.
  using Answer = std::function<void(std::uint32_t sequence, int error)>;
  Reader(Socket socket, std::vector<rtnetlink::Dump> round, Answer answer = {});
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  [[nodiscard]] const Socket& socket() const noexcept { return socket_; }
  [[nodiscard]] std::uint32_t next_sequence() noexcept { return ++sequence_; }

  // A whole round, before anything else is read. Waits for the kernel.
  [[nodiscard]] auto read_round() -> tl::expected<void, std::string>;
  // Reads what is there, without waiting.
  void read();
  // Another round, once all that is there has been read: something is missing from the mirror.
  void repeat() noexcept { again_ = true; }
  // Another round now, or after the one that runs.
  void refresh();
  // The kernel refused a dump: retry() has to be called in a while.
  [[nodiscard]] bool has_failed() const noexcept { return !failure_.empty(); }
  void retry();

  // Of all but these, the last MAC address is not remembered.
  void remember(std::set<NeighbourKey> neighbours);

  Mirror mirror;
  LastMacs last_macs{mirror.last_macs};
  std::set<NeighbourKey> managed;    // which the kernel keeps resolved
  std::set<NeighbourKey> permanent;  // which an operator set

 private:
  using AddressKey = std::tuple<int, std::uint32_t, std::uint8_t>;
  using RouteKey = std::pair<std::uint32_t, base::Prefix>;
  // Since the dump began, by it or by an event.
  struct Named {
    std::set<int> links;
    std::set<AddressKey> addresses;
    std::set<NeighbourKey> neighbours;
    std::set<RouteKey> routes;
    std::set<DefaultRoute> defaults;
    std::set<Rule> rules;
  };

  static AddressKey key_of(int link, const config::InterfaceAddress& address) {
    return {link, address.address, address.length};
  }
  static RouteKey key_of(const Route& route) { return {route.table, route.prefix}; }

  void start_dump(std::size_t which);
  void end_dump();
  void fail_dump(int error);
  void forget_unnamed(rtnetlink::Dump what);
  void forget_neighbours(const std::function<bool(const NeighbourKey&)>& which);
  void hear(const NeighbourKey& key, const Neighbour* before, const Neighbour* now);
  void lose_routes(int link);
  void remove_link(int index);

  void handle(const nlmsghdr& message);
  void handle_error(const nlmsghdr& message, bool in_dump);
  void apply(const rtnetlink::LinkMessage& message, bool in_dump);
  void apply(const rtnetlink::AddressMessage& message, bool in_dump);
  void apply(const rtnetlink::NeighbourMessage& message, bool in_dump);
  void apply(const rtnetlink::RouteMessage& message, bool in_dump);
  void apply(const rtnetlink::RouteMessage& message, const Route& route, bool in_dump);
  void apply(const rtnetlink::RouteMessage& message, const DefaultRoute& route, bool in_dump);
  void apply(const rtnetlink::RuleMessage& message, bool in_dump);
  void apply(const rtnetlink::SettingsMessage& message, bool in_dump);
  template <typename Key>
  bool is_old_news(std::set<Key>& named, const Key& key, bool in_dump);

  Socket socket_;
  std::vector<rtnetlink::Dump> round_;
  Answer answer_;
  std::uint32_t sequence_ = 0;
  std::optional<std::size_t> dump_;  // of the round, that runs
  std::uint32_t dump_sequence_ = 0;
  bool again_ = false;
  std::string failure_;
  Named named_;
  std::set<NeighbourKey> remembered_;
};

}  // namespace sekisho::netlink

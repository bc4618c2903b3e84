// SPDX-License-Identifier: BSD-3-Clause
// Learning by one configuration: the socket, the listings, and what becomes of routes that went. Lives on the learner's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/frr/vtysh.hpp"
#include "control/learn/census.hpp"
#include "control/learn/daemons.hpp"
#include "control/learn/hold.hpp"
#include "control/learn/learner.hpp"
#include "control/learn/store.hpp"
#include "control/netlink/socket.hpp"

namespace sekisho::learn {

class Session {
 public:
  // `changed`: snapshot() would give something new.
  Session(boost::asio::io_context& io, Settings settings, std::function<void()> changed);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Begins to list. The error is one sentence.
  [[nodiscard]] auto open() -> tl::expected<void, std::string>;
  // Whether the kernel's table has been heard whole, and what was learned is another than the last time.
  [[nodiscard]] bool has_news() const;
  [[nodiscard]] auto snapshot() -> Learner::Snapshot;

 private:
  enum class Listing : std::uint8_t { none, objects, routes };

  void read();
  void handle(const nlmsghdr& message);
  void handle_end(int error);
  void list();
  void list_later(std::chrono::milliseconds pause);
  // Once the timer has come to it, if this session is there then.
  void when_due(boost::asio::steady_timer& timer, std::function<void()> call);
  void ask(Listing what);
  void fail(int error);
  // What became of what vanished, and of what is held.
  void judge();
  void wake();
  void look();
  void ask_bgp();
  void hear_bgp(const frr::Result<std::string>& answer);
  [[nodiscard]] auto problems() const -> std::vector<std::string>;

  boost::asio::io_context& io_;
  std::shared_ptr<int> here_ = std::make_shared<int>();
  Settings settings_;
  std::function<void()> changed_;
  Store store_;
  Hold hold_;
  Daemons daemons_;
  Census census_;
  std::unique_ptr<frr::Vtysh> vtysh_;  // none: FRR's bgpd is not asked
  bool is_asking_ = false;
  Hold::Time asked_{};
  std::optional<netlink::Socket> socket_;
  std::unique_ptr<netlink::Listener> listener_;
  boost::asio::steady_timer list_timer_;
  boost::asio::steady_timer judge_timer_;
  boost::asio::steady_timer look_timer_;

  Listing listing_ = Listing::none;
  std::uint32_t sequence_ = 0;
  bool is_torn_ = false;           // the listing that runs lacks something
  bool is_list_due_ = false;       // one is to follow
  unsigned torn_ = 0;              // listings, one after the other
  bool is_complete_ = false;       // one was whole
  bool is_news_ = false;           // besides what the store says
  std::vector<std::string> said_;  // the problems of the last snapshot
};

}  // namespace sekisho::learn

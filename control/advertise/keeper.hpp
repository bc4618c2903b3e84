// SPDX-License-Identifier: BSD-3-Clause
// Keeps FRR advertising what is to be advertised, and nothing of it while it is not.
//
// FRR may be absent, hang, restart, be reloaded by an operator (which takes away whatever is not in its file), or still have what a former
// sekisho-control told it. So nothing is remembered of what FRR was told: each look asks what it originates, tells it the difference, and
// asks again. It looks when the wish changes, when bgpd's socket is another one (and until that one has read its file), and every few
// seconds. Forwarding never depends on any of it, and the loop never waits.
//
// All of an announcement goes to FRR in one go. When FRR takes only part of it, that part is taken back, and it is some time until the next
// attempt: a half without the other is worse than none. Nothing is called done before FRR says that it is so.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/advertise/farewell.hpp"
#include "control/advertise/frr_state.hpp"
#include "control/advertise/originator.hpp"
#include "control/advertise/status.hpp"
#include "control/config/config.hpp"
#include "control/frr/vtysh.hpp"

namespace sekisho::advertise {

class Keeper {
 public:
  // What FRR advertises by our order has changed: to all of the prefixes, or to none, and why.
  using Changed = std::function<void(bool is_announced, const Status& status)>;

  Keeper(boost::asio::io_context& io, Changed changed);
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // From now on to these peers, these prefixes (sorted); without peers nothing is left at FRR.
  void follow(const std::optional<config::Bgp>& bgp, std::vector<base::Prefix> prefixes);
  // Empty: something is forwarded.
  void judge(std::vector<std::string> why_not);
  void drain(bool is_drained);
  // `done` is called when FRR has been brought in line and asked, or did not answer.
  void look(std::function<void()> done);
  // None: there are no peers.
  [[nodiscard]] auto status() const -> const Status*;

 private:
  using Clock = std::chrono::steady_clock;

  struct Order {
    std::vector<base::Prefix> take_away;
    std::vector<base::Prefix> add;
    std::vector<base::Prefix> result;  // what FRR originates then
  };

  void wish_may_have_changed();
  void act();
  void begin();
  void ask();
  void heard(const frr::Result<std::string>& answer);
  auto take(std::string_view answer) -> frr::Result<void>;
  void go_on();
  void ask_what_peers_were_told();
  auto take_told(const std::vector<std::uint32_t>& peers, std::string_view answer) -> frr::Result<void>;
  [[nodiscard]] auto next_order(Wish wish, Clock::time_point now) const -> std::optional<Order>;
  void tell(Order order);
  void told(const frr::Result<std::string>& answer);
  void confirm(const Order& order);
  void carried_out(const Order& order);
  [[nodiscard]] auto why_taken_away(const Order& order) const -> std::string;
  void refused(const frr::Failure& failure);
  void failed(const frr::Failure& failure);
  void say(const frr::Failure& failure);
  void end_look();
  void wait();
  void leave();
  auto returned_from(const config::Bgp& bgp) -> std::vector<base::Prefix>;
  [[nodiscard]] bool has_moved();
  [[nodiscard]] bool is_starting() const;  // bgpd

  boost::asio::io_context& io_;
  Changed changed_;
  Originator originator_;
  std::unique_ptr<frr::Vtysh> vtysh_;                 // none: there are no peers
  std::vector<std::unique_ptr<Farewell>> farewells_;  // to those that are not followed any more
  config::Bgp bgp_;
  std::vector<base::Prefix> managed_;  // whatever of these FRR originates is by our order; sorted
  Status status_;
  boost::asio::steady_timer timer_;  // to the next look; while it is under way, to its beginning
  Clock::time_point next_look_;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> socket_;  // bgpd's: which, and since when
  Clock::time_point begun_;                                        // when that was seen
  bool is_looking_ = false;
  bool has_asked_ = false;  // in this look: what changes now may come too late for it
  bool has_failed_ = false;
  bool is_to_look_again_ = false;
  std::optional<std::vector<base::Prefix>> found_;  // what FRR originated when this look began
  bool is_told_again_ = false;                      // what FRR had not kept
  std::optional<Order> order_;                      // that FRR has, and has not yet said to have carried out
  std::optional<frr::Failure> refusal_;             // of the last announcement
  Clock::time_point not_before_;                    // the next announcement
  std::string said_;                                // the failure that stands in the log
  std::vector<std::function<void()>> waiting_;      // for the next look
  std::vector<std::function<void()>> served_;       // by the one that is under way
};

}  // namespace sekisho::advertise

// SPDX-License-Identifier: BSD-3-Clause
// Keeps FRR advertising what is to be advertised, and nothing of it while it is not.
//
// FRR may be absent, hang, restart, be reloaded by an operator (which takes away whatever is not in its file), or still have what a former
// sekisho-control told it. So nothing is remembered of what FRR was told: each look asks what it originates, tells it the difference, and
// asks again. It looks when the wish changes, when bgpd's socket is another one, and every few seconds. Forwarding never depends on any of
// it, and the loop never waits.
//
// All of an announcement goes to FRR in one go. When FRR takes only part of it, that part is taken back: a half without the other is worse
// than none.
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
#include "control/advertise/frr_state.hpp"
#include "control/advertise/originator.hpp"
#include "control/advertise/status.hpp"
#include "control/config/config.hpp"
#include "control/frr/vtysh.hpp"

namespace sekisho::advertise {

class Keeper {
 public:
  // What changed at FRR by our order: announced, or withdrawn and why.
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

  void wish_may_have_changed();
  void act();
  void ask();
  void heard(const frr::Result<std::string>& answer);
  auto take(std::string_view answer) -> frr::Result<void>;
  void tell(const std::vector<base::Prefix>& take_away, const std::vector<base::Prefix>& add);
  void told(bool is_announced, const frr::Result<std::string>& answer);
  void take_back();
  void failed(const frr::Failure& failure);
  void end_look();
  void wait();
  void leave();
  [[nodiscard]] bool has_moved();

  boost::asio::io_context& io_;
  Changed changed_;
  Originator originator_;
  std::unique_ptr<frr::Vtysh> vtysh_;   // none: there are no peers
  std::unique_ptr<frr::Vtysh> former_;  // that is told to withdraw and then done with
  config::Bgp bgp_;
  std::vector<base::Prefix> managed_;  // whatever of these FRR originates is by our order; sorted
  Status status_;
  boost::asio::steady_timer timer_;
  Clock::time_point next_look_;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> socket_;  // bgpd's: which, and since when
  bool is_looking_ = false;
  bool is_to_look_again_ = false;
  bool has_asked_twice_ = false;             // in this look, after an order
  std::optional<frr::Failure> taking_back_;  // why: FRR has not taken all
  std::chrono::milliseconds pause_{};        // after a failure
  std::string said_;                         // the failure that stands in the log
  std::vector<std::function<void()>> waiting_;
};

// The commands that add and take away `network` statements.
[[nodiscard]] auto commands(std::uint32_t asn, const std::vector<base::Prefix>& take_away,
                            const std::vector<base::Prefix>& add) -> std::vector<std::string>;

// What of the default, its halves and `prefixes` FRR originates, waiting for its answer: for who has no loop. Nothing where bgpd does not
// run.
[[nodiscard]] auto originated_now(const std::string& instance, const std::vector<base::Prefix>& prefixes)
    -> frr::Result<std::vector<base::Prefix>>;
// Withdraws it. The result is what was withdrawn.
[[nodiscard]] auto withdraw_now(const std::string& instance, const std::vector<base::Prefix>& prefixes)
    -> frr::Result<std::vector<base::Prefix>>;

}  // namespace sekisho::advertise

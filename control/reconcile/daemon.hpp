// SPDX-License-Identifier: BSD-3-Clause
// sekisho-control as a process: brings the reconciler what happens, and carries out what it says. One thread, the loop's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/advertise/keeper.hpp"
#include "control/guard/keeper.hpp"
#include "control/learn/learner.hpp"
#include "control/metrics/exposition.hpp"
#include "control/metrics/text.hpp"
#include "control/netlink/netlink.hpp"
#include "control/probe/prober.hpp"
#include "control/reconcile/endpoints.hpp"
#include "control/reconcile/file_watch.hpp"
#include "control/reconcile/health_check.hpp"
#include "control/reconcile/kept_state.hpp"
#include "control/reconcile/observer.hpp"
#include "control/reconcile/only_one.hpp"
#include "control/reconcile/policy_history.hpp"
#include "control/reconcile/policy_reader.hpp"
#include "control/reconcile/reconciler.hpp"
#include "control/serve/backend.hpp"
#include "control/serve/server.hpp"
#include "control/sync/dataplane_client.hpp"
#include "control/web/site.hpp"

namespace sekisho::reconcile {

class Daemon final : public serve::Backend {
 public:
  struct Options {
    std::filesystem::path config = "/etc/sekisho/sekisho.toml";
    std::filesystem::path dataplane_socket = "/run/sekisho/dataplane.sock";
    std::filesystem::path socket = "/run/sekisho/control.sock";
    bool take_over = false;    // the command of the dataplane from another that has it
    std::string socket_group;  // may connect and read, besides root; empty: admin_group
    std::string admin_group;   // may change what runs; empty: nobody but root
    std::filesystem::path state_directory = "/var/lib/sekisho";  // for what is kept over a restart
  };
  // Reads the configuration, installs the guard, lists what the kernel has, and begins to connect to the
  // dataplane. The error is one sentence; nothing runs then.
  [[nodiscard]] static auto start(boost::asio::io_context& io, Options options)
      -> tl::expected<std::unique_ptr<Daemon>, std::string>;

  // Why it stopped the io_context by itself; empty: it was told to.
  [[nodiscard]] const std::string& failure() const { return failure_; }

  [[nodiscard]] std::shared_ptr<const policy::Policy> policy() const override {
    return reconciler_->policy();
  }
  [[nodiscard]] const netlink::Mirror& mirror() const override { return netlink_->mirror(); }
  [[nodiscard]] const sync::View& view() const override { return reconciler_->view(); }
  [[nodiscard]] bool dataplane_connected() const override { return dataplane_.is_there(); }
  [[nodiscard]] serve::Circumstances circumstances() const override;
  [[nodiscard]] const serve::Sources& sources() const override { return reconciler_->sources(); }
  void reload(const serve::ReloadOrder& order, ReloadDone done) override;
  [[nodiscard]] auto confirm() -> tl::expected<void, std::string> override { return history_.confirm(); }
  [[nodiscard]] auto history() const -> serve::History override { return history_.show(); }
  void plan(std::function<void(const serve::Planned&)> done) override;
  void rehearse(const serve::Rehearsal& what, PlanDone done) override;
  void change_routes(serve::RouteRequest request, ReloadDone done) override;
  [[nodiscard]] auto drain(bool is_wanted) -> tl::expected<void, std::string> override;
  [[nodiscard]] auto drain_member(const serve::DrainRequest& request)
      -> tl::expected<bool, std::string> override;
  [[nodiscard]] std::optional<std::uint64_t> draining_since_unix_ms() const override;
  [[nodiscard]] const advertise::Status* bgp() const override { return advertising_.status(); }
  void look_at_bgp(std::function<void()> done) override { advertising_.look(std::move(done)); }
  [[nodiscard]] std::shared_ptr<events::Subscription> subscribe() override { return observer_.subscribe(); }
  void ask_dataplane(ipc::Request request,
                     std::function<void(tl::expected<std::vector<ipc::Reply>, std::string>)> done) override;

 private:
  Daemon(boost::asio::io_context& io, Options options);
  auto open() -> tl::expected<void, std::string>;
  [[nodiscard]] auto first_learned(const policy::Policy& policy)
      -> tl::expected<learn::Learner::Snapshot, std::string>;
  void wait_for_signal();
  void read_kept_state();

  // Handles the event, and all that its actions bring about at once.
  void tell(Event event);
  void wake();
  [[nodiscard]] auto world() const -> World;
  void read(Source source, std::function<void(const Reading&)> done);
  [[nodiscard]] auto first_reading() -> Reading;
  // As if it had just been read: with the overrides in force, without what is learned.
  [[nodiscard]] auto running() const -> Reading;
  [[nodiscard]] auto refused_if_useless(Reading reading) -> Reading;
  // The event in which the dataplane's answer ends; nothing when the connection is lost, which is an event of its own.
  template <typename Answered>
  void ask(ipc::Request request, Answered answered);

  void carry_out(action::Say&& action);
  void carry_out(action::Yield&& action);
  void carry_out(action::Stop&& action);
  void carry_out(action::Claim&& action);
  void carry_out(action::AskState&& action);
  void carry_out(action::Transact&& action);
  void carry_out(action::CloseGuard&& action);
  void carry_out(action::Keep&& action);
  void carry_out(action::Bind&& action);
  void carry_out(action::CountReturns&& action);
  void carry_out(action::ListAgain&& action);
  void carry_out(action::Probe&& action);
  void carry_out(action::ReadFiles&& action);
  void carry_out(action::Follow&& action);
  void carry_out(action::KeepDrained&& action);
  void carry_out(action::Answer&& action);
  void carry_out(action::AnswerPlan&& action);

  void collect_metrics(metrics::Format format, std::function<void(std::string)> done);

  Options options_;
  std::uint64_t started_unix_ms_;
  boost::asio::io_context& io_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<OnlyOne> only_one_;  // none: this one takes over
  PolicyHistory history_;
  PolicyReader reader_;
  FileWatch file_watch_;
  sync::DataplaneClient dataplane_;
  std::unique_ptr<netlink::Netlink> netlink_;
  probe::Prober prober_;
  std::unique_ptr<guard::Keeper> guard_;
  KeptState kept_;
  advertise::Keeper advertising_;
  Observer observer_;
  HealthCheck health_check_;
  web::Page page_;
  Endpoints endpoints_;
  std::unique_ptr<Reconciler> reconciler_;
  learn::Learner learner_;  // tells the reconciler
  std::unique_ptr<serve::Server> server_;

  std::deque<Event> events_;  // not handled yet
  bool is_handling_ = false;
  std::optional<Time> wakes_at_;  // the timer runs until then
  Ticket last_ticket_ = 0;
  std::map<Ticket, ReloadDone> waiting_;  // for an answer
  std::map<Ticket, PlanDone> rehearsing_;
  metrics::Reloads reload_counts_;
  std::string failure_;
};

}  // namespace sekisho::reconcile

// sekisho-control: keeps the dataplane doing what the configuration means, given what the kernel sees.
//
//   files -> Policy --+
//                     +--> View -> transaction -> dataplane
//   kernel -> Mirror -+
//
// One transaction at a time. Whatever happens while one is in flight (a link event, a reload, a port that
// failed) is remembered and told in the next. The policy that runs is replaced only when the dataplane
// committed the new one.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "control/guard/keeper.hpp"
#include "control/metrics/exposition.hpp"
#include "control/metrics/server.hpp"
#include "control/netlink/netlink.hpp"
#include "control/policy/policy.hpp"
#include "control/reach/hosts.hpp"
#include "control/reconcile/command.hpp"
#include "control/reconcile/file_watch.hpp"
#include "control/reconcile/policy_reader.hpp"
#include "control/reconcile/port_links.hpp"
#include "control/serve/backend.hpp"
#include "control/serve/server.hpp"
#include "control/sync/dataplane_client.hpp"
#include "control/sync/transaction.hpp"

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
  };
  // Reads the configuration, installs the guard, lists what the kernel has, and begins to connect to the
  // dataplane. The error is one sentence; nothing runs then.
  [[nodiscard]] static auto start(boost::asio::io_context& io, Options options)
      -> tl::expected<std::unique_ptr<Daemon>, std::string>;

  [[nodiscard]] std::shared_ptr<const policy::Policy> policy() const override { return policy_; }
  [[nodiscard]] const netlink::Mirror& mirror() const override { return netlink_->mirror(); }
  [[nodiscard]] const sync::View& view() const override { return view_; }
  [[nodiscard]] bool dataplane_connected() const override {
    return dataplane_.connected() || dataplane_.hangs();
  }
  [[nodiscard]] serve::Circumstances circumstances() const override;
  [[nodiscard]] const serve::Sources& sources() const override { return sources_; }
  // Why it stopped the io_context by itself; empty: it was told to.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  void reload(bool force, std::function<void(tl::expected<serve::Reloaded, std::string>)> done) override;
  void plan(std::function<void(const serve::Planned&)> done) override;
  void rehearse(std::function<void(tl::expected<serve::Plan, std::string>)> done) override;
  void change_route(serve::OverrideRequest request,
                    std::function<void(tl::expected<serve::Reloaded, std::string>)> done) override;
  void ask_dataplane(ipc::Request request,
                     std::function<void(tl::expected<std::vector<ipc::Reply>, std::string>)> done) override;

 private:
  using ReloadDone = std::function<void(tl::expected<serve::Reloaded, std::string>)>;
  // Another policy: what the files say, or an override of what runs when its turn has come.
  struct Step {
    std::shared_ptr<const policy::Policy> policy;  // null: an override's, whose turn has not come
    std::variant<serve::Sources, serve::OverrideRequest> from;
    ReloadDone done;
    bool force = false;                             // also where it breaks what works
    std::chrono::steady_clock::time_point asked{};  // its members' neighbours; it waits for them a while
    bool is_verified = false;                       // the dataplane was asked whether it has what it was told
    // Set: all but the transaction, and then this instead of `done`.
    std::function<void(tl::expected<serve::Plan, std::string>)> rehearsed{};

    [[nodiscard]] const serve::OverrideRequest* override_request() const {
      return std::get_if<serve::OverrideRequest>(&from);
    }
    // Both are reloads, and the same was allowed to both.
    [[nodiscard]] bool gives_way_to(const Step& later) const {
      const auto is_reload = [](const Step& step) { return !step.override_request() && !step.rehearsed; };
      return is_reload(*this) && is_reload(later) && force == later.force;
    }
    [[nodiscard]] std::string name() const;  // "reload", "route add 10.1.0.0/16 firewall in zone onprem"
  };

  Daemon(boost::asio::io_context& io, Options options, std::unique_ptr<PolicyReader> reader, Reading reading);
  // What was read is wanted from now on, unless it cannot be.
  void take(const Reading& reading, bool force, ReloadDone done);
  void push(Step step);
  // What was read may take the place of what runs: a device that is not there is an error unless it is no news.
  [[nodiscard]] auto admissible(const Reading& reading)
      -> tl::expected<std::shared_ptr<const policy::Policy>, std::string>;
  void look_beside();
  auto open() -> tl::expected<void, std::string>;
  void wait_for_signal();

  // What happens outside.
  void on_kernel_changed();
  void on_connected();
  void take_over();
  void bind_ports();
  void take_over_bindings(const ipc::State& state);
  void on_disconnected(const std::string& reason);
  void on_event(const ipc::Event& event);
  void on_wanted(const ipc::Wanted& wanted);
  void on_changed(const ipc::Changed& changed);
  void on_superseded(const ipc::Superseded& superseded);

  // The world as it is now, in view_, and a line for each thing that changed.
  void look();
  [[nodiscard]] sync::View view_of(const policy::Policy& policy) const;
  void report_members(const std::vector<reach::Member>& before) const;
  void report_exit(const std::optional<reach::Exit>& before) const;
  void report_links();
  void keep();

  // Sends the next transaction if there is one to send and none in flight.
  void advance();
  // Asks the dataplane whether it has what it was told, before a reload is told as what it changes.
  void verify();
  void heal(const std::string& why);
  // When it is to be looked at again; nothing: it is its turn.
  [[nodiscard]] auto waits_until(const Step& step) const
      -> std::optional<std::chrono::steady_clock::time_point>;
  [[nodiscard]] auto harms(const policy::Policy& then) const -> std::vector<sync::Harm>;
  // False: it breaks what works, and was refused.
  [[nodiscard]] auto is_harmless(const Step& step) -> bool;
  [[nodiscard]] auto plan_to(std::shared_ptr<const policy::Policy> then) const -> serve::Plan;
  [[nodiscard]] auto plan_to(const Reading& reading) -> tl::expected<serve::Plan, std::string>;
  void send_policy(std::optional<Step> step);
  void send_incremental();
  void on_policy(sync::View view, std::optional<Step> step,
                 const tl::expected<std::vector<ipc::Reply>, std::string>& answer);
  void committed(const ipc::Committed& committed, sync::View view);
  void refused(const std::string& reason);
  // Makes an override's policy from what runs; false: it was refused.
  auto resolve(Step& step) -> bool;
  // Takes the step as what is wanted from now on; how many overrides are gone by it.
  auto adopt(const Step& step) -> std::size_t;
  void store(Step step);
  [[nodiscard]] auto may_change() const -> tl::expected<void, std::string>;
  void retry_later();

  [[nodiscard]] guard::Guard guard_of(const policy::Policy& policy) const;
  [[nodiscard]] guard::Guard wanted_guard() const;
  auto guard() -> tl::expected<void, std::string>;
  void report_missing_ports();

  auto listen_for_metrics(const boost::asio::ip::tcp::endpoint& endpoint)
      -> tl::expected<std::unique_ptr<metrics::Server>, std::string>;
  [[nodiscard]] auto could_serve_metrics(const policy::Policy& policy) -> tl::expected<void, std::string>;
  [[nodiscard]] bool serves_metrics_of(const policy::Policy& policy) const;
  // Listens where policy_ says, and tries again later where it cannot: what watches must never keep what it watches down.
  void serve_metrics();

  Options options_;
  std::unique_ptr<PolicyReader> reader_;
  std::shared_ptr<const policy::Policy> policy_;
  serve::Sources sources_;  // of policy_
  boost::asio::io_context& io_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer retry_;
  boost::asio::steady_timer metrics_retry_;
  boost::asio::steady_timer patience_;
  sync::DataplaneClient dataplane_;
  Command command_;
  std::unique_ptr<netlink::Netlink> netlink_;
  std::unique_ptr<guard::Keeper> guard_;
  std::unique_ptr<serve::Server> server_;
  std::unique_ptr<metrics::Server> metrics_;
  metrics::Reloads reload_counts_;
  std::uint64_t started_unix_ms_;

  sync::View view_;                 // of policy_
  std::optional<sync::View> told_;  // what the dataplane has; nothing: it needs a full transaction
  std::deque<Step> steps_;          // not sent yet
  reach::Hosts hosts_;              // of policy_
  bool hosts_are_full_ = false;     // and the log says so
  reach::Inherited inherited_;      // shrinks as the kernel speaks
  bool has_taken_over_ = false;     // the dataplane has been asked once what it forwarded to
  bool in_flight_ = false;
  std::uint64_t transaction_ = 0;  // the dataplane's last that we know of; 0: none on this connection
  bool is_to_heal_ = false;        // somebody else changed it while a transaction was under way
  std::shared_ptr<const policy::Policy> sending_;  // whole, not committed yet
  bool is_new_connection_ = false;                 // that has not had its first transaction
  bool look_is_due_ = false;
  bool step_is_due_ = false;
  bool retry_runs_ = false;
  std::chrono::seconds retry_pause_{2};    // grows while a port cannot be opened
  std::chrono::seconds metrics_pause_{2};  // grows while metrics cannot be served
  guard::Guard let_out_;                   // what the dataplane may send by the exit until the next commit
  std::set<std::string> missing_ports_;    // whose interfaces are not there, and the log says so
  std::map<std::string, std::string> failed_ports_;  // why
  std::string failed_exit_;                          // why the dataplane could not make it
  PortLinks port_links_;                             // for the log
  std::string last_refusal_;
  FileWatch file_watch_;
  std::string failure_;  // why it ended by itself
};

}  // namespace sekisho::reconcile

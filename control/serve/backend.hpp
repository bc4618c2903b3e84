// SPDX-License-Identifier: BSD-3-Clause
// What the server of CLI requests needs of the daemon. The daemon (control/reconcile/daemon.hpp) implements it; tests
// implement it without one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/prefix.hpp"
#include "common/base/stamp.hpp"
#include "control/advertise/status.hpp"
#include "control/events/feed.hpp"
#include "control/history/copy.hpp"
#include "control/netlink/netlink.hpp"
#include "control/policy/policy.hpp"
#include "control/serve/history.hpp"
#include "control/serve/problems.hpp"
#include "control/sync/harm.hpp"
#include "control/sync/transaction.hpp"
#include "dataplane.pb.h"

namespace sekisho::serve {

// What became of a reload or of an override.
struct Reloaded {
  bool applied = false;      // false: the dataplane is not connected; it will get this policy when it is
  ipc::Committed committed;  // what changed
  std::vector<std::string> warnings;
  std::size_t overrides_dropped = 0;  // that were in force, and no file has
  std::optional<std::uint64_t>
      policy{};  // its number in the history; none: it has no copy, or is an override
  std::optional<std::uint64_t> confirm_until_unix_ms{};  // or it is taken back
};

// Changes one prefix of a zone's table in what runs, until the next reload.
struct OverrideRequest {
  enum class Verb : std::uint8_t { add, del, replace };
  Verb verb = Verb::add;
  std::string zone;
  base::Prefix prefix;
  std::string next_hop;  // empty with `del`
  unsigned line{};       // in the request's file; 0: it stands in none
};

// What is asked at once, one after the other: all of it in one transaction, or nothing.
struct RouteRequest {
  std::vector<OverrideRequest> changes;  // at least one
  std::string file{};                    // where they stand, for a refusal; empty: nowhere
};
inline constexpr std::size_t most_changes = 100'000;  // of a request

// Takes a member out of its next hop until that is taken back, or puts it back.
struct DrainRequest {
  std::string next_hop;
  std::uint32_t member = 0;
  bool drained = true;
  bool force = false;  // also the last living one
};

// What a reload would lead from and to at this moment.
struct Plan {
  std::shared_ptr<const policy::Policy> before;
  sync::View before_view;
  std::shared_ptr<const policy::Policy> after;
  sync::View after_view;
  std::vector<sync::Harm> harms;  // why it would be refused unless it is forced
};

// When and from what the policy that runs was read.
struct Sources {
  std::uint64_t read_unix_ms = 0;
  std::vector<base::Stamp> files;  // the configuration first
  std::optional<std::uint64_t>
      policy{};  // of the history, from which it was read; none: from the files themselves
  std::shared_ptr<history::Copy> copy{};  // of these files; null: none was wanted, or it failed
  std::string not_copied{};               // why
};

// A reload, and on which terms.
struct ReloadOrder {
  bool force = false;  // also what would break something that works
  // Of the history; none: what the configuration says. 0: the one before the one that runs.
  std::optional<std::uint64_t> policy{};
  std::optional<std::chrono::seconds> confirm_within{};  // or it is taken back
};

// What a rehearsed reload would read: one of them, or neither for the configuration that runs.
struct Rehearsal {
  std::optional<std::uint64_t> policy{};  // as a reload's
  std::filesystem::path config{};
};

// What a reload would do, or why it would be refused; and the files of `sources` as they are now, none where one did not answer.
struct Planned {
  tl::expected<Plan, std::string> plan;
  std::vector<base::Stamp> files;
};

class Backend {
 public:
  using ReloadDone = std::function<void(tl::expected<Reloaded, std::string>)>;
  using PlanDone = std::function<void(tl::expected<Plan, std::string>)>;

  virtual ~Backend() = default;

  [[nodiscard]] virtual std::shared_ptr<const policy::Policy> policy() const = 0;  // that runs
  [[nodiscard]] virtual const netlink::Mirror& mirror() const = 0;
  [[nodiscard]] virtual const sync::View& view() const = 0;  // of that policy, now
  [[nodiscard]] virtual bool dataplane_connected() const = 0;
  [[nodiscard]] virtual Circumstances circumstances() const = 0;

  // Reads the files again, off this thread; one transaction or a refusal that changes nothing. One that would break what works
  // (sync::harms) is refused unless it is forced. Requests that come while files are read share what is read after them.
  virtual void reload(const ReloadOrder& order, ReloadDone done) = 0;
  // What was reloaded on trial stays. The error is a sentence.
  [[nodiscard]] virtual auto confirm() -> tl::expected<void, std::string> = 0;
  [[nodiscard]] virtual auto history() const -> History = 0;
  // What a reload would lead to at this moment, by the files as they are now; changes nothing.
  virtual void plan(std::function<void(const Planned&)> done) = 0;
  // The same of a policy of the history or of another configuration, and after new members had their time to answer, as a reload gives
  // it to them.
  virtual void rehearse(const Rehearsal& what, PlanDone done) = 0;
  [[nodiscard]] virtual const Sources& sources() const = 0;
  virtual void change_routes(RouteRequest request, ReloadDone done) = 0;
  // No new traffic should come, until that is taken back; kept over a restart. After an error nothing has changed.
  [[nodiscard]] virtual auto drain(bool is_wanted) -> tl::expected<void, std::string> = 0;
  [[nodiscard]] virtual std::optional<std::uint64_t> draining_since_unix_ms() const = 0;  // none: it is not
  // True: it was otherwise before. Kept over a restart; after an error nothing has changed. The dataplane hears of it soon after.
  [[nodiscard]] virtual auto drain_member(const DrainRequest& request) -> tl::expected<bool, std::string> = 0;
  // How it stands with BGP peers, as FRR said last; null: none are configured.
  [[nodiscard]] virtual const advertise::Status* bgp() const { return nullptr; }
  // Asks FRR, having told it what is wanted; `done` when it has answered, or has not in time.
  virtual void look_at_bgp(std::function<void()> done) { done(); }
  [[nodiscard]] virtual std::shared_ptr<events::Subscription> subscribe() = 0;
  virtual void ask_dataplane(
      ipc::Request request, std::function<void(tl::expected<std::vector<ipc::Reply>, std::string>)> done) = 0;
};

}  // namespace sekisho::serve

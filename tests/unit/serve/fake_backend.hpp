// SPDX-License-Identifier: BSD-3-Clause
// What operators ask, without a daemon: a backend that answers what a test says, and the questions to it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/serve/backend.hpp"
#include "control/serve/drain_member.hpp"
#include "control/serve/override.hpp"
#include "control/serve/request.hpp"
#include "tests/unit/sample_policy.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::serve {

inline const std::string fake_configuration = test::ports_and_firewall + R"([next_hop.vnet]
members = ["10.0.1.20"]
[internet]
via = "firewall"
install = "halves"
exit = { port = "egress" }
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12"]
internet = true
routes = [{ prefix = "10.0.0.0/16", next_hop = "vnet" }, { prefix = "10.0.0.0/8", next_hop = "vnet" },
          { prefix = "10.0.0.0/16", next_hop = "firewall" }, { prefix = "9.0.0.0/8", next_hop = "Internet" }]
[zone.internet]
port = ["egress"]
sources = ["0.0.0.0/0"]
routes = [{ prefix = "172.16.0.0/12", next_hop = "vnet" }, "many.txt"]
)";

inline std::uint32_t address(std::string_view text) {
  return base::parse_address(text).value();
}

// A daemon without a kernel, a dataplane or a configuration on disk.
class FakeBackend : public Backend {
 public:
  explicit FakeBackend(std::size_t many = 10) {
    std::string routes;
    for (std::size_t i = 0; i < many; ++i) {
      routes += base::to_string({static_cast<std::uint32_t>((20U << 24) + (i << 8)), 24}) + " vnet\n";
    }
    static_cast<void>(folder.write("many.txt", routes));
    policy_ = policy::read(folder.write("sekisho.toml", fake_configuration)).value();
    mirror_.links[3] = {.index = 3, .name = "sekisho0", .up = true};
    mirror_.neighbours[{2, address("10.0.2.10")}] = {
        .state = "REACHABLE", .usable = true, .mac = {2, 0, 0, 0, 0, 10}};
    mirror_.neighbours[{2, address("10.0.2.11")}] = {.state = "FAILED", .usable = false, .mac = {}};
    view_ = sync::view(policy_->config, mirror_);
    view_.exit = reach::Exit{.port = "egress",
                             .netdev = "egress0",
                             .address = address("10.0.2.4"),
                             .gateway = address("10.0.2.1"),
                             .ready = true,
                             .why = "ready"};
  }

  std::shared_ptr<const policy::Policy> policy() const override { return policy_; }
  const netlink::Mirror& mirror() const override { return mirror_; }
  const sync::View& view() const override { return view_; }
  bool dataplane_connected() const override { return connected; }
  Circumstances circumstances() const override { return known; }
  void reload(const ReloadOrder& order,
              std::function<void(tl::expected<Reloaded, std::string>)> done) override {
    ordered = order;
    done(reloaded);
  }
  auto confirm() -> tl::expected<void, std::string> override {
    return unconfirmable.empty() ? tl::expected<void, std::string>{} : tl::unexpected{unconfirmable};
  }
  auto history() const -> History override { return known.history; }
  void plan(std::function<void(const Planned&)> done) override { done({.plan = planned, .files = {}}); }
  void rehearse(const Rehearsal& what, std::function<void(tl::expected<Plan, std::string>)> done) override {
    rehearsed = what;
    done(planned);
  }
  const Sources& sources() const override { return sources_; }
  void change_routes(RouteRequest request,
                     std::function<void(tl::expected<Reloaded, std::string>)> done) override {
    for (const auto& change : request.changes) {
      overrides_asked.push_back(to_string(change));
    }
    done(reloaded);
  }
  auto drain(bool is_wanted) -> tl::expected<void, std::string> override {
    if (!undrainable.empty()) {
      return tl::unexpected{undrainable};
    }
    draining = is_wanted ? std::optional<std::uint64_t>{1000} : std::nullopt;
    return {};
  }
  auto drain_member(const DrainRequest& request) -> tl::expected<bool, std::string> override {
    return apply(*policy_, view_, request).map([&](sync::Drained drained) {
      return std::exchange(view_.drained, drained) != drained;
    });
  }
  std::optional<std::uint64_t> draining_since_unix_ms() const override { return draining; }
  std::shared_ptr<events::Subscription> subscribe() override { return feed.subscribe(); }
  void ask_dataplane(ipc::Request request,
                     std::function<void(tl::expected<std::vector<ipc::Reply>, std::string>)> done) override {
    asked.push_back(request);
    if (!broken.empty()) {
      done(tl::unexpected{broken});
      return;
    }
    ipc::Reply reply;
    if (request.has_get_state()) {
      *reply.mutable_state() = state;
    } else if (request.has_get_statistics()) {
      *reply.mutable_statistics() = statistics;
    } else if (request.has_lookup()) {
      *reply.mutable_decision() = decide ? decide(request.lookup()) : decision;
    }
    done(std::vector{reply});
  }

  events::Feed feed;
  std::optional<std::uint64_t> draining;
  std::string undrainable;  // why
  test::TemporaryFolder folder;
  std::shared_ptr<const policy::Policy> policy_;
  netlink::Mirror mirror_ = test::both_ports();
  sync::View view_;
  bool connected = true;
  Circumstances known;
  ReloadOrder ordered;
  Rehearsal rehearsed;
  std::string unconfirmable;
  std::string broken;
  tl::expected<Reloaded, std::string> reloaded;
  tl::expected<Plan, std::string> planned = tl::unexpected<std::string>("no plan");
  Sources sources_;
  std::vector<std::string> overrides_asked;
  ipc::State state;
  ipc::Statistics statistics;
  ipc::Decision decision;
  std::function<ipc::Decision(const ipc::Lookup&)> decide;
  std::vector<ipc::Request> asked;
};

inline Json ask(FakeBackend& backend, const Json& request) {
  std::vector<Json> replies;
  handle(request, backend, 0, [&](Answer answer) {
    replies.push_back(answer.reply);
    for (auto next = answer.next; next;) {
      auto page = next();
      replies.push_back(page.reply);
      next = page.next;
    }
  });
  EXPECT_GE(replies.size(), 1U) << request;
  auto whole = replies.empty() ? Json() : replies.front();
  for (std::size_t i = 1; i < replies.size(); ++i) {
    whole["result"].insert(whole["result"].end(), replies[i]["result"].begin(), replies[i]["result"].end());
  }
  return whole;
}

inline Json result_of(FakeBackend& backend, const Json& request) {
  const auto reply = ask(backend, request);
  EXPECT_EQ(reply["ok"], true) << reply;
  return reply.value("result", Json());
}

inline std::string error_of(FakeBackend& backend, const Json& request) {
  const auto reply = ask(backend, request);
  EXPECT_EQ(reply["ok"], false) << reply;
  return reply.value("error", std::string{});
}

inline Json named(const Json& list, std::string_view name) {
  for (const auto& entry : list) {
    if (entry["name"] == name) {
      return entry;
    }
  }
  ADD_FAILURE() << "no " << name << " in " << list;
  return {};
}

inline Json show(FakeBackend& backend, const char* what) {
  return result_of(backend, {{"command", "show"}, {"what", what}});
}

inline ipc::Decision agreeing() {
  ipc::Decision decision;
  decision.set_zone("onprem");
  decision.mutable_source_prefix()->set_address(address("172.16.0.0"));
  decision.mutable_source_prefix()->set_length(12);
  decision.set_port_allowed(true);
  decision.mutable_prefix()->set_length(1);
  decision.set_next_hop("firewall");
  auto* adjacency = decision.mutable_adjacency();
  adjacency->mutable_key()->set_port("egress");
  adjacency->mutable_key()->set_address(address("10.0.2.10"));
  adjacency->set_alive(true);
  return decision;
}

inline const Json explain_request{
    {"command", "explain"}, {"source", "172.16.0.1"}, {"destination", "1.1.1.1"}, {"port", "lan"}};

}  // namespace sekisho::serve

// SPDX-License-Identifier: BSD-3-Clause
// [icmp] and [ip_options]: what is read, what it means for each drop reason, and that the dataplane reads the same from what it is told.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "control/config/config.hpp"
#include "control/sync/icmp.hpp"
#include "dataplane/writer/transaction.hpp"

namespace sekisho {
namespace {

using decide::DropReason;
using packet::IcmpError;

auto icmp_of(const std::string& section) -> tl::expected<config::Icmp, std::string> {
  const auto parsed = config::parse("[port.lan]\ndevice = \"af_xdp:lan0\"\n" + section, "/etc/sekisho.toml");
  if (!parsed) {
    return tl::unexpected(parsed.error().to_string());
  }
  return parsed->icmp;
}

auto meaning_of(const std::string& section) {
  policy::Policy policy;
  policy.config.icmp = icmp_of(section).value();
  return sync::icmp_policy(policy);
}

TEST(IcmpConfig, SaysWhatRoutersSayByDefault) {
  const auto policy = meaning_of("");
  EXPECT_EQ(policy.answer_to(DropReason::ttl_expired), IcmpError::time_exceeded);
  EXPECT_EQ(policy.answer_to(DropReason::mtu_exceeded), IcmpError::fragmentation_needed);
  EXPECT_EQ(policy.answer_to(DropReason::null_route), IcmpError::prohibited);
  EXPECT_EQ(policy.answer_to(DropReason::no_route), IcmpError::net_unreachable);
  EXPECT_EQ(policy.answer_to(DropReason::next_hop_down), IcmpError::net_unreachable);
  EXPECT_EQ(policy.answer_to(DropReason::neighbour_unresolved), IcmpError::host_unreachable);
  EXPECT_EQ(policy.answer_to(DropReason::no_exit), IcmpError::net_unreachable);
  EXPECT_EQ(policy.answer_to(DropReason::spoofed_source), std::nullopt) << "a forger is told nothing";
  EXPECT_EQ(policy.answer_to(DropReason::unknown_source), std::nullopt);
  EXPECT_EQ(policy.limits, (decide::IcmpLimits{.rate = 1000, .rate_per_source = 50, .source_length = 24}));
}

TEST(IcmpConfig, SaysWhatIsConfigured) {
  const auto policy = meaning_of(
      "[icmp]\nnull_route = \"none\"\nnext_hop_down = \"host-unreachable\"\nno_route = \"prohibited\"\n"
      "no_neighbour = \"none\"\n"
      "refused_source = \"prohibited\"\nrate = 7\nrate_per_source = 3\nsource_prefix = 32\n");
  EXPECT_EQ(policy.answer_to(DropReason::null_route), std::nullopt);
  EXPECT_EQ(policy.answer_to(DropReason::next_hop_down), IcmpError::host_unreachable);
  EXPECT_EQ(policy.answer_to(DropReason::no_route), IcmpError::prohibited);
  EXPECT_EQ(policy.answer_to(DropReason::neighbour_unresolved), std::nullopt);
  EXPECT_EQ(policy.answer_to(DropReason::spoofed_source), IcmpError::prohibited);
  EXPECT_EQ(policy.limits, (decide::IcmpLimits{.rate = 7, .rate_per_source = 3, .source_length = 32}));
  EXPECT_EQ(meaning_of("[icmp]\nerrors = false\n").answer_to(DropReason::ttl_expired), std::nullopt);
}

TEST(IcmpConfig, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(icmp_of("[icmp]\nrate = 0\n").error(),
            "/etc/sekisho.toml:4: rate of 0 is not between 1 and 1000000");
  EXPECT_EQ(icmp_of("[icmp]\nsource_prefix = 33\n").error(),
            "/etc/sekisho.toml:4: source_prefix of 33 is not between 8 and 32");
  EXPECT_FALSE(icmp_of("[icmp]\nnull_route = \"yes\"\n"));
  EXPECT_FALSE(icmp_of("[icmp]\nerror = true\n"));
}

TEST(IcmpConfig, TheDataplaneReadsTheSame) {
  const auto policy = meaning_of("[icmp]\nrefused_source = \"prohibited\"\n");
  const writer::Configuration nothing;
  ipc::Change change;
  *change.mutable_icmp() = sync::icmp_message(policy);
  writer::Transaction transaction{true, nothing};
  ASSERT_TRUE(transaction.add(change));
  struct NoRoutes : writer::RunningRoutes {
    std::optional<std::string_view> find(const std::string&, base::Prefix) const override { return {}; }
    std::size_t count(const std::string&, const std::string&) const override { return 0; }
  };
  const auto target = std::move(transaction).finish(NoRoutes{});
  ASSERT_TRUE(target) << target.error();
  EXPECT_EQ(target->configuration.icmp, policy);
}

TEST(IpOptionsConfig, SaysWhatBecomesOfEach) {
  const auto options_of = [](const std::string& section) {
    const auto parsed =
        config::parse("[port.lan]\ndevice = \"af_xdp:lan0\"\n" + section, "/etc/sekisho.toml");
    return parsed ? std::optional{parsed->ip_options} : std::nullopt;
  };
  const auto usual = options_of("").value();
  EXPECT_FALSE(usual.source_routes_pass);
  EXPECT_EQ(usual.record_route, config::OptionHandling::fill);
  EXPECT_EQ(usual.timestamp, config::OptionHandling::fill);
  const auto other =
      options_of("[ip_options]\nsource_route = \"ignore\"\nrecord_route = \"ignore\"\ntimestamp = \"drop\"\n")
          .value();
  EXPECT_TRUE(other.source_routes_pass);
  EXPECT_EQ(other.record_route, config::OptionHandling::ignore);
  EXPECT_EQ(other.timestamp, config::OptionHandling::drop);
  EXPECT_FALSE(options_of("[ip_options]\nsource_route = \"fill\"\n")) << "nobody is led by one";
  EXPECT_FALSE(options_of("[ip_options]\nrecord_routes = \"drop\"\n"));
}

TEST(IcmpConfig, TheDataplaneRefusesWhatCannotBeSaid) {
  const writer::Configuration nothing;
  const auto refusal = [&](const char* reason, const char* error) {
    ipc::Change change;
    auto& answer = *change.mutable_icmp()->add_answers();
    answer.set_drop_reason(reason);
    answer.set_error(error);
    return writer::Transaction{true, nothing}.add(change).error();
  };
  EXPECT_EQ(refusal("bad_checksum", "time_exceeded"), "icmp: nobody can be told of bad_checksum");
  EXPECT_EQ(refusal("transmit_full", "prohibited"), "icmp: nobody can be told of transmit_full");
  EXPECT_EQ(refusal("ttl_expired", "source_quench"), "icmp: there is no answer source_quench to ttl_expired");
}

}  // namespace
}  // namespace sekisho

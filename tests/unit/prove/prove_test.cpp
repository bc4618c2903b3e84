// SPDX-License-Identifier: BSD-3-Clause
// Assertions as an operator writes them, over configurations as an operator has them.
#include "control/prove/prove.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "control/policy/policy.hpp"
#include "control/prove/scope.hpp"
#include "tests/unit/real_data.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::prove {
namespace {

constexpr std::string_view prelude = R"([port.lan]
device = "0000:00:04.0"
address = ["10.0.1.4/24"]
[port.egress]
device = "0000:00:05.0"
address = ["198.51.100.4/24"]
[next_hop.firewall]
members = ["198.51.100.10"]
[next_hop.gateway]
members = ["10.0.1.1"]
[azure]
service_tags = "tags.json"
next_hop = { VirtualNetworkGateway = "gateway" }
[internet]
via = "firewall"
exit = { port = "egress" }
@internet
[zone.onprem]
port = ["lan"]
sources = ["172.16.0.0/12", "131.107.0.0/16"]
internet = true
routes = [
  { prefix = "10.0.0.0/16", next_hop = "gateway" },
@onprem
]
[zone.internet]
port = ["egress"]
sources = ["0.0.0.0/0"]
routes = [{ prefix = "172.16.0.0/12", next_hop = "gateway" }, { prefix = "131.107.0.0/16", next_hop = "gateway" }]
[zone.vnet]
port = ["lan"]
sources = ["10.0.0.0/16"]
)";

constexpr std::string_view tags = R"({"changeNumber": 1, "cloud": "Public", "values": [
  {"name": "AzureMonitor", "id": "AzureMonitor", "properties":
    {"changeNumber": 1, "region": "", "platform": "Azure", "systemService": "AzureMonitor",
     "addressPrefixes": ["20.40.0.0/24", "20.41.0.0/24", "2603::/40"]}}]})";

struct Texts {
  std::string internet = {};
  std::string onprem = {};
  std::string end = {};
};

class ProveFiles : public testing::Test {
 protected:
  ProveFiles() { folder_.write("tags.json", tags); }

  auto read(const Texts& texts) -> tl::expected<std::shared_ptr<const policy::Policy>, base::Error> {
    std::string text{prelude};
    text.replace(text.find("@internet"), 9, texts.internet);
    text.replace(text.find("@onprem"), 7, texts.onprem);
    return policy::read(folder_.write("sekisho.toml", text + texts.end));
  }
  auto good(const Texts& texts) -> std::shared_ptr<const policy::Policy> {
    auto policy = read(texts);
    EXPECT_TRUE(policy) << policy.error().to_string();
    return policy ? *policy : std::make_shared<policy::Policy>();
  }
  auto shorten(std::string text) const -> std::string {
    const auto name = folder_.path().string() + "/";
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name))
      text.erase(at, name.size());
    return text;
  }
  // Of the first assertion.
  auto first(const Texts& texts, const Kernel& kernel = {}) -> Proof {
    policy_ = good(texts);
    auto proofs = prove(*policy_, kernel);
    return proofs.empty() ? Proof{} : proofs.front();
  }
  auto said(const Texts& texts) -> std::string { return shorten(sentence(first(texts))); }
  auto refused(const Texts& texts) -> std::string {
    const auto policy = read(texts);
    return policy ? "nothing" : shorten(policy.error().to_string());
  }

  test::TemporaryFolder folder_;
  std::shared_ptr<const policy::Policy> policy_;
};

constexpr std::uint64_t slash24 = 256;

TEST_F(ProveFiles, BuiltInHoldsOfWhatIsNamed) {
  const auto proof = first({.onprem = R"({ preset = "kms", cloud = "public", next_hop = "Internet" },
    { prefix = "8.8.8.0/24", next_hop = "gateway" },
    { tag = "AzureMonitor", next_hop = "gateway" })"});
  EXPECT_TRUE(proof.built_in);
  EXPECT_TRUE(proof.holds) << sentence(proof);
  EXPECT_EQ(proof.name, "zone onprem reaches the Internet by firewall and named exceptions only");
  // All but 0/8, 10/8, 127/8, 224/3, two blocks of 2^16, 172.16/12, 100.64/10, own networks of 2^16 and 2^8, and 168.63.129.16.
  EXPECT_EQ(proof.spoken, (std::uint64_t{1} << 32) - (3ULL << 24) - (32ULL << 24) - (2ULL << 16) -
                              (1ULL << 20) - (1ULL << 22) - (1ULL << 16) - slash24 - 1);
}

TEST_F(ProveFiles, BuiltInIsFalseOfWhatAFileTakesElsewhere) {
  folder_.write("udr.txt",
                "203.0.113.0/24 VirtualNetworkGateway\n131.107.4.0/24 VirtualNetworkGateway\n9.9.9.0/24 "
                "Internet\n1.0.0.0/8 None\n"
                "8.8.8.0/24 gateway\n8.8.9.0/24 10.0.1.1\n");
  const auto proof = first({.onprem = "\"udr.txt\""});
  EXPECT_FALSE(proof.holds);
  EXPECT_EQ(proof.destinations, slash24);  // neither on-premises' own network nor what a file excepts
  ASSERT_TRUE(proof.counterexample);
  EXPECT_EQ(proof.counterexample->zone, "onprem");
  EXPECT_EQ(base::address_to_string(proof.counterexample->source.value()), "131.107.0.0");
  EXPECT_EQ(base::address_to_string(proof.counterexample->destination), "203.0.113.0");
  EXPECT_EQ(proof.counterexample->decider.next_hop, "gateway");
  EXPECT_EQ(
      shorten(refuse_broken(*policy_)->to_string()),
      "sekisho.toml:18: the assertion \"zone onprem reaches the Internet by firewall and named exceptions "
      "only\" is false for 256 destination addresses: what 131.107.0.0 of zone onprem sends to "
      "203.0.113.0 goes via gateway, by 203.0.113.0/24 (udr.txt:1), and not via firewall, dropped or a "
      "named exception (built in: an [[assert]] of your own may say it otherwise once [internet] has "
      "assert = false)");
  EXPECT_TRUE(prove(*good({.internet = "assert = false", .onprem = "\"udr.txt\""})).empty());
}

TEST_F(ProveFiles, AnOverrideIsNoNamedException) {
  const auto policy = good({});
  EXPECT_FALSE(refuse_broken(*policy));
  for (const auto* next_hop : {"gateway", "Internet"}) {
    const auto changed =
        policy::with_overrides(*policy, {{"onprem", base::parse_prefix("8.8.8.8/32").value(), next_hop}});
    ASSERT_TRUE(changed) << changed.error();
    const auto proof = prove(**changed).at(0);
    EXPECT_EQ(proof.destinations, 1U);
    EXPECT_EQ(proof.counterexample.value().decider.written, "sekisho route");
  }
}

TEST_F(ProveFiles, DecidesAZoneByItsTable) {
  const auto with = [&](const std::string& assertion, const std::string& routes = "") {
    return said({.internet = "assert = false", .onprem = routes, .end = "[[assert]]\n" + assertion});
  };
  EXPECT_EQ(with(R"(from = "zone:onprem"
to = "8.0.0.0/8"
via = "firewall")"),
            "holds for 16777216 destination addresses");
  EXPECT_EQ(with(R"(from = "zone:onprem"
to = "8.0.0.0/8"
via = "firewall")",
                 R"({ prefix = "8.8.8.8/32", next_hop = "Internet" })"),
            "is false for 1 destination address: what 131.107.0.0 of zone onprem sends to 8.8.8.8 goes via "
            "Internet, by 8.8.8.8/32 (sekisho.toml:24), and not via firewall");
  EXPECT_EQ(with(R"(from = "zone:onprem"
to = ["8.0.0.0/8", "tag:AzureMonitor"]
via = ["firewall", "Internet"]
except = ["8.8.8.0/24", "tag:AzureMonitor"])",
                 R"({ prefix = "8.8.0.0/16", next_hop = "gateway" })"),
            "is false for 65280 destination addresses: what 131.107.0.0 of zone onprem sends to 8.8.0.0 goes "
            "via gateway, by 8.8.0.0/16 (sekisho.toml:24), and not via firewall or Internet");
  EXPECT_EQ(with(R"(from = "zone:vnet"
to = "internet"
via = "dropped")")
                .substr(0, 5),
            "holds");
  EXPECT_EQ(with(R"(from = "zone:vnet"
to = "internet"
via = "firewall"
except = "0.0.0.0/1")")
                .substr(0, 50),
            "is false for 1609367295 destination addresses: wha");
}

TEST_F(ProveFiles, DividesAPrefixAmongZones) {
  // 10/16 is vnet's, the rest zone internet's.
  const auto proof = first({.internet = "assert = false", .onprem = "", .end = R"([[assert]]
from = "10.0.0.0/15"
to = ["172.16.0.0/24", "131.107.0.0/24"]
via = "gateway"
)"});
  EXPECT_FALSE(proof.holds);
  EXPECT_EQ(proof.destinations, 2 * slash24);
  EXPECT_EQ(proof.pairs, std::uint64_t{1} << 16 << 9);
  EXPECT_EQ(proof.counterexample.value().zone, "vnet");
  EXPECT_EQ(proof.counterexample.value().decider.written, "no route");
}

TEST_F(ProveFiles, SpeaksOfNothingIsNotTrue) {
  const auto with = [&](const std::string& assertion) {
    return said({.internet = "assert = false", .onprem = "", .end = "[[assert]]\n" + assertion});
  };
  const std::string nothing = "says nothing: no table is asked about any of these destinations";
  EXPECT_EQ(with("from = \"zone:onprem\"\nto = \"127.0.0.0/8\"\nvia = \"dropped\""), nothing);
  EXPECT_EQ(with("from = \"zone:onprem\"\nto = \"8.0.0.0/8\"\nexcept = \"8.0.0.0/7\"\nvia = \"firewall\""),
            nothing);
  EXPECT_EQ(with("from = \"224.0.0.0/8\"\nto = \"8.0.0.0/8\"\nvia = \"dropped\""),
            "says nothing: no packet may come from there");
}

TEST_F(ProveFiles, KnowsWhatTheKernelAdds) {
  const Texts texts{.internet = "assert = false", .onprem = "", .end = R"([[assert]]
from = "zone:onprem"
to = "10.0.0.0/16"
via = "gateway"
)"};
  using Kind = KernelRoute::Kind;
  const auto prefix = [](const char* text) { return base::parse_prefix(text).value(); };
  Kernel kernel;
  kernel.routes = {{}, {{prefix("10.0.1.4/32"), Kind::own, "own address"}}, {}};
  EXPECT_EQ(first(texts, kernel).spoken, (1U << 16) - 1);
  EXPECT_TRUE(first(texts, kernel).holds);
  kernel.routes[1].insert(kernel.routes[1].begin(),
                          {prefix("10.0.1.0/24"), Kind::connected, "connected prefix of port lan"});
  const auto proof = first(texts, kernel);
  EXPECT_EQ(proof.destinations, slash24 - 1);
  EXPECT_EQ(proof.counterexample.value().decider.next_hop, "connected");
  auto both = texts;
  both.end += "# either\n";
  both.end.replace(both.end.find("\"gateway\""), 9, "[\"gateway\", \"connected\"]");
  EXPECT_TRUE(first(both, kernel).holds);
}

TEST_F(ProveFiles, RefusesWhatItDoesNotKnow) {
  const auto with = [&](const std::string& assertion) {
    return refused({.internet = "assert = false", .onprem = "", .end = "[[assert]]\n" + assertion});
  };
  EXPECT_EQ(with("from = \"zone:onprm\"\nto = \"internet\"\nvia = \"firewall\""),
            "sekisho.toml:34: there is no zone \"onprm\"; did you mean \"onprem\"?");
  EXPECT_EQ(
      with("from = \"10.0.0.1/8\"\nto = \"internet\"\nvia = \"firewall\""),
      "sekisho.toml:34: \"from\" is \"zone:NAME\" or a prefix: host bits are set (10.0.0.1/8; did you mean "
      "10.0.0.0/8?)");
  EXPECT_EQ(with("from = \"zone:onprem\"\nto = \"internet\"\nvia = \"firewal\""),
            "sekisho.toml:36: there is no next hop \"firewal\"; did you mean \"firewall\"?");
  EXPECT_EQ(with("from = \"zone:onprem\"\nto = \"tag:AzureMonito\"\nvia = \"firewall\"").substr(0, 16),
            "sekisho.toml:35:");
  EXPECT_EQ(
      with("from = \"zone:onprem\"\nto = \"preset:km\"\nvia = \"firewall\""),
      "sekisho.toml:35: there is no preset \"km\"; did you mean \"kms\"?; `sekisho presets` lists them");
  EXPECT_EQ(with("from = \"zone:onprem\"\nto = 3\nvia = \"firewall\""),
            "sekisho.toml:35: \"to\" in [[assert]] must be a string or an array of strings, not an integer");
  EXPECT_EQ(with("from = \"zone:onprem\"\nto = []\nvia = \"firewall\""),
            "sekisho.toml:35: \"to\" in [[assert]] is empty");
  EXPECT_EQ(with("from = \"zone:onprem\"\nto = \"internet\""), "sekisho.toml:33: [[assert]] needs \"via\"");
  EXPECT_EQ(with("from = \"zone:onprem\"\nto = \"everything\"\nvia = \"firewall\"").substr(0, 83),
            "sekisho.toml:35: a destination is \"internet\", a prefix, \"tag:NAME\" or \"preset:NAME\"");
  EXPECT_EQ(refused({.internet = "", .onprem = "", .end = "[assert]\nfrom = \"zone:onprem\"\n"}),
            "sekisho.toml:33: \"assert\" must be tables, each as [[assert]]");
}

// The table of a real router stands beside the source tree on some machines. Where it does, what is said of it must be exact.
TEST_F(ProveFiles, ProvesATableOfTheInternet) {
  const auto file = test::real_data("tables/bart-tier1-2023.v4.tsv.gz");
  if (!file)
    return;
  const auto policy = good({.internet = "assert = false",
                            .onprem = "{ file = \"" + file->string() + "\", next_hop = \"firewall\" },\n" +
                                      R"({ prefix = "8.8.8.8/32", next_hop = "Internet" })",
                            .end = R"([[assert]]
from = "zone:onprem"
to = "internet"
via = "firewall"
[[assert]]
from = "172.16.0.0/12"
to = "internet"
via = "firewall"
except = "8.8.8.8/32"
)"});
  EXPECT_GT(policy->zone("onprem")->table.candidates().size(), 900'000U);
  const auto begin = std::chrono::steady_clock::now();
  const auto proofs = prove(*policy);
  const auto took = std::chrono::steady_clock::now() - begin;
  std::cout << proofs.size() << " assertions over " << policy->zone("onprem")->table.candidates().size()
            << " routes in " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count()
            << " ms\n";
  ASSERT_EQ(proofs.size(), 2U);
  EXPECT_EQ(proofs[0].destinations, 1U);
  EXPECT_TRUE(proofs[1].holds) << sentence(proofs[1]);
}

}  // namespace
}  // namespace sekisho::prove

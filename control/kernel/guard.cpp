#include "control/kernel/guard.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "control/config/config.hpp"

namespace sekisho::kernel {
namespace {

// Says who made the table, to an operator who lists it and to ourselves: a table without it is somebody
// else's.
constexpr std::string_view marker = "made by sekisho-control; 'sekisho guard off' removes it";

struct Output {
  bool done = false;
  std::string text;
  std::string error;  // nft's first line, without the position
};

Output run(const std::string& command, bool json) {
  const std::unique_ptr<nft_ctx, decltype(&nft_ctx_free)> context(nft_ctx_new(NFT_CTX_DEFAULT), nft_ctx_free);
  if (!context || nft_ctx_buffer_output(context.get()) != 0 || nft_ctx_buffer_error(context.get()) != 0) {
    return {false, {}, "libnftables cannot be initialised"};
  }
  if (json) {
    nft_ctx_output_set_flags(context.get(), NFT_CTX_OUTPUT_JSON);
  }
  Output output;
  output.done = nft_run_cmd_from_buffer(context.get(), command.c_str()) == 0;
  output.text = nft_ctx_get_output_buffer(context.get());
  const std::string_view error = nft_ctx_get_error_buffer(context.get());
  output.error = error.substr(0, error.find('\n'));
  if (const auto at = output.error.find("Error: "); at != std::string::npos) {
    output.error.erase(0, at + 7);
  }
  return output;
}

// --- What the table holds.

using nlohmann::json;

// A rule as text for nft, and as the JSON of nft's listing without the counter that follows the matches.
struct GuardRule {
  std::string text;
  json matches;
  std::string verdict;
};

json interface_is(std::string_view key, const std::string& right) {
  return {{"match", {{"op", "=="}, {"left", {{"meta", {{"key", key}}}}}, {"right", right}}}};
}

json ct_in(std::string_view key, json right) {
  return {{"match", {{"op", "in"}, {"left", {{"ct", {{"key", key}}}}}, {"right", std::move(right)}}}};
}

GuardRule masquerade(const std::string& exit) {
  const std::string way_in{config::exit_netdev};
  const json excepted = {{"match",
                          {{"op", "=="},
                           {"left", {{"payload", {{"protocol", "ip"}, {"field", "daddr"}}}}},
                           {"right", "@exceptions"}}}};
  return {fmt::format("iifname \"{}\" oifname \"{}\" ip daddr @exceptions counter masquerade", way_in, exit),
          {interface_is("iifname", way_in), interface_is("oifname", exit), excepted},
          "masquerade"};
}

// Of what the rule above is for, only what is translated: a nat chain does not see what connection tracking calls
// invalid or does not track, which would leave with its private source.
std::vector<GuardRule> towards_exit(const std::string& exit) {
  const auto accept = [&](const std::string& condition, std::initializer_list<json> more) {
    GuardRule rule = masquerade(exit);
    rule.text.replace(rule.text.find("counter"), std::string::npos, condition + " counter accept");
    for (const json& match : more) {
      rule.matches.push_back(match);
    }
    rule.verdict = "accept";
    return rule;
  };
  return {accept("ct state new", {ct_in("state", "new")}),
          accept("ct state established,related ct status snat",
                 {ct_in("state", {"established", "related"}), ct_in("status", "snat")})};
}

// Only what answers a connection that the rules before let out: nobody outside can begin one.
GuardRule back_from_exit(const std::string& exit) {
  const std::string way_in{config::exit_netdev};
  return {
      fmt::format("iifname \"{}\" oifname \"{}\" ct state established,related counter accept", exit, way_in),
      {interface_is("iifname", exit), interface_is("oifname", way_in),
       ct_in("state", {"established", "related"})},
      "accept"};
}

std::vector<GuardRule> forward_rules(const std::string& exit) {
  std::vector<GuardRule> rules;
  if (!exit.empty()) {
    rules = towards_exit(exit);
    rules.push_back(back_from_exit(exit));
  }
  for (const std::string key : {"iifname", "oifname"}) {
    rules.push_back({key + " @ports counter drop", json::array({interface_is(key, "@ports")}), "drop"});
  }
  return rules;
}

std::vector<GuardRule> exit_rules(const std::string& exit) {
  return exit.empty() ? std::vector<GuardRule>{} : std::vector{masquerade(exit)};
}

// --- What the table of the kernel is.

struct Table {
  bool ours = false;
  bool whole = false;  // its chains are hooked in and have exactly our rules
  Guard guard;
};

bool is(const json& rule, const GuardRule& wanted) {
  const auto expressions = rule.find("expr");
  if (expressions == rule.end() || expressions->size() != wanted.matches.size() + 2) {
    return false;
  }
  return std::equal(wanted.matches.begin(), wanted.matches.end(), expressions->begin()) &&
         expressions->at(wanted.matches.size()).contains("counter") &&
         expressions->back().contains(wanted.verdict);
}

struct Chain {
  std::string type;
  std::string hook;
  int priority = 0;
  std::string policy;
  std::vector<json> rules;

  [[nodiscard]] bool has(const std::vector<GuardRule>& wanted) const {
    return std::ranges::equal(rules, wanted, is);
  }
};

// "20.118.99.224", or {"prefix": {"addr": "10.0.0.0", "len": 8}}.
std::optional<fib::Prefix> parse_element(const json& element) {
  const auto text = element.is_string()          ? element.get<std::string>() + "/32"
                    : element.contains("prefix") ? fmt::format("{}/{}", element["prefix"].value("addr", ""),
                                                               element["prefix"].value("len", 0))
                                                 : std::string{};
  const auto prefix = fib::parse_prefix(text);
  return prefix ? std::optional(*prefix) : std::nullopt;
}

// The interface that the accepting rule names.
std::string exit_of(const Chain& forward) {
  if (forward.rules.empty() || !forward.rules.front().contains("expr")) {
    return {};
  }
  for (const auto& expression : forward.rules.front()["expr"]) {
    const auto& match = expression.value("match", json::object());
    const auto& right = match.value("right", json());
    if (match.value("left", json()) == json{{"meta", {{"key", "oifname"}}}} && right.is_string() &&
        !right.get<std::string>().starts_with('@')) {
      return right.get<std::string>();
    }
  }
  return {};
}

// What the JSON listing says; nft 1.0.6 leaves the table's comment out of it.
Table parse(const std::string& listing) {
  Table table;
  bool enabled = false;
  bool has_set = false;
  bool has_exceptions = false;
  bool readable = true;
  std::map<std::string, Chain> chains;
  const auto listed = json::parse(listing, nullptr, false);
  if (listed.is_discarded() || !listed.contains("nftables")) {
    return table;
  }
  for (const auto& object : listed["nftables"]) {
    if (object.contains("table")) {
      enabled = !object["table"].contains("flags");  // "dormant" unhooks every chain
    } else if (object.contains("set") && object["set"].value("name", "") == "ports") {
      has_set = object["set"].value("type", "") == "ifname" && !object["set"].contains("flags");
      for (const auto& element : object["set"].value("elem", json::array())) {
        if (element.is_string()) {
          table.guard.netdevs.push_back(element.get<std::string>());
        }
      }
    } else if (object.contains("set") && object["set"].value("name", "") == "exceptions") {
      has_exceptions = object["set"].value("type", "") == "ipv4_addr" &&
                       object["set"].value("flags", json::array()) == json::array({"interval"});
      for (const auto& element : object["set"].value("elem", json::array())) {
        const auto prefix = parse_element(element);
        readable = readable && prefix;
        table.guard.exceptions.push_back(prefix.value_or(fib::Prefix{}));
      }
    } else if (object.contains("chain")) {
      const auto& chain = object["chain"];
      chains[chain.value("name", "")] = {chain.value("type", ""),
                                         chain.value("hook", ""),
                                         chain.value("prio", 0),
                                         chain.value("policy", ""),
                                         {}};
    } else if (object.contains("rule")) {
      chains[object["rule"].value("chain", "")].rules.push_back(object["rule"]);
    }
  }
  std::ranges::sort(table.guard.netdevs);
  std::ranges::sort(table.guard.exceptions);
  const auto& forward = chains["forward"];
  const auto& exit = chains["exit"];
  table.guard.exit = exit_of(forward);
  table.guard.everything = forward.policy == "drop";
  const bool hooked = forward.type == "filter" && forward.hook == "forward" && forward.priority == -300;
  const bool translates =
      table.guard.exit.empty() || (has_exceptions && exit.type == "nat" && exit.hook == "postrouting");
  table.whole = enabled && hooked && has_set && readable && translates &&
                forward.has(forward_rules(table.guard.exit)) && exit.has(exit_rules(table.guard.exit));
  return table;
}

auto list() -> tl::expected<std::optional<Table>, std::string> {
  const Output text = run("list table inet sekisho", false);
  if (!text.done) {
    if (text.error.find(std::strerror(ENOENT)) != std::string::npos) {
      return std::nullopt;
    }
    return tl::unexpected("the guard cannot be read from nftables: " + text.error);
  }
  const Output json = run("list table inet sekisho", true);
  if (!json.done) {
    return tl::unexpected("the guard cannot be read from nftables: " + json.error);
  }
  Table table = parse(json.text);
  // The comment stands before the first set or chain.
  const std::string head =
      text.text.substr(0, std::min(text.text.find("\tset "), text.text.find("\tchain ")));
  table.ours = head.find(fmt::format("comment \"{}\"", marker)) != std::string::npos;
  return table;
}

std::string foreign_table() {
  return "the nftables table `inet sekisho` was not made by Sekisho (its comment is missing); look at it "
         "with `nft list "
         "table inet sekisho` and remove or rename it";
}

std::string elements(std::string_view verb, const std::vector<std::string>& netdevs) {
  if (netdevs.empty()) {
    return {};
  }
  return fmt::format("{} element inet sekisho ports {{ \"{}\" }}\n", verb, fmt::join(netdevs, "\", \""));
}

std::string elements(const std::vector<fib::Prefix>& exceptions) {
  if (exceptions.empty()) {
    return {};
  }
  std::vector<std::string> texts;
  std::ranges::transform(exceptions, std::back_inserter(texts), fib::to_string);
  return fmt::format("add element inet sekisho exceptions {{ {} }}\n", fmt::join(texts, ", "));
}

// `add, delete, add` replaces the table whether or not it exists, in the one transaction that a buffer is.
std::string whole_table(const Guard& guard) {
  const std::string create = fmt::format("add table inet sekisho {{ comment \"{}\"; }}\n", marker);
  std::string script =
      create + "delete table inet sekisho\n" + create + "add set inet sekisho ports { type ifname; }\n" +
      fmt::format("add chain inet sekisho forward {{ type filter hook forward priority -300; policy {}; }}\n",
                  guard.everything ? "drop" : "accept") +
      elements("add", guard.netdevs);
  if (!guard.exit.empty()) {
    // Translation makes the kernel track every connection of this host: only where there is something to translate.
    script +=
        "add set inet sekisho exceptions { type ipv4_addr; flags interval; }\n"
        "add chain inet sekisho exit { type nat hook postrouting priority srcnat; policy accept; }\n" +
        elements(guard.exceptions);
  }
  for (const auto& rule : forward_rules(guard.exit)) {
    script += "add rule inet sekisho forward " + rule.text + "\n";
  }
  for (const auto& rule : exit_rules(guard.exit)) {
    script += "add rule inet sekisho exit " + rule.text + "\n";
  }
  return script;
}

// nft reads "eth*" as a pattern, and a quote or a backslash would end or bend the string.
bool quotable(std::string_view netdev) {
  return !netdev.empty() && netdev.size() <= 15 && netdev.find_first_of("\"\\*\n") == std::string_view::npos;
}

}  // namespace

auto merge(const Guard& before, const Guard& after) -> Guard {
  Guard both{.netdevs = {},
             .exit = after.exit.empty() ? before.exit : after.exit,
             .exceptions = {},
             .everything = after.everything};
  std::ranges::set_union(before.netdevs, after.netdevs, std::back_inserter(both.netdevs));
  std::vector<fib::Prefix> all;
  std::ranges::merge(before.exceptions, after.exceptions, std::back_inserter(all));
  for (const auto prefix : all) {
    if (both.exceptions.empty() || !both.exceptions.back().covers(prefix)) {
      both.exceptions.push_back(prefix);
    }
  }
  return both;
}

auto guard_on(const Guard& guard) -> tl::expected<void, std::string> {
  Guard wanted = guard;
  std::ranges::sort(wanted.netdevs);
  wanted.netdevs.erase(std::unique(wanted.netdevs.begin(), wanted.netdevs.end()), wanted.netdevs.end());
  for (const auto& netdev : wanted.netdevs) {
    if (!quotable(netdev)) {
      return tl::unexpected(fmt::format("the guard cannot name the interface \"{}\" in nftables", netdev));
    }
  }
  const auto table = list();
  if (!table) {
    return tl::unexpected(table.error());
  }
  std::string script;
  if (*table && !(*table)->ours) {
    return tl::unexpected(foreign_table());
  }
  if (*table && (*table)->whole && (*table)->guard.exit == wanted.exit &&
      (*table)->guard.everything == wanted.everything) {
    // Only the difference: the interfaces that stay are never out of the set, and the counters keep counting.
    const Guard& now = (*table)->guard;
    std::vector<std::string> more;
    std::vector<std::string> less;
    std::ranges::set_difference(wanted.netdevs, now.netdevs, std::back_inserter(more));
    std::ranges::set_difference(now.netdevs, wanted.netdevs, std::back_inserter(less));
    script = elements("add", more) + elements("delete", less);
    if (now.exceptions != wanted.exceptions) {
      script += "flush set inet sekisho exceptions\n" + elements(wanted.exceptions);
    }
    if (script.empty()) {
      return {};
    }
  } else {
    script = whole_table(wanted);
  }
  if (const Output output = run(script, false); !output.done) {
    return tl::unexpected("the guard cannot be installed in nftables: " + output.error);
  }
  return {};
}

auto guard_off() -> tl::expected<void, std::string> {
  const auto table = list();
  if (!table) {
    return tl::unexpected(table.error());
  }
  if (!*table) {
    return {};
  }
  if (!(*table)->ours) {
    return tl::unexpected(foreign_table());
  }
  if (const Output output = run("delete table inet sekisho", false); !output.done) {
    return tl::unexpected("the guard cannot be removed from nftables: " + output.error);
  }
  return {};
}

auto guard_status() -> tl::expected<Guard, std::string> {
  auto table = list();
  if (!table) {
    return tl::unexpected(table.error());
  }
  if (!*table) {
    return tl::unexpected<std::string>("there is no guard: nftables has no table `inet sekisho`");
  }
  if (!(*table)->ours) {
    return tl::unexpected(foreign_table());
  }
  if (!(*table)->whole) {
    return tl::unexpected<std::string>(
        "the guard is damaged: somebody changed the rules of the nftables table `inet sekisho`");
  }
  return std::move((*table)->guard);
}

struct GuardWatch::Impl : std::enable_shared_from_this<GuardWatch::Impl> {
  Impl(boost::asio::io_context& io, std::function<void()> on_change)
      : descriptor(io), changed(std::move(on_change)) {}
  ~Impl() {
    if (descriptor.is_open()) {
      descriptor.release();
    }
    if (socket != nullptr) {
      mnl_socket_close(socket);
    }
  }

  void wait() {
    descriptor.async_wait(boost::asio::posix::descriptor_base::wait_read,
                          [self = weak_from_this()](const boost::system::error_code& error) {
                            if (const auto impl = self.lock(); impl && !error) {
                              impl->drain();
                            }
                          });
  }

  // What changed does not matter; neither does a lost message (ENOBUFS), which is a change too.
  void drain() {
    for (;;) {
      const auto received = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
      if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        break;
      }
      if (received < 0 && errno != ENOBUFS && errno != EINTR && errno != ENOSPC) {
        break;
      }
    }
    wait();
    changed();
  }

  boost::asio::posix::stream_descriptor descriptor;
  std::function<void()> changed;
  mnl_socket* socket = nullptr;
  std::vector<char> buffer = std::vector<char>(32768);
};

auto GuardWatch::open(boost::asio::io_context& io, std::function<void()> changed)
    -> tl::expected<std::unique_ptr<GuardWatch>, std::string> {
  auto impl = std::make_shared<Impl>(io, std::move(changed));
  int group = NFNLGRP_NFTABLES;
  impl->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (impl->socket == nullptr || mnl_socket_bind(impl->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
      mnl_socket_setsockopt(impl->socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
    return tl::unexpected(fmt::format("changes of nftables cannot be watched: {}", std::strerror(errno)));
  }
  impl->descriptor.assign(mnl_socket_get_fd(impl->socket));
  impl->wait();
  return std::unique_ptr<GuardWatch>(new GuardWatch(std::move(impl)));
}

GuardWatch::GuardWatch(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
GuardWatch::~GuardWatch() = default;

}  // namespace sekisho::kernel

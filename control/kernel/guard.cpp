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
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

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

struct Table {
  bool ours = false;
  bool whole = false;  // the chain is hooked in and has exactly the two rules
  std::vector<std::string> netdevs;
};

// One of the two rules: {match meta `key` == @ports}, counter, drop.
bool drops(const nlohmann::json& rule, std::string_view key) {
  const auto expressions = rule.find("expr");
  if (expressions == rule.end() || expressions->size() != 3) {
    return false;
  }
  const nlohmann::json match = {
      {"match", {{"op", "=="}, {"left", {{"meta", {{"key", key}}}}}, {"right", "@ports"}}}};
  return expressions->at(0) == match && expressions->at(1).contains("counter") &&
         expressions->at(2).contains("drop");
}

// What the JSON listing says; nft 1.0.6 leaves the table's comment out of it.
Table parse(const std::string& listing) {
  Table table;
  bool enabled = false;
  bool hooked = false;
  bool has_set = false;
  std::vector<nlohmann::json> rules;
  const auto json = nlohmann::json::parse(listing, nullptr, false);
  if (json.is_discarded() || !json.contains("nftables")) {
    return table;
  }
  for (const auto& object : json["nftables"]) {
    if (object.contains("table")) {
      enabled = !object["table"].contains("flags");  // "dormant" unhooks every chain
    } else if (object.contains("set") && object["set"].value("name", "") == "ports") {
      has_set = object["set"].value("type", "") == "ifname" && !object["set"].contains("flags");
      for (const auto& element : object["set"].value("elem", nlohmann::json::array())) {
        if (element.is_string()) {
          table.netdevs.push_back(element.get<std::string>());
        }
      }
    } else if (object.contains("chain") && object["chain"].value("name", "") == "forward") {
      const auto& chain = object["chain"];
      hooked = chain.value("hook", "") == "forward" && chain.value("type", "") == "filter" &&
               chain.value("prio", 0) == -300;
    } else if (object.contains("rule") && object["rule"].value("chain", "") == "forward") {
      rules.push_back(object["rule"]);
    }
  }
  std::ranges::sort(table.netdevs);
  table.whole = enabled && hooked && has_set && rules.size() == 2 && drops(rules[0], "iifname") &&
                drops(rules[1], "oifname");
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

// `add, delete, add` replaces the table whether or not it exists, in the one transaction that a buffer is.
std::string whole_table(const std::vector<std::string>& netdevs) {
  const std::string create = fmt::format("add table inet sekisho {{ comment \"{}\"; }}\n", marker);
  return create + "delete table inet sekisho\n" + create +
         "add set inet sekisho ports { type ifname; }\n"
         "add chain inet sekisho forward { type filter hook forward priority -300; policy accept; }\n" +
         elements("add", netdevs) +
         "add rule inet sekisho forward iifname @ports counter drop\n"
         "add rule inet sekisho forward oifname @ports counter drop\n";
}

// nft reads "eth*" as a pattern, and a quote or a backslash would end or bend the string.
bool quotable(std::string_view netdev) {
  return !netdev.empty() && netdev.size() <= 15 && netdev.find_first_of("\"\\*\n") == std::string_view::npos;
}

}  // namespace

auto guard_on(const std::vector<std::string>& netdevs) -> tl::expected<void, std::string> {
  std::vector<std::string> wanted = netdevs;
  std::ranges::sort(wanted);
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  for (const auto& netdev : wanted) {
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
  if (*table && (*table)->whole) {
    // Only the difference: the interfaces that stay are never out of the set, and the counters keep counting.
    std::vector<std::string> more;
    std::vector<std::string> less;
    std::ranges::set_difference(wanted, (*table)->netdevs, std::back_inserter(more));
    std::ranges::set_difference((*table)->netdevs, wanted, std::back_inserter(less));
    script = elements("add", more) + elements("delete", less);
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

auto guard_status() -> tl::expected<std::vector<std::string>, std::string> {
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
  return std::move((*table)->netdevs);
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

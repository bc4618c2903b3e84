#include <fmt/format.h>

#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/api/lookup.hpp"
#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/route_files.hpp"
#include "dataplane/fib/prefix.hpp"

namespace sekisho::cli {
namespace {

struct LookupOptions {
  std::vector<std::string> files;
  std::string next_hop;
  std::string peer;
  std::string zone;
  std::vector<std::string> addresses;
};

// One line or array element an address.
class Printer {
 public:
  explicit Printer(bool json) : json_(json) {}

  void add(const std::string& address, const std::string& prefix, const std::string& next_hop) {
    if (json_) {
      array_.add({{"address", address},
                  {"prefix", prefix.empty() ? Json(nullptr) : Json(prefix)},
                  {"next_hop", prefix.empty() ? Json(nullptr) : Json(next_hop)}});
    } else {
      fmt::print("{} {} {}\n", address, prefix.empty() ? "-" : prefix, prefix.empty() ? "-" : next_hop);
    }
  }
  void close() {
    if (json_) {
      array_.close();
    }
  }

 private:
  bool json_;
  JsonArray array_;
};

using Answer = std::function<Outcome(const std::vector<std::uint32_t>&)>;

// Gives the arguments, and standard input where it is asked for, to `answer` in batches.
class Feed {
 public:
  explicit Feed(Answer answer) : answer_(std::move(answer)) {}

  Outcome add(std::uint32_t address) {
    batch_.push_back(address);
    return batch_.size() < api::max_lookup_addresses ? Outcome{} : flush();
  }
  Outcome flush() { return batch_.empty() ? Outcome{} : answer_(std::exchange(batch_, {})); }
  Outcome add_standard_input() {
    std::string line;
    for (unsigned number = 1; std::getline(std::cin, line); ++number) {
      constexpr const char* blanks = " \t\r";
      const auto first = line.find_first_not_of(blanks);
      if (first == std::string::npos) {
        continue;
      }
      const auto address =
          fib::parse_address(std::string_view{line}.substr(first, line.find_last_not_of(blanks) - first + 1));
      if (!address) {
        return tl::unexpected{fmt::format("standard input:{}: {}", number, address.error())};
      }
      if (auto outcome = add(*address); !outcome) {
        return outcome;
      }
    }
    return {};
  }

 private:
  Answer answer_;
  std::vector<std::uint32_t> batch_;
};

Outcome feed_all(const LookupOptions& options, Printer& printer, Answer answer) {
  Feed feed{std::move(answer)};
  const auto arguments = options.addresses.empty() ? std::vector<std::string>{"-"} : options.addresses;
  for (const auto& argument : arguments) {
    const auto address = fib::parse_address(argument);  // anything but "-" was checked as it was parsed
    if (auto outcome = address ? feed.add(*address) : feed.add_standard_input(); !outcome) {
      return outcome;
    }
  }
  auto outcome = feed.flush();
  if (outcome) {
    printer.close();
  }
  return outcome;
}

Outcome lookup_offline(const Context& context, const LookupOptions& options) {
  const auto peer = options.peer.empty() ? std::nullopt : std::optional{*fib::parse_address(options.peer)};
  const auto table = RouteFiles::read(options.files, options.next_hop, peer);
  if (!table) {
    return tl::unexpected{table.error()};
  }
  Printer printer{context.json};
  return feed_all(options, printer, [&](const std::vector<std::uint32_t>& addresses) -> Outcome {
    const auto matches = (*table)->lookup(addresses);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      printer.add(fib::address_to_string(addresses[i]), matches[i].prefix, matches[i].next_hop);
    }
    return {};
  });
}

Outcome lookup_online(const Context& context, const LookupOptions& options) {
  const auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  Printer printer{context.json};
  return feed_all(options, printer, [&](const std::vector<std::uint32_t>& addresses) -> Outcome {
    auto texts = Json::array();
    for (const auto address : addresses) {
      texts.push_back(fib::address_to_string(address));
    }
    const auto result =
        (*client)->ask({{"command", "lookup"}, {"zone", options.zone}, {"addresses", std::move(texts)}});
    if (!result) {
      return tl::unexpected{result.error()};
    }
    for (const auto& match : *result) {
      const auto text = [&](const char* key) {
        return match[key].is_null() ? "" : match[key].get<std::string>();
      };
      printer.add(text("address"), text("prefix"), text("next_hop"));
    }
    return {};
  });
}

}  // namespace

void add_lookup(CLI::App& app, Context& context) {
  auto options = std::make_shared<LookupOptions>();
  auto* command = app.add_subcommand("lookup", "Find the longest prefix that covers an address");
  auto* tables = command->add_option_group("Table", "one of");
  tables
      ->add_option("--routes", options->files,
                   "Route files of any form that `routes convert` reads; of a prefix's routes User wins over "
                   "BGP over System, "
                   "then the last")
      ->type_name("FILE[,FILE...]")
      ->delimiter(',')
      ->allow_extra_args(false);
  tables->add_option("--zone", options->zone, "The running table of this zone")->type_name("ZONE");
  tables->require_option(1);
  command
      ->add_option("--next-hop", options->next_hop,
                   "With --routes: what a route means that names no next hop")
      ->type_name("NAME");
  command->add_option("--peer", options->peer, "With --routes, of MRT files with several peers: whose routes")
      ->type_name("ADDRESS")
      ->check(is_address());
  command->add_option("address", options->addresses, "Addresses; \"-\" or none: one a line on standard input")
      ->type_name("ADDRESS")
      ->check(is_address_or_dash());
  command->footer(
      "Prints a line an address: ADDRESS PREFIX NEXT-HOP, or ADDRESS - - where nothing covers it. With "
      "--routes it needs no\n"
      "daemon, and asks the same table that the dataplane forwards by.\n\n"
      "Examples:\n"
      "  sekisho lookup --routes spokes.txt,overrides.txt --next-hop firewall 10.1.2.3\n"
      "  sekisho lookup --routes full-table.txt.gz <addresses.txt\n"
      "  sekisho lookup --zone onprem 1.1.1.1 20.118.99.224\n");
  command->callback([&context, options] {
    context.run = [&context, options] {
      return options->zone.empty() ? lookup_offline(context, *options) : lookup_online(context, *options);
    };
  });
}

}  // namespace sekisho::cli

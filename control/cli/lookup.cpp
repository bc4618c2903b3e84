// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/file_options.hpp"
#include "control/cli/output.hpp"
#include "control/cli/route_files.hpp"
#include "control/serve/lookup.hpp"
#include "control/serve/reasons.hpp"

namespace sekisho::cli {
namespace {

struct LookupOptions {
  std::vector<std::string> files;
  std::string next_hop;
  std::string peer;
  std::string zone;
  FileOptions reading;
  std::vector<std::string> addresses;
};

// One line or array element an address.
class Printer {
 public:
  explicit Printer(bool json) : json_(json) {}

  // `before_tables`: why the dataplane drops what is for the address, whatever the routes; empty: it does not.
  void add(const std::string& address, const std::string& prefix, const std::string& next_hop,
           std::string_view before_tables) {
    if (!before_tables.empty()) {
      auto& [first, count] = dropped_[std::string{before_tables}];
      if (count++ == 0) {
        first = address;
      }
    }
    if (json_) {
      Json match{{"address", address},
                 {"prefix", prefix.empty() ? Json(nullptr) : Json(prefix)},
                 {"next_hop", prefix.empty() ? Json(nullptr) : Json(next_hop)}};
      if (!before_tables.empty()) {
        match["before_tables"] = before_tables;
      }
      array_.add(match);
    } else {
      fmt::print("{} {} {}\n", address, prefix.empty() ? "-" : prefix, prefix.empty() ? "-" : next_hop);
    }
  }
  void close() {
    if (json_) {
      array_.close();
      return;
    }
    for (const auto& [reason, dropped] : dropped_) {
      const auto& [first, count] = dropped;
      fmt::print(stderr, "note: {}{}: dropped as {} before any route: {}\n", first,
                 count == 1 ? "" : fmt::format(" and {} more", count - 1), reason,
                 serve::sentence_of(reason));
    }
  }

 private:
  bool json_;
  JsonArray array_;
  std::map<std::string, std::pair<std::string, std::size_t>> dropped_;  // by reason: the first, and how many
};

using Answer = std::function<Outcome(const std::vector<std::uint32_t>&)>;

// Gives the arguments, and standard input where it is asked for, to `answer` in batches.
class Feed {
 public:
  explicit Feed(Answer answer) : answer_(std::move(answer)) {}

  Outcome add(std::uint32_t address) {
    batch_.push_back(address);
    return batch_.size() < serve::max_lookup_addresses ? Outcome{} : flush();
  }
  Outcome flush() { return batch_.empty() ? Outcome{} : answer_(std::exchange(batch_, {})); }
  Outcome add_standard_input() {
    std::string line;
    errno = 0;
    for (unsigned number = 1; std::getline(std::cin, line); ++number) {
      constexpr const char* blanks = " \t\r";
      const auto first = line.find_first_not_of(blanks);
      if (first == std::string::npos) {
        continue;
      }
      const auto address = base::parse_address(
          std::string_view{line}.substr(first, line.find_last_not_of(blanks) - first + 1));
      if (!address) {
        return tl::unexpected{fmt::format("standard input:{}: {}", number, address.error())};
      }
      if (auto outcome = add(*address); !outcome) {
        return outcome;
      }
    }
    if (std::ferror(stdin) != 0 || std::cin.bad()) {
      return tl::unexpected{fmt::format("standard input: cannot be read: {}", std::strerror(errno))};
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
    const auto address = base::parse_address(argument);  // anything but "-" was checked as it was parsed
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
  auto reading = options.reading.reading();
  if (!options.peer.empty()) {
    reading.peer = *base::parse_address(options.peer);
  }
  const auto table = RouteFiles::read(options.files, options.next_hop, reading);
  if (!table) {
    return tl::unexpected{table.error()};
  }
  Printer printer{context.json};
  return feed_all(options, printer, [&](const std::vector<std::uint32_t>& addresses) -> Outcome {
    const auto matches = (*table)->lookup(addresses);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      printer.add(base::address_to_string(addresses[i]), matches[i].prefix, matches[i].next_hop,
                  matches[i].before_tables);
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
      texts.push_back(base::address_to_string(address));
    }
    const auto result =
        (*client)->ask({{"command", "lookup"}, {"zone", options.zone}, {"addresses", std::move(texts)}});
    if (!result) {
      return tl::unexpected{result.error()};
    }
    for (const auto& match : *result) {
      const auto text = [&](const char* key) {
        return !match.contains(key) || match[key].is_null() ? "" : match[key].get<std::string>();
      };
      printer.add(text("address"), text("prefix"), text("next_hop"), text("before_tables"));
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
      ->type_name("NEXT-HOP");
  command->add_option("--peer", options->peer, "With --routes, of MRT files with several peers: whose routes")
      ->type_name("ADDRESS")
      ->check(is_address());
  add_file_options(*command, options->reading);
  add_left_out_option(*command, options->reading);
  add_table_option(*command, options->reading);
  command->add_option("address", options->addresses, "Addresses; \"-\" or none: one a line on standard input")
      ->type_name("ADDRESS")
      ->check(is_address_or_dash());
  command->footer(
      "Prints a line an address: ADDRESS PREFIX NEXT-HOP, or ADDRESS - - where nothing covers it. With "
      "--routes it needs no\n"
      "daemon, and asks the same table that the dataplane forwards by. What the dataplane drops before it "
      "asks "
      "a table\n"
      "(0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4, 240.0.0.0/4) is - - as well; why is said on "
      "standard error,\n"
      "and with --json in before_tables.\n\n"
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

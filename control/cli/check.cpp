// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "common/base/error.hpp"
#include "control/check/check.hpp"
#include "control/check/gather.hpp"
#include "control/check/nics.hpp"
#include "control/cli/check_findings.hpp"
#include "control/cli/check_summary.hpp"
#include "control/cli/command.hpp"
#include "control/cli/file_options.hpp"
#include "control/cli/output.hpp"
#include "control/config/config.hpp"
#include "control/config/resolve.hpp"
#include "control/netlink/devices.hpp"
#include "control/netlink/interface_addresses.hpp"
#include "control/netlink/route_lookup.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::cli {
namespace {

struct CheckOptions {
  std::string config = default_configuration;
  std::vector<std::string> named;  // as arguments: a configuration, or route files
  std::vector<std::string> files;
  std::vector<std::string> nics;
  std::string service_tags;
  std::string cloud;
  std::string gateway;
  bool list = false;
  bool explain = false;
  bool strict = false;
  FileOptions reading;
};

Outcome report_refusal(const Context& context, const CheckOptions& options, const base::Error& error) {
  const auto findings = check::check(check::gather(error));
  if (context.json) {
    print_json({{"configuration", options.config}, {"findings", findings_json(findings)}});
  } else {
    print_check_findings(findings, options.explain);
  }
  return tl::unexpected{error.to_string()};
}

Outcome add_nics(const CheckOptions& options, check::Facts& facts) {
  for (const auto& file : options.nics) {
    const auto nics = check::read_nics(file);
    if (!nics) {
      return tl::unexpected{nics.error().to_string()};
    }
    facts.nics.insert(facts.nics.end(), nics->begin(), nics->end());
  }
  return {};
}

// As a reload would, names in probes resolved.
auto read_to_check(const std::string& file, const policy::InterfaceAddresses& addresses)
    -> tl::expected<std::shared_ptr<const policy::Policy>, base::Error> {
  auto config = config::read(file);
  if (!config) {
    return tl::unexpected(std::move(config.error()));
  }
  if (auto refused = config::resolve_names(*config)) {
    return tl::unexpected(std::move(*refused));
  }
  return policy::build(std::move(*config), addresses);
}

Outcome check_configuration(const Context& context, const CheckOptions& options) {
  const auto mirror = netlink::snapshot();
  const auto policy =
      read_to_check(options.config, mirror ? netlink::addresses_by(*mirror) : policy::InterfaceAddresses{});
  if (!policy) {
    return report_refusal(context, options, policy.error());
  }
  if (const auto shared = mirror ? netlink::shared_device((*policy)->config, *mirror) : std::nullopt) {
    return report_refusal(context, options, *shared);
  }
  auto facts = check::gather(*policy, mirror ? &*mirror : nullptr, netlink::is_reached_by_default);
  if (!facts) {
    return report_refusal(context, options, facts.error());
  }
  if (const auto added = add_nics(options, *facts); !added) {
    return added;
  }
  const auto findings = check::check(*facts);
  const auto outcome = outcome_of(findings, options.strict);
  auto summary = summary_json(**policy);
  if (context.json) {
    summary["findings"] = findings_json(findings);
    print_json(summary);
  } else {
    print_summary(summary);
    print_check_findings(findings, options.explain);
    if (outcome) {
      print_check_verdict(options.config, findings);
    }
  }
  return outcome;
}

config::Gateway gateway_of(const std::string& word) {
  return word == "expressroute"  ? config::Gateway::expressroute
         : word == "vpn"         ? config::Gateway::vpn
         : word == "virtual-wan" ? config::Gateway::virtual_wan
                                 : config::Gateway::unknown;
}

Outcome check_files(const Context& context, const CheckOptions& options) {
  const auto cloud = options.cloud.empty() ? std::nullopt : std::optional{options.cloud};
  std::vector<check::FilesAlone::File> files;
  for (const auto& argument : options.files) {
    auto of_this = options.reading.reading();
    auto path = file_of(argument, of_this);
    if (!path) {
      return tl::unexpected{path.error().to_string()};
    }
    files.push_back({std::move(*path), of_this.table});
  }
  auto facts = check::gather(check::FilesAlone{.files = std::move(files),
                                               .service_tags = options.service_tags,
                                               .reading = options.reading.reading(),
                                               .cloud = cloud,
                                               .gateway = gateway_of(options.gateway)});
  if (!facts) {
    return tl::unexpected{facts.error().to_string()};
  }
  if (const auto added = add_nics(options, *facts); !added) {
    return added;
  }
  const auto findings = check::check(*facts);
  const auto outcome = outcome_of(findings, options.strict);
  if (context.json) {
    print_json({{"files", options.files}, {"findings", findings_json(findings)}});
  } else {
    print_check_findings(findings, options.explain);
    if (outcome) {
      print_check_verdict(fmt::format("{}", fmt::join(options.files, ", ")), findings);
    }
  }
  return outcome;
}

// A configuration is known by its name: nothing else says what a file is for.
void take_named(CheckOptions& options) {
  const auto is_configuration = [](const std::string& name) { return name.ends_with(".toml"); };
  if (options.named.size() == 1 && is_configuration(options.named.front())) {
    options.config = options.named.front();
    return;
  }
  if (std::ranges::any_of(options.named, is_configuration)) {
    throw CLI::ValidationError("file", "is one configuration, or route tables");
  }
  options.files.insert(options.files.end(), options.named.begin(), options.named.end());
}

Outcome run_check(const Context& context, const CheckOptions& options) {
  if (options.list) {
    print_rules(context.json);
    return {};
  }
  return options.files.empty() ? check_configuration(context, options) : check_files(context, options);
}

}  // namespace

void add_check(CLI::App& app, Context& context) {
  auto options = std::make_shared<CheckOptions>();
  auto* command =
      app.add_subcommand("check", "Say what a configuration means, and what will not work on Azure");
  auto* named = command
                    ->add_option("file", options->named,
                                 "A configuration (NAME.toml), or route tables as --routes has them")
                    ->type_name("FILE");
  auto* config = command->add_option("-c,--config", options->config, "The configuration")
                     ->type_name("FILE")
                     ->capture_default_str()
                     ->excludes(named);
  auto* files = command
                    ->add_option("--routes", options->files,
                                 "Check route tables without a configuration: Azure's JSON, text")
                    ->type_name("FILE,...")
                    ->delimiter(',')
                    ->excludes(config)
                    ->excludes(named);
  command
      ->add_option("--nic", options->nics, "The appliance's NICs as `az network nic show` or `list` has them")
      ->type_name("FILE,...")
      ->delimiter(',');
  auto of_files = add_file_options(*command, options->reading);
  of_files.push_back(add_table_option(*command, options->reading));
  of_files.push_back(command
                         ->add_option("--service-tags", options->service_tags,
                                      "Azure's file of service tags (ServiceTags_*.json)")
                         ->type_name("FILE"));
  of_files.push_back(
      command->add_option("--cloud", options->cloud, "Whose key management servers the tables are to except")
          ->check(CLI::IsMember({"public", "usgov", "china"})));
  of_files.push_back(command->add_option("--gateway", options->gateway, "What the VNet's gateway is")
                         ->check(CLI::IsMember({"expressroute", "vpn", "virtual-wan"})));
  command->add_flag("--explain", options->explain, "Say of each rule why it is one");
  command->add_flag("--strict", options->strict, "Refuse what has warnings, too");
  command->add_flag("--list", options->list, "Print all rules")
      ->excludes(config)
      ->excludes(files)
      ->excludes(named);
  command->footer(
      "Needs no daemon and changes nothing. Prints what the configuration means, then a line a finding: "
      "severity, rule,\n"
      "where, what, and behind \"->\" what to do. sekisho-check(7) explains every rule.\n\n"
      "Exit status 1 when the configuration would be refused (the error names file, line and reason) or a "
      "finding is an\n"
      "error; with --strict also when one is a warning.\n\n"
      "Examples:\n"
      "  sekisho check\n"
      "  sekisho check --config new.toml && mv new.toml /etc/sekisho/sekisho.toml && sekisho reload\n"
      "  sekisho check spoke-udr.json egress-udr.json --cloud public\n"
      "  sekisho check effective.json --gateway expressroute\n"
      "  az network nic show -g rg -n nva-lan >nic.json && sekisho check --nic nic.json\n"
      "  sekisho check --json | jq '.findings[] | select(.severity != \"note\")'\n"
      "  sekisho check --list\n");
  command->callback([&context, options, of_files] {
    take_named(*options);
    for (const auto* option : of_files) {
      if (option->count() != 0 && options->files.empty()) {
        throw CLI::RequiresError(option->get_name(), "--routes");
      }
    }
    context.run = [&context, options] { return run_check(context, *options); };
  });
}

}  // namespace sekisho::cli

// SPDX-License-Identifier: BSD-3-Clause
// What the rules look at, gathered once: a policy and what is known beside it, or route tables alone. Immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "control/formats/route_file.hpp"
#include "control/formats/service_tags.hpp"
#include "control/policy/policy.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::check {

// Routes that one lookup is made in: those of a zone, or those of a file for one of Azure's subnets.
struct Table {
  enum class Holder { zone, file };
  Holder holder = Holder::file;
  std::string name;  // "zone onprem", "/etc/sekisho/udr.json"
  std::shared_ptr<const route::RouteTable> routes;
  std::shared_ptr<const route::Names> names;
  bool is_effective = false;  // what Azure says is in force, System routes among it
  // Of those: prefixes of the VNet and its peers to which a user's route leads elsewhere.
  std::vector<base::Prefix> overridden{};
};

struct SubnetTable {
  Table table;
  // Whether routes that the VNet's gateways and Route Server learn come in beside these; nullopt: the file does not tell.
  std::optional<bool> takes_bgp;
};

// A route whose destination is a service tag.
struct TagUse {
  std::string tag;
  std::string where;
};

// A route table of Azure's in one of the files.
struct AzureTable {
  std::filesystem::path file;
  std::filesystem::path parameters;  // that the file, a template, is deployed with; empty: none
  formats::TableSummary summary;
  std::optional<Table> table;  // nullopt: its routes are a zone's
};

// A NIC of the appliance's in Azure.
struct Nic {
  std::string name;
  std::string where;
  bool forwards = false;  // enableIPForwarding
  std::vector<std::uint32_t> addresses;
};

struct Facts {
  // Never null. Where tables are checked alone, or the configuration was refused: an empty one.
  std::shared_ptr<const policy::Policy> policy = std::make_shared<policy::Policy>();
  std::optional<base::Error> refusal;
  std::vector<Table>
      tables;  // each zone's, in their order; each port's subnet's; each file's that is checked alone
  // By port, as in the configuration: its addresses and their subnets; nullopt: not known here.
  std::vector<std::optional<std::vector<config::InterfaceAddress>>> addresses;
  std::vector<std::uint32_t> mtus;  // by port; 0: not known here
  struct Missing {
    const config::Port* port;
    std::string why;  // "there is no interface lan0"
  };
  std::vector<Missing> missing;              // ports whose interface is not on this machine
  std::vector<const config::Port*> on_veth;  // AF_XDP ports whose interface is an end of a veth pair
  // By port: the route table of its subnet in Azure; nullopt: the configuration names none.
  std::vector<std::optional<SubnetTable>> subnets;
  // BGP peers to which this host has no route but its own default; none where it has no port's interface.
  std::vector<std::uint32_t> by_default_alone;
  std::vector<Nic> nics;                 // that whoever asks has named
  std::vector<base::Prefix> advertised;  // sorted, distinct
  std::vector<AzureTable> azure_tables;  // each once
  std::vector<TagUse> tag_uses;
  std::vector<base::Finding> file_findings;  // what readers found worth a word
  std::optional<formats::ServiceTags> tags;  // nullopt: none configured
  std::optional<std::string> cloud;          // "public", "usgov", "china"; nullopt: nobody said
  config::Gateway gateway = config::Gateway::unknown;
};

}  // namespace sekisho::check

// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "control/doctor/checks.hpp"
#include "control/doctor/cloud.hpp"

namespace sekisho::doctor {
namespace {

constexpr const char* check = "cloud";

auto addresses_text(const std::vector<std::uint32_t>& addresses) -> std::string {
  std::vector<std::string> texts;
  std::ranges::transform(addresses, std::back_inserter(texts), base::address_to_string);
  return fmt::format("{}", fmt::join(texts, ", "));
}

// A metadata server refuses what came through a proxy.
constexpr const char* curl = "curl -fsS --noproxy '*'";

auto how_to_ask(CloudKind kind) -> std::string {
  switch (kind) {
    case CloudKind::azure:
      return fmt::format(
          "{} -H Metadata:true 'http://169.254.169.254/metadata/instance?api-version=2021-02-01'", curl);
    case CloudKind::aws:
      return fmt::format(
          "T=$({} -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "
          "http://169.254.169.254/latest/api/token) && {} -H \"X-aws-ec2-metadata-token: $T\" "
          "http://169.254.169.254/latest/meta-data/network/interfaces/macs/",
          curl, curl);
    case CloudKind::google:
      return fmt::format(
          "{} -H Metadata-Flavor:Google "
          "'http://169.254.169.254/computeMetadata/v1/instance/network-interfaces/?recursive=true'",
          curl);
  }
  return {};
}

// In a command: what is not known to the letter is for the reader to fill in. A name has no quotes in it.
auto argument(const CloudName& name, const char* placeholder) -> std::string {
  return name.text.empty() || !name.whole ? placeholder : fmt::format("'{}'", name.text);
}

auto text_of(const CloudNic& nic) -> std::string {
  auto text = nic.addresses.empty() ? std::string{"no address"} : addresses_text(nic.addresses);
  if (nic.subnet) {
    text += fmt::format(" in subnet {}", base::to_string(*nic.subnet));
  }
  if (!nic.forwarded.empty()) {
    std::vector<std::string> prefixes;
    std::ranges::transform(nic.forwarded, std::back_inserter(prefixes), base::to_string);
    text += fmt::format(", {} as an alias or a balancer's", fmt::join(prefixes, ", "));
  }
  if (!nic.public_addresses) {
    return text;
  }
  return text + (nic.public_addresses->empty()
                     ? std::string{", and no public address of its own"}
                     : fmt::format(", and the public address {}", fmt::join(*nic.public_addresses, ", ")));
}

// "nva1, a Standard_D4s_v5 in westeurope, 2 NICs"
auto text_of(const CloudMachine& machine) -> std::string {
  return fmt::format("{}, {} in {}, {} NIC{}",
                     machine.name.text.empty() ? "a machine whose name is not told" : machine.name.text,
                     machine.size.text.empty() ? "of a size that is not told" : "a " + machine.size.text,
                     machine.place.text.empty() ? "a place that is not told" : machine.place.text,
                     machine.nics.size(), machine.nics.size() == 1 ? "" : "s");
}

// What only the cloud's management plane knows. Unknown, and who is to be asked.
auto untold(CloudKind kind, const CloudMachine& machine) -> Finding {
  switch (kind) {
    case CloudKind::azure: {
      const auto group = argument(machine.group, "GROUP");
      return unknown(
          check,
          "whether IP forwarding is enabled on the NICs, which route tables their subnets have, whether a "
          "subnet is private and which public addresses reach it, those of the Standard SKU and of load "
          "balancers, cannot be known from here: the metadata server does not say",
          fmt::format(
              "az network nic list --resource-group {} >nics.json && sekisho check --nic nics.json; az "
              "network nic show-effective-route-table --resource-group {} --name NIC",
              group, group));
    }
    case CloudKind::aws: {
      const bool tells_public = std::ranges::all_of(
          machine.nics, [](const CloudNic& nic) { return nic.public_addresses.has_value(); });
      std::vector<std::string> ids;
      for (const auto& nic : machine.nics) {
        ids.push_back(argument(nic.id, "ENI"));
      }
      return unknown(
          check,
          fmt::format(
              "whether the source/destination check of the network interfaces is off, as an appliance "
              "needs it,{} and which route tables their subnets have cannot be known from here: the "
              "metadata server does not say",
              tells_public ? "" : " which public addresses they have"),
          fmt::format("aws ec2 describe-network-interfaces --network-interface-ids {} --query "
                      "'NetworkInterfaces[].[NetworkInterfaceId,SourceDestCheck,Association.PublicIp]'",
                      fmt::join(ids, " ")));
    }
    case CloudKind::google:
      return unknown(
          check,
          "whether the instance may forward (canIpForward), and the VPC's routes cannot be known from here: "
          "the metadata server does not say",
          fmt::format("gcloud compute instances describe {} --zone {} --format='value(canIpForward)'",
                      argument(machine.name, "INSTANCE"), argument(machine.place, "ZONE")));
  }
  return {};
}

auto difference(std::vector<std::uint32_t> from, const std::vector<std::uint32_t>& without) {
  std::erase_if(from,
                [&](std::uint32_t address) { return std::ranges::find(without, address) != without.end(); });
  return from;
}

void judge_port(const Port& port, const Cloud& cloud, Findings& findings) {
  const auto& nics = cloud.machine->nics;
  if (!port.mac) {
    return;  // check_nics says what keeps it from having an interface
  }
  const auto name = to_string(cloud.kind);
  const auto nic = std::ranges::find(nics, *port.mac, &CloudNic::mac);
  if (nic == nics.end()) {
    findings.push_back(warning(check,
                               fmt::format("port {}: {} knows no NIC of this machine with the MAC address {}",
                                           port.name, name, base::mac_to_string(*port.mac)),
                               how_to_ask(cloud.kind)));
    return;
  }
  std::vector<std::uint32_t> own;
  std::ranges::transform(port.addresses, std::back_inserter(own),
                         &std::pair<std::uint32_t, std::uint8_t>::first);
  bool is_good = true;
  // A load balancer's frontend is delivered, too, and no NIC's own.
  auto more = difference(difference(own, nic->addresses), port.frontends);
  std::erase_if(more, [&](std::uint32_t address) {
    return std::ranges::any_of(nic->forwarded,
                               [&](const base::Prefix& prefix) { return prefix.covers(address); });
  });
  if (!more.empty()) {
    is_good = false;
    findings.push_back(warning(
        check,
        fmt::format("port {} has {}, which {} does not know as its NIC's: nothing for it is delivered there",
                    port.name, addresses_text(more), name),
        fmt::format("give the NIC that address there, or the port what it has: {}", text_of(*nic))));
  }
  const auto fewer = difference(nic->addresses, own);
  if (!fewer.empty()) {
    is_good = false;
    findings.push_back(warning(
        check,
        fmt::format("{} delivers {} to the NIC of port {}, and the port does not have it", name,
                    addresses_text(fewer), port.name),
        port.af_xdp ? fmt::format("ip address add {}/{} dev {}", base::address_to_string(fewer.front()),
                                  nic->subnet ? nic->subnet->length : 32,
                                  port.interface ? port.interface->name : port.name)
                    : fmt::format("write it into \"address\" of [port.{}]", port.name)));
  }
  // Google's DHCP gives a /32 whatever the subnet is.
  if (nic->subnet && cloud.kind != CloudKind::google) {
    for (const auto& [address, length] : port.addresses) {
      if (std::ranges::find(nic->addresses, address) != nic->addresses.end() &&
          length != nic->subnet->length) {
        is_good = false;
        findings.push_back(
            warning(check,
                    fmt::format("port {} has {}/{}, and the subnet is {}", port.name,
                                base::address_to_string(address), length, base::to_string(*nic->subnet)),
                    fmt::format("write /{}: neighbours are looked for in the subnet", nic->subnet->length)));
      }
    }
  }
  if (is_good) {
    findings.push_back(ok(check, fmt::format("port {}: its NIC has {}", port.name, text_of(*nic))));
  }
}

// SR-IOV, Azure's accelerated networking, shows as a second interface, the VF's, enslaved to the synthetic one. That much the
// kernel knows, on any Hyper-V.
void judge_acceleration(const Port& port, const System& system, Findings& findings) {
  if (!port.interface || port.interface->driver != "hv_netvsc") {
    return;
  }
  if (port.vf.empty()) {
    const auto& cloud = system.cloud;
    const bool azure = (cloud ? cloud->kind : system.firmware_cloud) == CloudKind::azure;
    const auto group = cloud && cloud->machine ? cloud->machine->group : CloudName{};
    findings.push_back(warning(
        "accelerated",
        fmt::format("port {}: {} has no VF beside it: {} each packet passes the host's software switch",
                    port.name, port.interface->name,
                    azure ? "without accelerated networking" : "SR-IOV is off, and"),
        azure ? fmt::format(
                    "az network nic update --accelerated-networking true --resource-group {} --name NIC",
                    argument(group, "GROUP"))
              : std::string{"on the Hyper-V host, where its NIC and its switch have SR-IOV: "
                            "Set-VMNetworkAdapter -VMName VM -IovWeight 100"}));
  } else {
    findings.push_back(ok(
        "accelerated", fmt::format("port {}: {} has the VF {}", port.name, port.interface->name, port.vf)));
  }
}

}  // namespace

Findings check_cloud(const System& system) {
  Findings findings;
  for (const auto& port : system.ports) {
    judge_acceleration(port, system, findings);
  }
  if (!system.cloud) {
    return findings;
  }
  const auto& cloud = *system.cloud;
  const auto name = to_string(cloud.kind);
  if (!cloud.machine) {
    findings.push_back(unknown(
        check, fmt::format("this is {}, and its metadata server gives {}", name, cloud.machine.error()),
        how_to_ask(cloud.kind)));
    return findings;
  }
  const auto& machine = *cloud.machine;
  findings.push_back(ok(check, fmt::format("{}: {}", name, text_of(machine))));
  for (const auto& port : system.ports) {
    judge_port(port, cloud, findings);
  }
  findings.push_back(untold(cloud.kind, machine));
  return findings;
}

}  // namespace sekisho::doctor

// SPDX-License-Identifier: BSD-3-Clause
// Files that cannot be read, or that say what is not known.
#include <string>
#include <vector>

#include "tests/unit/check/cases.hpp"

namespace sekisho::check {

auto file_cases() -> std::vector<Case> {
  return {
      {"by its name",
       "refused",
       {{"via = \"firewall\"", "via = \"nobody\""}},
       {"sekisho.toml:16: there is no next hop \"nobody\""}},
      {"another rule's",
       "refused",
       {{"exit = { port = \"egress\" }", "#"},
        {"@vnet", R"({ prefix = "20.0.0.0/16", next_hop = "Internet" },)"}},
       {}},
      {"a subnet's table",
       "refused",
       {egress_udr},
       {"udr.json: cannot be opened: No such file or directory"}},

      {"routes that only who deploys the template knows",
       "file-error",
       {lan_udr},
       {"udr.json: $.resources[0].properties.routes: the routes of this table are left out: "
        "\"[parameters('routes')]\" is "
        "known to a deployment only (the parameter has no defaultValue)"},
       {{"udr.json",
         R"({"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                        "contentVersion": "1.0.0.0", "parameters": {"routes": {"type": "array"}}, "resources": [
                        {"type": "Microsoft.Network/routeTables", "apiVersion": "2023-04-01", "name": "rt",
                         "properties": {"routes": "[parameters('routes')]"}}]})"}}},
      {"all known", "file-error", {lan_udr}, {}, {{"udr.json", udr({.routes = {{"20.0.0.0/16", "None"}}})}}},
      {"a property that nobody knows",
       "file-warning",
       {lan_udr},
       {"udr.json: $.colour: a route table has a property that is not known; it is ignored, here and in "
        "others"},
       {{"udr.json",
         R"({"name": "rt", "disableBgpRoutePropagation": false, "routes": [], "colour": "blue"})"}}},
      {"all known",
       "file-warning",
       {lan_udr},
       {},
       {{"udr.json", udr({.routes = {{"20.0.0.0/16", "None"}}})}}},
      {"hasBgpOverride",
       "file-note",
       {lan_udr},
       {"udr.json: $.routes[0].hasBgpOverride: hasBgpOverride does nothing, here and in other routes: the "
        "longest "
        "prefix goes first"},
       {{"udr.json", R"({"name": "rt", "disableBgpRoutePropagation": false, "routes": [{"name": "r0",
                        "addressPrefix": "20.0.0.0/16", "nextHopType": "None", "hasBgpOverride": true}]})"}}},
      {"all known", "file-note", {lan_udr}, {}, {{"udr.json", udr({.routes = {{"20.0.0.0/16", "None"}}})}}},
  };
}

}  // namespace sekisho::check

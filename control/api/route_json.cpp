#include "control/api/route_json.hpp"

#include <string>

#include "dataplane/fib/prefix.hpp"

namespace sekisho::api {

Json route_json(const policy::Policy& policy, const route::Route& route) {
  const auto& source = policy.names[route.source];
  // A route file is named by its absolute path; everything else that has a line stands in the configuration.
  const auto own_file = source.starts_with('/');
  Json result{{"prefix", fib::to_string(route.prefix)},
              {"next_hop", policy.names[route.next_hop]},
              {"origin", route::to_string(route.origin)},
              {"source", source},
              {"file", nullptr},
              {"line", nullptr}};
  if (route.line != 0) {
    result["file"] = own_file ? source : policy.config.file.string();
    result["line"] = route.line;
  }
  return result;
}

}  // namespace sekisho::api

// What the server of CLI requests needs of the daemon. The daemon (control/daemon/daemon.hpp) implements it; tests
// implement it without one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/egress/exit.hpp"
#include "control/egress/members.hpp"
#include "control/kernel/netlink.hpp"
#include "control/policy/policy.hpp"
#include "dataplane.pb.h"

namespace sekisho::api {

struct Reloaded {
  bool applied = false;  // false: the dataplane is not connected; it will get this policy when it is
  Committed committed;   // what changed
  std::vector<std::string> warnings;
};

class Backend {
 public:
  virtual ~Backend() = default;

  [[nodiscard]] virtual std::shared_ptr<const policy::Policy> policy() const = 0;  // that runs
  [[nodiscard]] virtual const kernel::Mirror& mirror() const = 0;
  [[nodiscard]] virtual const std::vector<egress::Member>& members() const = 0;
  [[nodiscard]] virtual const std::optional<egress::Exit>& exit() const = 0;  // nothing: none is configured
  [[nodiscard]] virtual bool dataplane_connected() const = 0;

  // Reads the files again; one transaction or a refusal that changes nothing.
  virtual void reload(std::function<void(tl::expected<Reloaded, std::string>)> done) = 0;
  virtual void ask_dataplane(Request request,
                             std::function<void(tl::expected<std::vector<Reply>, std::string>)> done) = 0;
};

}  // namespace sekisho::api

// What this control knows of itself, for whoever asks what is wrong.
#include "control/daemon/daemon.hpp"
#include "control/guard/listing.hpp"

namespace sekisho {
namespace {

// By the kernel's word.
std::vector<std::string> guard_problems() {
  const auto listed = guard::list();
  if (!listed) {
    return {"whether the guard is there cannot be seen: " + listed.error()};
  }
  if (!*listed || !(*listed)->ours) {
    return {"there is no guard: the kernel may forward past the firewall"};
  }
  if (!(*listed)->whole) {
    return {"the guard is not whole: the kernel may forward past the firewall"};
  }
  return {};
}

}  // namespace

api::Circumstances Daemon::circumstances() const {
  return {.is_settled =
              !in_flight_ && told_ && steps_.empty() && sync::incremental(*policy_, *told_, view_).empty(),
          .not_in_command = command_.why_not(),
          .not_taken = last_refusal_,
          .transaction = transaction_,
          .failed_ports = failed_ports_,
          .guard = guard_problems(),
          .reload_refused = reload_counts_.refusal};
}

}  // namespace sekisho

// What this control knows of itself, for whoever asks what is wrong.
#include "control/guard/truth.hpp"
#include "control/reconcile/daemon.hpp"

namespace sekisho::reconcile {

serve::Circumstances Daemon::circumstances() const {
  return {.is_settled =
              !in_flight_ && told_ && steps_.empty() && sync::incremental(*policy_, *told_, view_).empty(),
          .not_in_command = command_.why_not(),
          .not_taken = last_refusal_,
          .transaction = transaction_,
          .failed_ports = failed_ports_,
          .guard = guard::problems(guard::ask(policy_->config, netlink_->mirror())),
          .reload_refused = reload_counts_.refusal,
          .changed_files = file_watch_.changes()};
}

}  // namespace sekisho::reconcile

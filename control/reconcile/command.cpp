#include "control/reconcile/command.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace sekisho::reconcile {
namespace {

constexpr std::chrono::milliseconds between_claims{500};
// One that was killed a moment ago may not be gone yet.
constexpr std::chrono::seconds patience_at_start{2};

// A dataplane of an earlier version, which an upgrade leaves running, has no claim: whoever asks commands.
bool is_older(const std::string& refusal) {
  return refusal == "this dataplane does not know the request";
}

}  // namespace

Command::Command(boost::asio::io_context& io, sync::DataplaneClient& dataplane, bool by_force,
                 Handlers handlers)
    : dataplane_(dataplane), handlers_(std::move(handlers)), retry_(io), by_force_(by_force) {}

void Command::on_connected() {
  asked_first_ = std::chrono::steady_clock::now();
  claim();
}

void Command::on_disconnected() {
  retry_.cancel();
  is_held_ = false;
  why_not_.clear();
}

void Command::on_superseded(unsigned process) {
  is_held_ = false;
  why_not_ = "process " + std::to_string(process) + " commands this dataplane";
  spdlog::error("{}: it has taken the command away, and this sekisho-control changes nothing until that ends",
                why_not_);
  claim_later();
}

void Command::claim() {
  ipc::Request request;
  request.mutable_claim()->set_take_over(by_force_);
  dataplane_.ask(std::move(request), [this](const auto& answer) {
    if (!dataplane_.connected()) {
      return;
    }
    if (!answer && dataplane_.hangs()) {  // which is no refusal
      claim_later();
      return;
    }
    if (!answer && !is_older(answer.error())) {
      on_refused(answer.error());
      return;
    }
    by_force_ = false;
    is_held_ = was_ever_held_ = true;
    if (!std::exchange(why_not_, {}).empty()) {
      spdlog::info("this sekisho-control commands the dataplane");
    }
    handlers_.got();
  });
}

void Command::on_refused(const std::string& why) {
  if (!was_ever_held_ && std::chrono::steady_clock::now() - asked_first_ >= patience_at_start) {
    handlers_.never_got(why);
    return;
  }
  if (std::exchange(why_not_, why) != why) {
    spdlog::warn("{}; asking again until it does not", why);
  }
  claim_later();
}

void Command::claim_later() {
  retry_.expires_after(between_claims);
  retry_.async_wait([this](const boost::system::error_code& error) {
    if (!error && dataplane_.connected()) {
      claim();
    }
  });
}

}  // namespace sekisho::reconcile

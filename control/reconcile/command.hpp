// Who commands the dataplane: one sekisho-control at a time. This one asks for it on each connection, again and again while
// another holds it, and hears when it is taken away.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "control/sync/dataplane_client.hpp"

namespace sekisho::reconcile {

class Command {
 public:
  struct Handlers {
    std::function<void()> got;
    // Another held it from the start and lives on: nothing was ever commanded, and there is nothing to do here.
    std::function<void(const std::string& why)> never_got;
  };
  // By force: the first time it is taken from whoever has it.
  Command(boost::asio::io_context& io, sync::DataplaneClient& dataplane, bool by_force, Handlers handlers);

  void on_connected();
  void on_disconnected();
  void on_superseded(unsigned process);

  [[nodiscard]] bool is_held() const noexcept { return is_held_; }
  // "process 4711 commands this dataplane"; empty while this one does, or there is no dataplane.
  [[nodiscard]] const std::string& why_not() const noexcept { return why_not_; }

 private:
  void claim();
  void claim_later();
  void on_refused(const std::string& why);

  sync::DataplaneClient& dataplane_;
  Handlers handlers_;
  boost::asio::steady_timer retry_;
  std::chrono::steady_clock::time_point asked_first_;  // on this connection
  bool by_force_;
  bool is_held_ = false;
  bool was_ever_held_ = false;
  std::string why_not_;
};

}  // namespace sekisho::reconcile

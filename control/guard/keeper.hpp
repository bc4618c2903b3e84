// Keeps the locks as they are to be while sekisho-control runs: put back at once when somebody takes one away, with a line
// in the log. Runs on the caller's io_context and waits for nothing but the kernel.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "control/guard/guard.hpp"
#include "control/guard/watch.hpp"

namespace sekisho::guard {

class Keeper {
 public:
  // Closes everything but what a table of an earlier run lets out.
  [[nodiscard]] static auto open(boost::asio::io_context& io)
      -> tl::expected<std::unique_ptr<Keeper>, std::string>;

  // What an earlier run let out: the dataplane may still send it.
  [[nodiscard]] const Guard& found() const { return found_; }
  // From now on this, and what was ever guarded. What the kernel refuses is said in the log and tried again every second.
  auto close(Guard wanted) -> tl::expected<void, std::string>;
  [[nodiscard]] const Guard& wanted() const { return wanted_; }

 private:
  explicit Keeper(boost::asio::io_context& io);
  auto install_wanted() -> tl::expected<void, std::string>;
  void look();

  boost::asio::steady_timer retry_;
  std::unique_ptr<Watch> tables_;
  Guard found_;
  Guard wanted_;
  std::string failure_;  // why the table is not as wanted; empty: it is
};

}  // namespace sekisho::guard

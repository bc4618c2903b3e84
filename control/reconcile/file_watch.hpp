// SPDX-License-Identifier: BSD-3-Clause
// Whether the files that the policy was read from have been written since. Looks at them every few seconds on a thread of its
// own: a mount that hangs holds up nobody, and is said.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "common/base/detached_read.hpp"
#include "common/base/stamp.hpp"

namespace sekisho::reconcile {

class FileWatch {
 public:
  explicit FileWatch(boost::asio::io_context& io) : timer_(io) {}

  // From now on these, as they were when they were read.
  void follow(std::vector<base::Stamp> read);
  // "/etc/sekisho/routes.txt has changed", "... is missing", "... does not answer"
  [[nodiscard]] const std::vector<std::string>& changes() const noexcept { return changes_; }

 private:
  using Stamps = std::vector<base::Stamp>;

  void look();
  void compare(const Stamps& now);

  boost::asio::steady_timer timer_;
  Stamps read_;
  std::unique_ptr<base::DetachedRead<Stamps>> attempt_;
  std::vector<std::string> changes_;
};

}  // namespace sekisho::reconcile

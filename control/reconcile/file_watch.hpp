// SPDX-License-Identifier: BSD-3-Clause
// Whether the files that the policy was read from have been written since, and whether there are more of them. Looks at them every few seconds on a thread of its
// own: a mount that hangs holds up nobody, and is said.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/detached_read.hpp"
#include "common/base/stamp.hpp"

namespace sekisho::reconcile {

class FileWatch {
 public:
  using Look = std::function<base::Stamp(const std::filesystem::path& file)>;
  // What would be included now.
  using Included = std::function<std::vector<std::filesystem::path>()>;
  // How long it waits between asking and taking the answer, which is half a look; and how long for a file.
  struct Pace {
    std::chrono::milliseconds step{500};
    std::chrono::milliseconds patience{5000};
  };

  // `look` is called on a thread that outlives this when its file does not answer.
  explicit FileWatch(boost::asio::io_context& io) : FileWatch(io, Pace{}) {}
  FileWatch(boost::asio::io_context& io, Pace pace, Look look = base::stamp)
      : timer_(io), pace_(pace), look_(std::move(look)) {}

  // From now on these, as they were when they were read. `included` is called on that thread, too.
  void follow(
      std::vector<base::Stamp> read, Included included = [] { return std::vector<std::filesystem::path>{}; });
  // "/etc/sekisho/routes.txt has changed", "... is missing", "... is new", "... does not answer"
  [[nodiscard]] const std::vector<std::string>& changes() const noexcept { return changes_; }

 private:
  using Stamps = std::vector<base::Stamp>;

  void look();
  void compare(const Stamps& now);

  boost::asio::steady_timer timer_;
  Pace pace_;
  Look look_;
  Stamps read_;
  Included included_;
  std::unique_ptr<base::DetachedRead<Stamps>> attempt_;
  std::vector<std::string> changes_;
};

}  // namespace sekisho::reconcile

// SPDX-License-Identifier: BSD-3-Clause
// Whether FRR's daemons run, asked without a question to them: each holds a lock on its pid file for as long as it lives, and the
// kernel says who. It takes no permission, disturbs nobody, and cannot be mistaken for another process of the same number.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "control/learn/hold.hpp"

namespace sekisho::learn {

// zebra, and those that have these protocols' routes.
[[nodiscard]] auto daemons_of(const std::vector<std::uint8_t>& protocols) -> std::vector<std::string>;
// Who holds the lock on this file; 0: nobody, or there is none.
[[nodiscard]] auto holder_of(const std::filesystem::path& pid_file) -> pid_t;

class Daemons {
 public:
  using Time = Hold::Time;
  // Of the instance whose folder this is (frr::run_directory).
  Daemons(std::filesystem::path folder, std::vector<std::string> names)
      : folder_(std::move(folder)), names_(std::move(names)) {}

  // To be asked every second or so: one that is another process than before is noticed.
  [[nodiscard]] auto look(Time now) -> Health;
  // What was started counts as such no more: it has all that it had before.
  void on_caught_up();
  [[nodiscard]] bool runs(const std::string& name) const;
  // Those that zebra, which was started after them, has not heard from since: they tell it their routes once. What the kernel has of
  // these routes is old, and stays.
  [[nodiscard]] auto unheard() const -> std::vector<std::string>;
  // Those that ran and do not run now.
  [[nodiscard]] auto gone() const -> std::vector<std::string>;

 private:
  static constexpr std::chrono::seconds fresh{60};
  static constexpr std::chrono::minutes given_up{10};  // who has been gone for so long was stopped for good
  struct Known {
    pid_t pid = 0;   // 0: it is gone
    Time started{};  // when that was noticed
    bool is_fresh = false;
  };
  std::filesystem::path folder_;
  std::vector<std::string> names_;
  std::map<std::string, Known> known_;  // that ran once
  bool looked_ = false;
};

}  // namespace sekisho::learn

// SPDX-License-Identifier: BSD-3-Clause
// `show learned`: what is learned from the kernel's routes, and what became of it.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"
#include "control/route/learned.hpp"
#include "control/serve/json.hpp"

namespace sekisho::serve {

// Counts, what is refused besides single routes, and what is wrong. `learns` is false where no zone asks for anything.
[[nodiscard]] Json show_learned(const policy::Policy& policy);

// Each route, a page at a time.
class LearnedPages {
 public:
  static constexpr std::size_t page_size = 4096;
  explicit LearnedPages(std::shared_ptr<const policy::Policy> policy);

  [[nodiscard]] Json next();  // an array, empty only when there is nothing at all
  [[nodiscard]] bool more() const;

 private:
  [[nodiscard]] Json to_json(const route::LearnedRoute& route) const;

  std::shared_ptr<const policy::Policy> policy_;
  std::map<std::string, std::vector<base::Prefix>> sources_;  // sorted, of each zone that has learned ones
  std::size_t next_ = 0;
};

}  // namespace sekisho::serve

// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/file_watch.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "control/config/include.hpp"

namespace sekisho::reconcile {

void FileWatch::follow(std::vector<base::Stamp> read, Included included) {
  read_ = std::move(read);
  included_ = std::move(included);
  changes_.clear();
  attempt_.reset();
  look();
}

// One thread at a time: one that waits for a file for ever is not given company.
void FileWatch::look() {
  if (attempt_ == nullptr) {
    std::vector<std::filesystem::path> files;
    std::ranges::transform(read_, std::back_inserter(files), &base::Stamp::file);
    attempt_ = std::make_unique<base::DetachedRead<Stamps>>(
        files.empty() ? std::filesystem::path() : files.front(),
        [files, look = look_, included = included_] {
          Stamps now;
          std::ranges::transform(files, std::back_inserter(now), look);
          std::vector<std::filesystem::path> known;
          std::ranges::transform(files, std::back_inserter(known), config::place_of);
          for (const auto& file : included()) {
            const auto place = config::place_of(file);
            if (std::ranges::find(known, place) == known.end()) {
              known.push_back(place);
              now.push_back({.file = file, .size = {}});
            }
          }
          return now;
        },
        [](base::Error) { return Stamps(); });
  } else if (const auto now = attempt_->take()) {
    compare(*now);
    attempt_.reset();
  } else if (const auto file = attempt_->overdue(pace_.patience)) {
    changes_ = {file->string() + " does not answer"};
  }
  timer_.expires_after(pace_.step);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      look();
    }
  });
}

void FileWatch::compare(const Stamps& now) {
  changes_.clear();
  for (std::size_t i = 0; i < std::min(read_.size(), now.size()); ++i) {
    switch (base::since(read_[i], now[i])) {
      case base::Since::unchanged:
        break;
      case base::Since::changed:
        changes_.push_back(read_[i].file.string() + " has changed");
        break;
      case base::Since::missing:
        changes_.push_back(read_[i].file.string() + " is missing");
        break;
    }
  }
  for (std::size_t i = read_.size(); i < now.size(); ++i) {
    changes_.push_back(now[i].file.string() + " is new");
  }
}

}  // namespace sekisho::reconcile

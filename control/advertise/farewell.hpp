// SPDX-License-Identifier: BSD-3-Clause
// Withdraws what was told to an FRR that is not followed any more: another one is, or there are no peers left. Until it is done it is tried
// again and again, for nobody else would.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/frr/vtysh.hpp"

namespace sekisho::advertise {

class Farewell {
 public:
  // Of `managed` (sorted), whatever it originates.
  Farewell(boost::asio::io_context& io, std::string instance, std::uint32_t asn,
           std::vector<base::Prefix> managed);
  Farewell(const Farewell&) = delete;
  Farewell& operator=(const Farewell&) = delete;

  [[nodiscard]] bool is_to(const std::string& instance, std::uint32_t asn) const {
    return instance == instance_ && asn == asn_;
  }
  [[nodiscard]] bool is_done() const { return is_done_; }
  [[nodiscard]] auto managed() const -> const std::vector<base::Prefix>& { return managed_; }

 private:
  void ask();
  void heard(const frr::Result<std::string>& answer);
  void withdraw(const std::vector<base::Prefix>& prefixes);
  void failed(const frr::Failure& failure);

  std::string instance_;
  std::uint32_t asn_;
  std::vector<base::Prefix> managed_;
  frr::Vtysh vtysh_;
  boost::asio::steady_timer timer_;
  std::string said_;  // the failure that stands in the log
  bool is_done_ = false;
};

}  // namespace sekisho::advertise

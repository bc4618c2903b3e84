// SPDX-License-Identifier: BSD-3-Clause
// `sekisho prove`: whether the assertions hold for what runs, overrides and what the kernel knows among it. One after the other:
// a table may have 900,000 routes, and control has other things to do meanwhile.
#pragma once

#include <cstddef>
#include <memory>

#include "control/policy/policy.hpp"
#include "control/prove/prove.hpp"
#include "control/serve/json.hpp"
#include "control/sync/transaction.hpp"

namespace sekisho::serve {

// {"name": "zone vnet reaches ...", "statement": "zone vnet to internet via firewall", "file": "sekisho.toml", "line": 12,
//  "built_in": false, "holds": true, "says_nothing": null, "spoken": 3674210304, "destinations": 0, "pairs": null,
//  "sentence": "holds for ...", "counterexample": null, "offenders": []}
[[nodiscard]] Json proof_json(const prove::Proof& proof, const policy::Policy& policy);

// What the kernel's state adds to the policy's tables.
[[nodiscard]] prove::Kernel kernel_of(const policy::Policy& policy, const sync::View& view);

class ProofPages {
 public:
  ProofPages(std::shared_ptr<const policy::Policy> policy, const sync::View& view);
  ProofPages(const ProofPages&) = delete;
  ProofPages& operator=(const ProofPages&) = delete;

  [[nodiscard]] Json next();  // an array of one; of none where there is no assertion
  [[nodiscard]] bool more() const noexcept { return next_ < prover_.size(); }

 private:
  std::shared_ptr<const policy::Policy> policy_;
  prove::Prover prover_;
  std::size_t next_ = 0;
};

}  // namespace sekisho::serve

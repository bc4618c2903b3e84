// SPDX-License-Identifier: BSD-3-Clause
// The product's pipeline under another name and with a clock between its stages. What is measured as a whole is the product's
// own object.
#include "bench/stages/clock.hpp"

#define SEKISHO_STAGE_ENDS(stage) sekisho::bench::stage_clock.stop(sekisho::bench::Stage::stage)
#define forward_burst clocked_forward_burst
// The stages are local to that file, and linking cannot put a clock between them.
#include "dataplane/forward/pipeline.cpp"  // NOLINT(bugprone-suspicious-include)

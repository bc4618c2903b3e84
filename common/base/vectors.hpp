// SPDX-License-Identifier: BSD-3-Clause
// Vectors of 128 bits, in the words of SSE4.2 on every CPU. x86 has at least that, because DPDK asks for it. Elsewhere SIMDe says the
// same in the CPU's own instructions (NEON), so that there is one source, and the tests of it are tests of both.
#pragma once

#ifdef __x86_64__
#include <nmmintrin.h>
#else
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/sse4.2.h>
#endif

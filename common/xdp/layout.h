// SPDX-License-Identifier: BSD-3-Clause
/* What the steering program and its user-space side agree on; read as C by the one and as C++ by the other. */
#pragma once

#include <linux/types.h>

/* What became of a frame: one line a verdict, the name is the counter's. New ones go to the end: a program of another
 * version hands its counters on by number. */
#define SEKISHO_STEER_VERDICTS(VERDICT) \
  VERDICT(passed_arp)                   \
  VERDICT(passed_local)                 \
  VERDICT(passed_broadcast)             \
  VERDICT(redirected)                   \
  VERDICT(dropped_not_ready)            \
  VERDICT(dropped_no_socket)            \
  VERDICT(dropped_ipv6)                 \
  VERDICT(dropped_other)                \
  VERDICT(dropped_short)                \
  VERDICT(dropped_bad_sender)           \
  VERDICT(dropped_unknown_source)       \
  VERDICT(dropped_spoofed_source)       \
  VERDICT(dropped_martian_source)       \
  VERDICT(dropped_vlan_tagged)

enum sekisho_steer_verdict {
#define VERDICT(name) sekisho_steer_##name,
  SEKISHO_STEER_VERDICTS(VERDICT)
#undef VERDICT
      sekisho_steer_verdict_count
};

#define SEKISHO_STEER_MAX_LOCAL 1024
/* More than policy::most_learned_sources by as many as are configured: what a BGP peer says closes no port. */
#define SEKISHO_STEER_MAX_SOURCES 131072

/* A prefix whose packets the kernel may have or not, and why; of no prefix: nobody's. */
struct sekisho_steer_source {
  __u32 length;
  __be32 address;
};
enum sekisho_steer_source_verdict { sekisho_steer_allowed = 1, sekisho_steer_spoofed, sekisho_steer_martian };

/* A program finds its maps only if it uses them; so the owner, which is for user space, stands beside the flag. */
struct sekisho_steer_state {
  __u64 ready;            /* IPv4 may go to the sockets */
  __u64 owner_pid;        /* who loaded the program; a pid alone could be another process's by now */
  __u64 owner_start_time; /* field 22 of /proc/PID/stat */
  __u64 station;          /* the interface's MAC address as it lies in memory, and two zeros */
  __u64 carried[sekisho_steer_verdict_count]; /* what the programs before this one counted on the interface */
};

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
  VERDICT(dropped_short)

enum sekisho_steer_verdict {
#define VERDICT(name) sekisho_steer_##name,
  SEKISHO_STEER_VERDICTS(VERDICT)
#undef VERDICT
      sekisho_steer_verdict_count
};

#define SEKISHO_STEER_MAX_LOCAL 1024

/* A program finds its maps only if it uses them; so the owner, which is for user space, stands beside the flag. */
struct sekisho_steer_state {
  __u64 ready;            /* IPv4 may go to the sockets */
  __u64 owner_pid;        /* who loaded the program; a pid alone could be another process's by now */
  __u64 owner_start_time; /* field 22 of /proc/PID/stat */
  __u64 carried[sekisho_steer_verdict_count]; /* what the programs before this one counted on the interface */
};

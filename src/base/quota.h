/*
 * How many processors the control groups of this process grant it. A container with a quota of two
 * processors on a machine of sixty-four sees all of them, and a thread on each would spend most of
 * its time descheduled.
 */
#ifndef EAD_BASE_QUOTA_H
#define EAD_BASE_QUOTA_H

/* The quota in whole processors, rounded up, at least 1; 0 where there is none. Reads the groups of
 * version 1 and 2 below `root`, which is "" but for tests: the group in ROOT/proc/self/cgroup and
 * all above it in ROOT/sys/fs/cgroup, of which the smallest counts. */
int quota_processors(const char *root);

#endif

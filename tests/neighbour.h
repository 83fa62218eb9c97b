/* A neighbour who never sleeps, on the one processor that is left to this process as well. */
#ifndef EAD_TESTS_NEIGHBOUR_H
#define EAD_TESTS_NEIGHBOUR_H

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct neighbour {
    cpu_set_t all; /* the processors there were */
    pid_t pid;
};

/* False when the system does not let us choose processors. */
static inline int neighbour_start(struct neighbour *n)
{
    cpu_set_t one;
    if (sched_getaffinity(0, sizeof n->all, &n->all)) return 0;
    CPU_ZERO(&one);
    for (int cpu = 0; !CPU_COUNT(&one); cpu++)
        if (CPU_ISSET(cpu, &n->all)) CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one)) return 0;
    n->pid = fork();
    if (!n->pid)
        for (;;) continue;
    return n->pid > 0;
}

static inline void neighbour_stop(struct neighbour *n)
{
    kill(n->pid, SIGKILL);
    waitpid(n->pid, NULL, 0);
    sched_setaffinity(0, sizeof n->all, &n->all);
}

#endif

/*
 * Whether a run had the processors to itself. Linux counts for every thread how long it ran and how
 * long it stood ready to run while others did; a time that was measured beside much of the latter
 * says more of the neighbours than of the models. What a host takes from a virtual machine is not
 * seen.
 */
#ifndef EAD_EVAL_LOAD_H
#define EAD_EVAL_LOAD_H

/* Seconds, of all threads of this process together; NaN where the system does not tell. */
struct load {
    double ran, waited;
};

/* Since the threads began. */
struct load load_now(void);
/* From an earlier load_now until now. */
struct load load_since(struct load before);

/* Of the time that was wanted, the part that was had: 1 is a quiet machine. NaN: unknown. */
double load_share(struct load load);

#endif

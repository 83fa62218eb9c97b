/*
 * Invariants that the code itself keeps, whatever the input: a file or a caller that is wrong gets
 * a status, never a CHECK. In every build, unless it was configured with EAD_CHECKS=OFF, a broken
 * one says which and aborts, for to go on would be to compute with what is not true. Cheap: one
 * compare per call or per row, never per element.
 */
#ifndef EAD_BASE_CHECK_H
#define EAD_BASE_CHECK_H

#ifdef EAD_NO_CHECKS
#define CHECK(truth) ((void)sizeof(!(truth)))
#else
#define CHECK(truth)                                                                               \
    (__builtin_expect(!(truth), 0) ? check_failed(#truth, __FILE_NAME__, __LINE__) : (void)0)
#endif

/* Writes "file:line: broken invariant: truth" to the standard error, and aborts. */
__attribute__((noreturn, cold)) void check_failed(const char *truth, const char *file, int line);

#endif

/*
 * For a test program of which nothing is left without a folder of ../shared: its exit status tells
 * CTest that it was skipped, where passing would claim that something was tested.
 */
#ifndef EAD_TESTS_SHARED_H
#define EAD_TESTS_SHARED_H

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

enum { SKIPPED = 77 };

static inline bool shared_lacks(const char *path)
{
    if (!access(path, R_OK)) return false;
    printf("skipped: there is no %s\n", path);
    return true;
}

#endif

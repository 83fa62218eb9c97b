/* What a core can multiply and add at most, by level: its best instructions in a loop that loads
 * nothing. */
#ifndef TOOLS_KERN_PEAK_H
#define TOOLS_KERN_PEAK_H

#include "kern/kern.h"

#include <stdbool.h>

/* Operations per second of bytes, or of floats; 0 where no loop is known. The machine must have
 * the level: kern_table(level) is not NULL. */
double kern_peak(enum kern_level level, bool floats);

#endif

/* The tables that kern.c chooses from; the x86 ones exist in x86-64 builds only. */
#ifndef EAD_KERN_KERN_TABLES_H
#define EAD_KERN_KERN_TABLES_H

#include "kern/kern.h"

extern const struct kern kern_ref, kern_avx2, kern_avxvnni, kern_avx512, kern_amx;

#endif

/* Threads that go through one large buffer, each through a contiguous share of its own, and the
 * plain read of it, which is as fast as memory gives. */
#ifndef TOOLS_STREAM_H
#define TOOLS_STREAM_H

#include <stddef.h>
#include <stdint.h>

enum { STREAM_THREADS_MAX = 64, STREAM_DISTANCES = 3 };

/* How many bytes ahead a read may ask for later lines in the second cache; 0: it does not ask. */
extern const size_t stream_ahead[STREAM_DISTANCES];

/* Zeroed pages of the process's own, huge where the system grants them; NULL without memory. */
void *stream_room(size_t bytes);

/* Run work(context, i, threads) for each i below threads, all at once; seconds by the wall. */
typedef void stream_work(const void *context, int index, int threads);
double stream_run(int threads, stream_work *work, const void *context);

/* Bytes per second at which the threads read the buffer once. */
double stream_read(const void *data, size_t bytes, int threads, size_t ahead);

/* The median of all[n], which it sorts. */
double stream_median(double *all, int n);

#endif

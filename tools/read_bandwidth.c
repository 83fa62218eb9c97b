/*
 * The memory floor of decoding: how fast threads read one large buffer in huge pages, each a
 * contiguous share, with and without prefetch into the second cache. The fastest is the floor.
 *
 *     build/read_bandwidth [THREADS]      GB/s: the median, slowest and fastest run
 */
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>

enum { RUNS = 9 };

int main(int argc, char **argv)
{
    const size_t bytes = (size_t)1 << 30;
    const int threads = argc > 1 ? atoi(argv[1]) : 1;
    if (threads < 1 || threads > STREAM_THREADS_MAX) {
        fprintf(stderr, "usage: read_bandwidth [THREADS], 1 to %d\n", STREAM_THREADS_MAX);
        return 2;
    }
    const void *data = stream_room(bytes);
    if (!data) return 1;
    for (int i = 0; i < STREAM_DISTANCES; i++) {
        double rate[RUNS];
        for (int run = 0; run < RUNS; run++)
            rate[run] = 1e-9 * stream_read(data, bytes, threads, stream_ahead[i]);
        const double median = stream_median(rate, RUNS);
        printf("%d threads, %4zu bytes ahead: %.1f GB/s (%.1f to %.1f)\n", threads, stream_ahead[i],
               median, rate[0], rate[RUNS - 1]);
    }
    return 0;
}

#!/usr/bin/env python3
"""Time llama.cpp, through its Python package, on what `ead bench` times, for paired comparisons.

    pip install llama-cpp-python
    tools/peer_bench.py -m model.gguf -p 512,16,8,4,1 -g 64 -t 2 -r 5 [--no-repack]

Prints what the package was built for, then rows (or tokens) per second: median, slowest and
fastest run, as `ead bench` does. tools/compare.py runs both in turn.
"""
import argparse
import ctypes
import statistics
import time

import llama_cpp as lib


class Peer:
    def __init__(self, path, threads, context, repack):
        lib.llama_backend_init()
        lib.llama_log_set(SILENT, ctypes.c_void_p())
        params = lib.llama_model_default_params()
        params.n_gpu_layers = 0
        if hasattr(params, "use_extra_bufts"):
            params.use_extra_bufts = repack
        self.model = lib.llama_model_load_from_file(path.encode(), params)
        self.vocab_size = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(self.model))
        params = lib.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = context
        params.n_threads = params.n_threads_batch = threads
        self.context = lib.llama_init_from_model(self.model, params)
        self.batch = lib.llama_batch_init(context, 0, 1)

    def clear(self):
        lib.llama_memory_clear(lib.llama_get_memory(self.context), False)

    def evaluate(self, start, rows):
        batch = self.batch
        batch.n_tokens = rows
        for i in range(rows):
            batch.token[i] = (start + i) * 7919 % self.vocab_size
            batch.pos[i] = start + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = i == rows - 1
        if lib.llama_decode(self.context, batch):
            raise RuntimeError("llama_decode failed")
        lib.llama_synchronize(self.context)


@lib.llama_log_callback
def SILENT(level, text, data):
    pass


def measure(peer, rows, steps, repeats):
    """Seconds of `steps` passes of `rows` rows into an empty context, once per repeat."""
    seconds = []
    for run in range(-1, repeats):
        peer.clear()
        start = time.perf_counter()
        for i in range(steps):
            peer.evaluate(i * rows, rows)
        if run >= 0:
            seconds.append(time.perf_counter() - start)
    return seconds


def report(test, rows, seconds):
    median = statistics.median(seconds)
    print(f"{test:<8} {rows:6d} {rows / median:12.2f} {rows / max(seconds):12.2f} "
          f"{rows / min(seconds):12.2f} {1e3 * median:12.3f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-m", required=True, metavar="FILE")
    parser.add_argument("-p", default="512,16,8,4,1", metavar="LIST")
    parser.add_argument("-g", type=int, default=64, metavar="N")
    parser.add_argument("-t", type=int, default=2, metavar="N")
    parser.add_argument("-r", type=int, default=5, metavar="N")
    parser.add_argument("--no-repack", action="store_true")
    args = parser.parse_args()
    sizes = [int(size) for size in args.p.split(",") if size]
    peer = Peer(args.m, args.t, max(sizes + [args.g, 64]), not args.no_repack)
    print(f"llama-cpp-python {lib.__version__}, {lib.llama_print_system_info().decode()}")
    print(f"{'test':<8} {'rows':>6} {'rows/s':>12} {'slowest':>12} {'fastest':>12} {'median ms':>12}")
    for rows in sizes:
        report("pass", rows, measure(peer, rows, 1, args.r))
    if args.g:
        report("decode", args.g, measure(peer, 1, args.g, args.r))


if __name__ == "__main__":
    main()

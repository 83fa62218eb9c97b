/*
 * Any bytes as a model file: reader, config, weights and vocabulary; and when all of them agree,
 * two rows. Nothing may crash or run long. The corpus comes from make_gguf_corpus.c.
 */
#include "probe.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    enum probe_stage stage;
    enum status st = probe(data, size, kern_best(), &stage, &err);
    if (st != ST_OK && !err.message[0]) abort(); /* every refusal says why */
    return 0;
}

#include "opened.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

void opened_try(const struct tiny *t, struct opened *o)
{
    *o = (struct opened){.image = tiny_write(t, 0, 1)};
    o->st = gguf_open_memory(o->image->bytes.data, o->image->bytes.n, &o->g, &o->err);
    if (o->st == ST_OK) o->st = config_read(o->g, &o->config, &o->err);
    if (o->st == ST_OK) o->st = weights_bind(o->g, &o->config, &o->weights, &o->err);
}

void opened_must(const struct tiny *t, struct opened *o)
{
    opened_try(t, o);
    if (o->st != ST_OK) fail_msg("%s", o->err.message);
}

void opened_release(struct opened *o)
{
    weights_deinit(&o->weights);
    gguf_close(o->g);
    tiny_image_free(o->image);
}

void opened_accept(const struct tiny *t)
{
    struct opened o;
    opened_must(t, &o);
    opened_release(&o);
}

void opened_refuse(const struct tiny *t, enum status st, const char *field, const char *found)
{
    struct opened o;
    opened_try(t, &o);
    if (o.st != st || !strstr(o.err.message, field) || !strstr(o.err.message, found))
        fail_msg("expected %s with \"%s\" and \"%s\", got %s: %s", status_name(st), field, found,
                 status_name(o.st), o.err.message);
    opened_release(&o);
}

struct tiny *opened_model(const char *arch)
{
    struct tiny_spec spec = tiny_spec(arch, QT_F16);
    return tiny_model(&spec);
}

void opened_add(struct tiny *t, const char *name, uint64_t cols, uint64_t rows)
{
    uint64_t rng = 3;
    tiny_fill(tiny_tensor(t, name, QT_F32, cols, rows), 1, &rng);
}

const char *opened_key(char out[TINY_NAME_MAX], const char *arch, const char *name)
{
    const bool expert = tiny_family(arch)->experts && !strcmp(name, "feed_forward_length");
    snprintf(out, TINY_NAME_MAX, "%s.%s%s", arch, expert ? "expert_" : "", name);
    return out;
}

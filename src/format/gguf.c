#include "format/gguf.h"

#include "base/check.h"
#include "base/hash.h"
#include "format/gguf_cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHARDS_MAX = 512 };

struct shard {
    const uint8_t *data;
    size_t bytes;
    size_t head;      /* bytes before the data of tensors: all that shard_read reads */
    int64_t modified; /* nanoseconds */
    bool mapped;      /* ours to unmap */
};

struct gguf {
    char *path;
    uint32_t version;
    struct shard *shards;
    int n_shards;
    struct gguf_kv *kv;
    size_t n_kv;
    struct gguf_tensor *tensors;
    size_t n_tensors;
    uint32_t *tensor_slots; /* open-addressing hash of names; index + 1, 0 is empty */
    size_t n_slots;         /* a power of two */
};

static uint64_t name_hash(const char *s)
{
    const uint64_t h = hash_bytes(s, strlen(s));
    return h ^ h >> 29;
}

/* ---- one shard --------------------------------------------------------------------------- */

static int64_t nanoseconds(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static enum status shard_map(const char *path, struct shard *shard, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return err_set(err, ST_IO, "cannot open the file: %s", strerror(errno));
    struct stat sb;
    enum status st = ST_OK;
    if (fstat(fd, &sb))
        st = err_set(err, ST_IO, "cannot read the file's size: %s", strerror(errno));
    else if (!S_ISREG(sb.st_mode))
        st = err_set(err, ST_IO, "not a regular file");
    else if (sb.st_size < 24)
        st = err_set(err, ST_FORMAT, "expected a GGUF header of 24 bytes, found a file of %lld",
                     (long long)sb.st_size);
    if (st == ST_OK) {
        void *data = mmap(NULL, (size_t)sb.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (data == MAP_FAILED)
            st = err_set(err, ST_IO, "cannot map %lld bytes: %s", (long long)sb.st_size,
                         strerror(errno));
        else
            *shard = (struct shard){.data = data,
                                    .bytes = (size_t)sb.st_size,
                                    .modified = nanoseconds(&sb.st_mtim),
                                    .mapped = true};
    }
    close(fd);
    return st;
}

struct header {
    uint32_t version;
    uint64_t n_tensors, n_kv;
};

static enum status header_read(struct gguf_cursor *c, struct header *h, struct err *err)
{
    uint32_t magic;
    TRY(cursor_u32(c, &magic, "magic", err));
    TRY(cursor_u32(c, &h->version, "version", err));
    /* Writers swap the bytes of the version, and some those of the magic. */
    if (magic == 0x47475546 || (magic == 0x46554747 && h->version && !(h->version & 0xffff)))
        return err_set(err, ST_SUPPORT,
                       "version: the file is big-endian, expected a little-endian one");
    if (magic != 0x46554747)
        return err_set(err, ST_FORMAT, "magic: expected \"GGUF\", found 0x%08x", magic);
    if (h->version != 2 && h->version != 3)
        return err_set(err, ST_SUPPORT, "version: expected 2 or 3, found %u", h->version);
    TRY(cursor_u64(c, &h->n_tensors, "tensor count", err));
    TRY(cursor_u64(c, &h->n_kv, "metadata count", err));
    /* The smallest tensor entry takes 32 bytes, the smallest pair 13: a count that cannot fit is
     * refused before anything is allocated for it. */
    if (h->n_tensors > (c->size - c->at) / 32)
        return err_set(err, ST_FORMAT, "tensor count: %llu entries cannot fit in %zu bytes",
                       (unsigned long long)h->n_tensors, c->size);
    if (h->n_kv > (c->size - c->at) / 13)
        return err_set(err, ST_FORMAT, "metadata count: %llu pairs cannot fit in %zu bytes",
                       (unsigned long long)h->n_kv, c->size);
    return ST_OK;
}

static int kv_by_key(const void *a, const void *b)
{
    const struct gguf_str *x = &(*(const struct gguf_kv *const *)a)->key;
    const struct gguf_str *y = &(*(const struct gguf_kv *const *)b)->key;
    int order = memcmp(x->s, y->s, x->n < y->n ? x->n : y->n);
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

static enum status kv_check_unique(const struct gguf *g, struct err *err)
{
    if (g->n_kv < 2) return ST_OK;
    const struct gguf_kv **sorted = malloc(g->n_kv * sizeof *sorted);
    if (!sorted) return err_memory(err, "the order of %zu metadata keys", g->n_kv);
    for (size_t i = 0; i < g->n_kv; i++) sorted[i] = &g->kv[i];
    qsort(sorted, g->n_kv, sizeof *sorted, kv_by_key);
    enum status st = ST_OK;
    for (size_t i = 1; i < g->n_kv && st == ST_OK; i++)
        if (!kv_by_key(&sorted[i - 1], &sorted[i]))
            st = err_set(err, ST_FORMAT, "%.*s: the key appears twice",
                         (int)(sorted[i]->key.n < 100 ? sorted[i]->key.n : 100), sorted[i]->key.s);
    free(sorted);
    return st;
}

static enum status kv_read_all(struct gguf *g, struct gguf_cursor *c, uint64_t n, struct err *err)
{
    g->kv = calloc(n ? n : 1, sizeof *g->kv);
    if (!g->kv) return err_memory(err, "%llu pairs of metadata", (unsigned long long)n);
    for (; g->n_kv < n; g->n_kv++) TRY(cursor_kv(c, &g->kv[g->n_kv], err));
    return kv_check_unique(g, err);
}

static bool key_is(const struct gguf_kv *kv, const char *key)
{
    return kv->key.n == strlen(key) && !memcmp(kv->key.s, key, kv->key.n);
}

/* Step over the metadata of a later shard of a split model: of it only the alignment matters, and
 * that it is the shard its name says. */
static enum status kv_skip_all(struct gguf_cursor *c, uint64_t n, int shard, uint32_t *align,
                               struct err *err)
{
    for (uint64_t i = 0; i < n; i++) {
        struct gguf_kv kv;
        TRY(cursor_kv(c, &kv, err));
        if (key_is(&kv, "general.alignment") && kv.type == GGUF_U32)
            *align = (uint32_t)gguf_i64_at(&kv, 0);
        if (key_is(&kv, "split.no") && kv.type != GGUF_STRING && kv.type != GGUF_ARRAY &&
            gguf_i64_at(&kv, 0) != shard)
            return err_set(err, ST_FORMAT, "split.no: expected %d, found %lld", shard,
                           (long long)gguf_i64_at(&kv, 0));
    }
    return ST_OK;
}

/* A type that nobody here knows leaves the size open; what needs the weights refuses it. */
static enum status tensor_sizes(struct gguf_tensor *t, struct err *err)
{
    const struct quant_info *info = quant_known(t->type);
    if (info)
        snprintf(t->type_name, sizeof t->type_name, "%s", info->name);
    else
        snprintf(t->type_name, sizeof t->type_name, "type %u", t->type);
    uint64_t rows = 1;
    for (int i = 0; i < GGUF_DIMS_MAX; i++) {
        if (!t->dims[i] || t->dims[i] > INT32_MAX)
            return err_set(err, ST_FORMAT,
                           "tensor %s: dimension %d: expected 1 to 2^31-1, found %llu", t->name, i,
                           (unsigned long long)t->dims[i]);
        if (i && __builtin_mul_overflow(rows, t->dims[i], &rows))
            return err_set(err, ST_FORMAT, "tensor %s: dimensions overflow", t->name);
    }
    if (!info || !info->block) return ST_OK;
    if (t->dims[0] % info->block)
        return err_set(err, ST_FORMAT,
                       "tensor %s: rows of %llu weights, expected a multiple of %u for %s", t->name,
                       (unsigned long long)t->dims[0], info->block, info->name);
    if (__builtin_mul_overflow(quant_row_bytes(t->type, t->dims[0]), rows, &t->bytes))
        return err_set(err, ST_FORMAT, "tensor %s: size overflows", t->name);
    return ST_OK;
}

/* Read one tensor entry; `data` becomes the offset until the data section's start is known. */
static enum status tensor_read(struct gguf_cursor *c, struct gguf_tensor *t, uint64_t *offset,
                               struct err *err)
{
    struct gguf_str name;
    TRY(cursor_str(c, &name, "tensor name", err));
    if (!name.n || name.n >= GGUF_NAME_MAX || memchr(name.s, 0, name.n))
        return err_set(err, ST_FORMAT, "tensor name: expected 1 to %d bytes without NUL, found %zu",
                       GGUF_NAME_MAX - 1, name.n);
    memcpy(t->name, name.s, name.n);
    uint32_t n_dims;
    TRY(cursor_u32(c, &n_dims, t->name, err));
    if (!n_dims || n_dims > GGUF_DIMS_MAX)
        return err_set(err, ST_FORMAT, "tensor %s: expected 1 to %d dimensions, found %u", t->name,
                       GGUF_DIMS_MAX, n_dims);
    t->n_dims = (int)n_dims;
    for (uint32_t i = 0; i < GGUF_DIMS_MAX; i++) t->dims[i] = 1;
    for (uint32_t i = 0; i < n_dims; i++) TRY(cursor_u64(c, &t->dims[i], t->name, err));
    TRY(cursor_u32(c, &t->type, t->name, err));
    TRY(cursor_u64(c, offset, t->name, err));
    return tensor_sizes(t, err);
}

static enum status tensors_place(const struct gguf_cursor *c, struct gguf_tensor *t,
                                 const uint64_t *offset, uint64_t n, uint32_t align,
                                 struct err *err)
{
    if (align < 8 || align > 1 << 20 || (align & (align - 1)))
        return err_set(err, ST_FORMAT,
                       "general.alignment: expected a power of two from 8 to 1048576, found %u",
                       align);
    uint64_t start = ((uint64_t)c->at + align - 1) & ~(uint64_t)(align - 1);
    uint64_t room = start < c->size ? c->size - start : 0;
    for (uint64_t i = 0; i < n; i++) {
        if (offset[i] % align)
            return err_set(err, ST_FORMAT,
                           "tensor %s: offset %llu is no multiple of the alignment %u", t[i].name,
                           (unsigned long long)offset[i], align);
        if (offset[i] > room || t[i].bytes > room - offset[i])
            return err_set(
                err, ST_FORMAT,
                "tensor %s: %zu bytes at offset %llu pass the end of the file (%llu bytes "
                "of data; is the file cut short?)",
                t[i].name, t[i].bytes, (unsigned long long)offset[i], (unsigned long long)room);
        t[i].data = c->data + start + offset[i];
    }
    return ST_OK;
}

static enum status tensors_read(struct gguf *g, struct gguf_cursor *c, uint64_t n, uint32_t align,
                                int shard, struct err *err)
{
    struct gguf_tensor *all = realloc(g->tensors, (g->n_tensors + n + 1) * sizeof *all);
    uint64_t *offset = malloc((n + 1) * sizeof *offset);
    enum status st = ST_OK;
    if (all) g->tensors = all;
    if (!all || !offset) {
        st = err_memory(err, "%llu tensors", (unsigned long long)n);
        goto out;
    }
    struct gguf_tensor *mine = all + g->n_tensors;
    for (uint64_t i = 0; i < n; i++) { /* entry by entry: a false count touches no memory */
        mine[i] = (struct gguf_tensor){.shard = shard};
        st = tensor_read(c, &mine[i], &offset[i], err);
        if (st != ST_OK) goto out;
    }
    st = tensors_place(c, mine, offset, n, align, err);
    if (st == ST_OK) g->n_tensors += n;
out:
    free(offset);
    return st;
}

static enum status shard_read(struct gguf *g, int shard, struct err *err)
{
    struct gguf_cursor c = {.data = g->shards[shard].data, .size = g->shards[shard].bytes};
    struct header h;
    uint32_t align = 32;
    TRY(header_read(&c, &h, err));
    if (shard == 0) {
        g->version = h.version;
        TRY(kv_read_all(g, &c, h.n_kv, err));
        TRY(gguf_read_u32(g, "general.alignment", false, &align, err));
    } else {
        TRY(kv_skip_all(&c, h.n_kv, shard, &align, err));
    }
    TRY(tensors_read(g, &c, h.n_tensors, align, shard, err));
    g->shards[shard].head = c.at;
    return ST_OK;
}

/* ---- the whole model --------------------------------------------------------------------- */

static enum status tensors_index(struct gguf *g, struct err *err)
{
    g->n_slots = 16;
    while (g->n_slots < 2 * g->n_tensors) g->n_slots *= 2;
    g->tensor_slots = calloc(g->n_slots, sizeof *g->tensor_slots);
    if (!g->tensor_slots) return err_memory(err, "the index of %zu tensors", g->n_tensors);
    for (size_t i = 0; i < g->n_tensors; i++) {
        size_t at = name_hash(g->tensors[i].name) & (g->n_slots - 1);
        for (; g->tensor_slots[at]; at = (at + 1) & (g->n_slots - 1))
            if (!strcmp(g->tensors[g->tensor_slots[at] - 1].name, g->tensors[i].name))
                return err_set(err, ST_FORMAT, "tensor %s: the name appears twice",
                               g->tensors[i].name);
        g->tensor_slots[at] = (uint32_t)i + 1;
    }
    return ST_OK;
}

/* Write the path of shard `i` (from 0) of a split model whose first shard is g->path. */
static enum status shard_path(const struct gguf *g, int i, int count, char *out, size_t max,
                              struct err *err)
{
    char suffix[32];
    snprintf(suffix, sizeof suffix, "-00001-of-%05d.gguf", count);
    size_t len = strlen(g->path), tail = strlen(suffix);
    if (len < tail || strcmp(g->path + len - tail, suffix))
        return err_set(err, ST_FORMAT,
                       "split.count: the model has %d shards, expected a file name that ends in "
                       "\"%s\"; open the first shard",
                       count, suffix);
    if (len >= max) return err_set(err, ST_ARG, "the path is longer than %zu bytes", max - 1);
    snprintf(out, max, "%.*s-%05d-of-%05d.gguf", (int)(len - tail), g->path, i + 1, count);
    return ST_OK;
}

static enum status later_shards_open(struct gguf *g, struct err *err)
{
    uint32_t count = 1, number = 0;
    TRY(gguf_read_u32(g, "split.count", false, &count, err));
    TRY(gguf_read_u32(g, "split.no", false, &number, err));
    if (count <= 1) return ST_OK;
    if (count > SHARDS_MAX)
        return err_set(err, ST_FORMAT, "split.count: expected at most %d, found %u", SHARDS_MAX,
                       count);
    if (number != 0)
        return err_set(err, ST_ARG, "split.no: this is shard %u of %u; open the first shard",
                       number + 1, count);
    struct shard *shards = realloc(g->shards, count * sizeof *shards);
    if (!shards) return err_memory(err, "%u shards", count);
    g->shards = shards;
    for (uint32_t i = 1; i < count; i++) {
        char path[4096];
        TRY(shard_path(g, (int)i, (int)count, path, sizeof path, err));
        enum status st = shard_map(path, &g->shards[i], err);
        if (st == ST_OK) {
            g->n_shards++;
            st = shard_read(g, (int)i, err);
        }
        if (st != ST_OK) return err_prefix(err, st, path);
    }
    return ST_OK;
}

static enum status open_shards(struct gguf *g, struct shard first, bool splits, struct err *err)
{
    g->shards = malloc(sizeof *g->shards);
    if (!g->shards) return err_memory(err, "a shard");
    g->shards[0] = first;
    g->n_shards = 1;
    TRY(shard_read(g, 0, err));
    if (splits) TRY(later_shards_open(g, err));
    return tensors_index(g, err);
}

static enum status open_named(const char *path, struct shard first, bool splits, struct gguf **out,
                              struct err *err)
{
    struct gguf *g = calloc(1, sizeof *g);
    enum status st;
    if (!g || !(g->path = strdup(path)))
        st = err_memory(err, "the description of a file");
    else
        st = open_shards(g, first, splits, err);
    if (st == ST_OK) {
        *out = g;
        return ST_OK;
    }
    if (first.mapped && !(g && g->shards)) munmap((void *)first.data, first.bytes);
    gguf_close(g);
    return err_prefix(err, st, path);
}

enum status gguf_open(const char *path, struct gguf **out, struct err *err)
{
    struct shard first;
    enum status st = shard_map(path, &first, err);
    if (st != ST_OK) return err_prefix(err, st, path);
    return open_named(path, first, true, out, err);
}

enum status gguf_open_memory(const void *data, size_t bytes, struct gguf **out, struct err *err)
{
    return open_named("(memory)", (struct shard){.data = data, .bytes = bytes}, false, out, err);
}

void gguf_close(struct gguf *g)
{
    if (!g) return;
    for (int i = 0; i < g->n_shards; i++)
        if (g->shards[i].mapped) munmap((void *)g->shards[i].data, g->shards[i].bytes);
    free(g->shards);
    free(g->kv);
    free(g->tensors);
    free(g->tensor_slots);
    free(g->path);
    free(g);
}

void gguf_read_ahead(const struct gguf *g)
{
    for (int i = 0; i < g->n_shards; i++)
        if (g->shards[i].mapped)
            (void)madvise((void *)g->shards[i].data, g->shards[i].bytes, MADV_WILLNEED);
}

void gguf_release(const struct gguf *g)
{
    for (int i = 0; i < g->n_shards; i++)
        if (g->shards[i].mapped)
            (void)madvise((void *)g->shards[i].data, g->shards[i].bytes, MADV_DONTNEED);
}

/* ---- reading ----------------------------------------------------------------------------- */

uint32_t gguf_version(const struct gguf *g)
{
    return g->version;
}

size_t gguf_kv_count(const struct gguf *g)
{
    return g->n_kv;
}

const struct gguf_kv *gguf_kv_at(const struct gguf *g, size_t i)
{
    CHECK(i < g->n_kv);
    return &g->kv[i];
}

size_t gguf_tensor_count(const struct gguf *g)
{
    return g->n_tensors;
}

const struct gguf_tensor *gguf_tensor_at(const struct gguf *g, size_t i)
{
    CHECK(i < g->n_tensors);
    return &g->tensors[i];
}

int gguf_shard_count(const struct gguf *g)
{
    return g->n_shards;
}

struct gguf_shard gguf_shard_at(const struct gguf *g, int i)
{
    CHECK(i >= 0 && i < g->n_shards);
    const struct shard *p = &g->shards[i];
    return (struct gguf_shard){p->bytes, p->modified, hash_bytes(p->data, p->head)};
}

uint64_t gguf_file_bytes(const struct gguf *g)
{
    uint64_t sum = 0;
    for (int i = 0; i < g->n_shards; i++) sum += g->shards[i].bytes;
    return sum;
}

const char *gguf_path(const struct gguf *g)
{
    return g->path;
}

const struct gguf_kv *gguf_find(const struct gguf *g, const char *key)
{
    for (size_t i = 0; i < g->n_kv; i++)
        if (key_is(&g->kv[i], key)) return &g->kv[i];
    return NULL;
}

const struct gguf_tensor *gguf_find_tensor(const struct gguf *g, const char *name)
{
    for (size_t at = name_hash(name) & (g->n_slots - 1); g->tensor_slots[at];
         at = (at + 1) & (g->n_slots - 1)) {
        const struct gguf_tensor *t = &g->tensors[g->tensor_slots[at] - 1];
        if (!strcmp(t->name, name)) return t;
    }
    return NULL;
}

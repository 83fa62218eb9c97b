/* Packed weights in a file: that a mapped one computes what freshly packed ones do, and that
 * nothing which can befall the file or its folder gives other numbers or keeps a model shut. */
#include "program.h"

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "engine/local.h"
#include "kern/pack/pack.h"
#include "model/packfile.h"
#include "tiny.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { N = 6, PATH_MAX_HERE = TINY_PATH_MAX + 320, START = 1 << 16 };

/* A model in a folder, and beside it the folder in which its packed weights are kept. */
struct place {
    char folder[TINY_PATH_MAX], model[PATH_MAX_HERE], cache[PATH_MAX_HERE];
    char file[PATH_MAX_HERE]; /* of the packed weights, once there are some */
    float *expected;          /* [N][n_vocab]: logits without a cache */
    size_t bytes;             /* of them */
};

static struct tiny_spec spec_of(enum quant_type type)
{
    struct tiny_spec spec = tiny_spec("llama", type);
    spec.n_layer = 2;
    return spec;
}

/* The time of modification is long ago, `ns` nanoseconds past a second. */
static void set_time(const char *path, long ns)
{
    const struct timespec then[] = {{1000000000, ns}, {1000000000, ns}};
    assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
}

static void save_part(const struct tiny *t, int part, int parts, const char *path)
{
    char temp[TINY_PATH_MAX];
    struct tiny_image *image = tiny_write(t, part, parts);
    tiny_save(image->bytes.data, image->bytes.n, temp);
    tiny_image_free(image);
    assert_int_equal(rename(temp, path), 0);
    set_time(path, 1);
}

static void save(const struct tiny_spec *spec, const char *path)
{
    struct tiny *t = tiny_model(spec);
    save_part(t, 0, 1, path);
    tiny_free(t);
}

static struct model *open_with(const char *path, const char *cache)
{
    struct model *m = NULL;
    struct err err = {0};
    const struct model_options options = {.pack_cache = cache};
    if (model_open(path, &options, &m, &err) != ST_OK) fail_msg("%s", err.message);
    return m;
}

/* The caller frees them. */
static float *logits_of(const struct model *m, const struct kern *kern, size_t *bytes)
{
    const struct local_options options = {
        .kern = kern, .threads = 1, .n_ctx = N, .max_rows = N, .max_logits = N};
    struct row rows[N];
    struct engine *e = NULL;
    struct err err = {0};
    if (local_open(m, &options, &e, &err) != ST_OK) fail_msg("%s", err.message);
    for (int i = 0; i < N; i++) rows[i] = (struct row){0, i, 5 + 7 * i, true};
    if (engine_submit(e, rows, N, &err) != ST_OK) fail_msg("%s", err.message);
    const size_t row = (size_t)m->weights.n_vocab * sizeof(float);
    float *all = malloc(N * row);
    assert_non_null(all);
    for (int i = 0; i < N; i++)
        memcpy(all + (size_t)i * row / sizeof *all, local_logits(e, i), row);
    engine_close(e);
    *bytes = N * row;
    return all;
}

static void place_expect(struct place *p)
{
    struct model *m = open_with(p->model, NULL);
    assert_int_equal(m->pack, MODEL_PACK_NONE);
    free(p->expected);
    p->expected = logits_of(m, kern_best(), &p->bytes);
    model_close(m);
}

static void place_make_of(struct place *p, const struct tiny_spec *spec)
{
    *p = (struct place){.file = ""};
    tiny_folder(p->folder);
    snprintf(p->model, sizeof p->model, "%s/model.gguf", p->folder);
    snprintf(p->cache, sizeof p->cache, "%s/cache", p->folder);
    save(spec, p->model);
    place_expect(p);
}

static void place_make(struct place *p, enum quant_type type)
{
    const struct tiny_spec spec = spec_of(type);
    place_make_of(p, &spec);
}

/* Files in the folder; *path becomes that of one of them. */
static int list(const char *folder, char path[PATH_MAX_HERE])
{
    int n = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *d; dir && (d = readdir(dir));) {
        if (d->d_name[0] == '.') continue;
        n++;
        if (path) snprintf(path, PATH_MAX_HERE, "%.512s/%.255s", folder, d->d_name);
    }
    if (dir) closedir(dir);
    return n;
}

static void clear(const char *folder)
{
    char path[PATH_MAX_HERE];
    while (list(folder, path))
        if (unlink(path) && rmdir(path)) clear(path);
    rmdir(folder);
}

static void place_remove(struct place *p)
{
    clear(p->folder);
    free(p->expected);
}

/* Open; expect this to become of the cache, and logits as without one. */
static void opens(const struct place *p, enum model_pack pack, const char *after)
{
    size_t bytes;
    struct model *m = open_with(p->model, p->cache);
    if (m->pack != pack)
        fail_msg("%s: expected %d, found %d: %s", after, pack, m->pack, m->pack_fault.message);
    assert_true(m->weights.packed && m->weights.panels.capacity > 0);
    float *logits = logits_of(m, kern_best(), &bytes);
    assert_int_equal(bytes, p->bytes);
    if (memcmp(logits, p->expected, bytes)) fail_msg("%s: logits differ", after);
    free(logits);
    model_close(m);
}

/* The first opening writes the file. */
static void place_fill(struct place *p)
{
    opens(p, MODEL_PACK_WRITTEN, "nothing");
    assert_int_equal(list(p->cache, p->file), 1);
}

/* What is wrong with the file is found, the file replaced, and the next one mapped. */
static void recovers(const struct place *p, const char *after)
{
    opens(p, MODEL_PACK_WRITTEN, after);
    opens(p, MODEL_PACK_MAPPED, after);
    if (list(p->cache, NULL) != 1) fail_msg("%s: more than one file is left", after);
}

/* As above, but it cannot be replaced, for a reason that is given. */
static void opens_unwritten(const struct place *p, const char *reason)
{
    struct model *m = open_with(p->model, p->cache);
    const char *message = m->pack_fault.message;
    if (m->pack != MODEL_PACK_UNWRITTEN || !strstr(message, p->cache) || !strstr(message, reason))
        fail_msg("expected %s and %s, found %d: %s", p->cache, reason, m->pack, message);
    model_close(m);
    opens(p, MODEL_PACK_UNWRITTEN, reason);
}

/* ---- what is written and mapped ------------------------------------------------------------ */

static void check_levels(const struct place *p)
{
    struct model *fresh = open_with(p->model, NULL), *mapped = open_with(p->model, p->cache);
    assert_int_equal(mapped->pack, MODEL_PACK_MAPPED);
    assert_int_equal(mapped->weights.panels.capacity, fresh->weights.panels.capacity);
    assert_memory_equal(mapped->weights.panels.base, fresh->weights.panels.base,
                        fresh->weights.panels.capacity);
    for (int level = 0; level < KERN_LEVEL_COUNT; level++) {
        const struct kern *kern = kern_table((enum kern_level)level);
        size_t n = 0;
        if (!kern) continue;
        float *a = logits_of(fresh, kern, &n), *b = logits_of(mapped, kern, &n);
        assert_memory_equal(a, b, n);
        free(a);
        free(b);
    }
    model_close(fresh);
    model_close(mapped);
}

static void test_mapped_is_packed(void **state)
{
    (void)state;
    for (int i = 0; tiny_types[i] != QT_LIMIT; i++) {
        struct place p;
        place_make(&p, tiny_types[i]);
        place_fill(&p);
        opens(&p, MODEL_PACK_MAPPED, "writing");
        check_levels(&p);
        place_remove(&p);
    }
}

/* Parts of one matrix are packed apart, and what is not a matrix comes from the model's file. */
static void test_fused_is_packed_in_parts(void **state)
{
    (void)state;
    static const enum quant_type types[] = {QT_F32, QT_Q4_0, QT_Q6_K};
    for (int i = 0; i < 3; i++) {
        struct tiny_spec spec = spec_of(types[i]);
        struct place p;
        spec.fused = spec.scales = spec.qkv_bias = spec.output_bias = true;
        place_make_of(&p, &spec);
        place_fill(&p);
        opens(&p, MODEL_PACK_MAPPED, "writing");
        check_levels(&p);
        place_remove(&p);
    }
}

/* Stacks of matrices, whose last panels are filled up one by one. */
static void test_experts_are_packed_one_by_one(void **state)
{
    (void)state;
    static const enum quant_type types[] = {QT_F16, QT_Q8_0, QT_Q4_K};
    for (int i = 0; i < 3; i++) {
        struct tiny_spec spec = tiny_spec("qwen3moe", types[i]);
        struct place p;
        if (types[i] == QT_F16) spec.d_ff = 37;
        place_make_of(&p, &spec);
        place_fill(&p);
        opens(&p, MODEL_PACK_MAPPED, "writing");
        check_levels(&p);
        place_remove(&p);
    }
}

static void test_name_and_length(void **state)
{
    (void)state;
    struct place p;
    struct stat sb;
    unsigned long long key;
    int n = 0;
    place_make(&p, QT_Q4_0);
    place_fill(&p);
    const char *name = strrchr(p.file, '/') + 1;
    assert_int_equal(sscanf(name, "model-%16llx.eadpack%n", &key, &n), 1);
    assert_int_equal(n, strlen("model-") + 16 + strlen(".eadpack"));
    assert_int_equal(strlen(name), n);
    struct model *m = open_with(p.model, p.cache);
    assert_int_equal(stat(p.file, &sb), 0);
    assert_int_equal(sb.st_size, START + m->weights.panels.capacity);
    model_close(m);
    place_remove(&p);
}

/* Where there is no memory to pack in, the file is written panel by panel: the same file. */
static void check_packed_into_the_file(const struct tiny_spec *spec)
{
    struct place p;
    struct weights bare;
    struct packfile *file = NULL;
    struct err err = {0};
    place_make_of(&p, spec);
    struct model *fresh = open_with(p.model, NULL);
    assert_int_equal(weights_bind(fresh->gguf, &fresh->config, &bare, &err), ST_OK);
    assert_int_equal(packfile_open(p.cache, fresh->gguf, &bare, &file, &err), ST_OK);
    assert_int_equal(packfile_write(file, &bare, &err), ST_OK);
    assert_false(bare.packed);
    assert_true(packfile_map(file, &bare));
    assert_int_equal(bare.panels.capacity, fresh->weights.panels.capacity);
    assert_memory_equal(bare.panels.base, fresh->weights.panels.base, bare.panels.capacity);
    packfile_close(file);
    weights_deinit(&bare);
    model_close(fresh);
    opens(&p, MODEL_PACK_MAPPED, "packing into the file");
    place_remove(&p);
}

static void test_packed_into_the_file(void **state)
{
    (void)state;
    struct tiny_spec mixture = tiny_spec("qwen3moe", QT_F16);
    mixture.d_ff = 37;
    check_packed_into_the_file(&mixture);
    for (int i = 0; tiny_types[i] != QT_LIMIT; i++) {
        const struct tiny_spec spec = spec_of(tiny_types[i]);
        check_packed_into_the_file(&spec);
    }
}

/* Without weights there is no cache. */
static void test_nothing_to_keep(void **state)
{
    (void)state;
    struct place p;
    place_make(&p, QT_Q4_0);
    const struct model_options options = {.vocab_only = true, .pack_cache = p.cache};
    struct model *m = NULL;
    assert_int_equal(model_open(p.model, &options, &m, NULL), ST_OK);
    assert_true(m->pack == MODEL_PACK_NONE && !m->weights.packed);
    assert_int_equal(access(p.cache, F_OK), -1);
    model_close(m);
    place_remove(&p);
}

/* The name of the file may be long, that of the packed weights then is cut. */
static void test_long_name(void **state)
{
    (void)state;
    struct place p;
    char path[PATH_MAX_HERE];
    place_make(&p, QT_Q4_0);
    snprintf(path, sizeof path, "%s/%0245d.gguf", p.folder, 0);
    assert_int_equal(rename(p.model, path), 0);
    memcpy(p.model, path, sizeof path);
    place_fill(&p);
    opens(&p, MODEL_PACK_MAPPED, "writing");
    place_remove(&p);
}

/* The hash of all types, packed: a change here is a change of meaning, for which PACK_LAYOUT is to
 * be raised, or files of another version would be misread. */
static void test_layout_stays(void **state)
{
    (void)state;
    enum { ROWS = 40, COLS = 512 };
    uint64_t all[QT_LIMIT] = {0};
    for (int i = 0; tiny_types[i] != QT_LIMIT; i++) {
        const enum quant_type type = tiny_types[i];
        const size_t row = quant_row_bytes(type, COLS), panel = pack_panel_bytes(type, COLS);
        const size_t panels = (size_t)pack_panels(ROWS);
        uint8_t *data = malloc(ROWS * row), *packed = malloc(panels * panel);
        uint64_t rng = 1;
        for (size_t k = 0; k < ROWS * row; k++) data[k] = (uint8_t)rng_bits(&rng);
        const struct kern_weight w = {
            .type = type, .rows = ROWS, .cols = COLS, .row_bytes = row, .data = data};
        pack_panels_write(&w, 0, (int)panels, packed);
        all[type] = hash_bytes(packed, panels * panel);
        free(data);
        free(packed);
    }
    assert_int_equal(PACK_LAYOUT, 2);
    assert_int_equal(hash_bytes(all, sizeof all), 0xcb32477830294ba6);
}

/* ---- damage -------------------------------------------------------------------------------- */

static void test_wrong_length(void **state)
{
    (void)state;
    struct place p;
    struct stat sb;
    place_make(&p, QT_Q4_0);
    place_fill(&p);
    assert_int_equal(stat(p.file, &sb), 0);
    const off_t end = sb.st_size;
    const off_t lengths[] = {0,          1,       8,       100,     START - 1,  START,
                             START + 64, end / 2, end - 1, end + 1, end + START};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char after[64];
        snprintf(after, sizeof after, "length %lld", (long long)lengths[i]);
        assert_int_equal(truncate(p.file, lengths[i]), 0);
        recovers(&p, after);
    }
    place_remove(&p);
}

/* One bit in every word of the head: 7 fixed, 3 of the part, 5 of each of 15 matrices. */
static void test_flipped_bits(void **state)
{
    (void)state;
    enum { WORDS = 7 + 3 + 5 * (1 + 2 * 7) };
    struct place p;
    place_make(&p, QT_Q4_0);
    place_fill(&p);
    for (int i = 0; i < WORDS; i++) {
        char after[64];
        uint8_t byte;
        const off_t at = 8 * i + i % 8;
        int fd = open(p.file, O_RDWR);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= (uint8_t)(1 << i % 7);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
        snprintf(after, sizeof after, "a bit at %lld", (long long)at);
        recovers(&p, after);
    }
    place_remove(&p);
}

static void fill_panels(const char *path, int byte)
{
    struct stat sb;
    uint64_t rng = 3;
    FILE *file = fopen(path, "r+b");
    assert_int_equal(fstat(fileno(file), &sb), 0);
    assert_int_equal(fseek(file, START, SEEK_SET), 0);
    for (off_t i = START; i < sb.st_size; i++)
        fputc(byte < 0 ? (int)(rng_bits(&rng) & 255) : byte, file);
    assert_int_equal(fclose(file), 0);
}

/* Wrong weights are not noticed. They give wrong numbers, or none, and do nothing else. */
static void test_damaged_panels(void **state)
{
    (void)state;
    for (int i = 0; tiny_types[i] != QT_LIMIT; i++)
        for (int byte = -1; byte < 256; byte += 256) { /* -1: random ones */
            struct place p;
            place_make(&p, tiny_types[i]);
            place_fill(&p);
            fill_panels(p.file, byte);
            struct model *m = open_with(p.model, p.cache);
            assert_int_equal(m->pack, MODEL_PACK_MAPPED);
            for (int level = 0; level < KERN_LEVEL_COUNT; level++) {
                const struct kern *kern = kern_table((enum kern_level)level);
                size_t n;
                if (kern) free(logits_of(m, kern, &n));
            }
            model_close(m);
            place_remove(&p);
        }
}

static void test_something_else(void **state)
{
    (void)state;
    struct place p;
    place_make(&p, QT_Q4_0);
    place_fill(&p);
    assert_int_equal(unlink(p.file), 0);
    assert_int_equal(mkfifo(p.file, 0600), 0); /* waits for a writer if it is opened carelessly */
    recovers(&p, "a pipe");
    assert_int_equal(unlink(p.file), 0);
    assert_int_equal(symlink("nowhere", p.file), 0);
    recovers(&p, "a broken link");
    place_remove(&p);
}

/* ---- other models -------------------------------------------------------------------------- */

static void test_changed_model(void **state)
{
    (void)state;
    struct place p;
    struct tiny_spec spec = spec_of(QT_Q4_0);
    place_make(&p, QT_Q4_0);
    place_fill(&p);
    set_time(p.model, 2); /* a nanosecond later */
    recovers(&p, "another time");
    spec.seed++;
    save(&spec, p.model);
    place_expect(&p);
    recovers(&p, "other weights");
    struct tiny *t = tiny_model(&spec); /* same weights, time and size; other metadata */
    tiny_set_f32(t, "llama.rope.freq_base", 20000);
    save_part(t, 0, 1, p.model);
    tiny_free(t);
    place_expect(&p);
    recovers(&p, "other metadata");
    place_remove(&p);
}

static void test_models_of_one_name(void **state)
{
    (void)state;
    struct place a, b;
    struct tiny_spec spec = spec_of(QT_Q4_0);
    spec.seed += 5;
    place_make(&a, QT_Q4_0);
    place_make(&b, QT_Q4_0);
    save(&spec, b.model);
    set_time(b.model, 3);
    place_expect(&b);
    memcpy(b.cache, a.cache, sizeof b.cache);
    place_fill(&a);
    opens(&b, MODEL_PACK_WRITTEN, "another of its name");
    assert_int_equal(list(a.cache, NULL), 2);
    opens(&a, MODEL_PACK_MAPPED, "another of its name");
    opens(&b, MODEL_PACK_MAPPED, "another of its name");

    char path[PATH_MAX_HERE]; /* that of b in the place of a's */
    assert_int_equal(unlink(a.file), 0);
    assert_int_equal(list(a.cache, path), 1);
    assert_int_equal(rename(path, a.file), 0);
    recovers(&a, "another's file");
    place_remove(&b);
    place_remove(&a);
}

static void test_split_model(void **state)
{
    (void)state;
    struct place p;
    char last[PATH_MAX_HERE];
    const struct tiny_spec spec = spec_of(QT_Q8_0);
    struct tiny *t = tiny_model(&spec);
    place_make(&p, QT_Q8_0);
    snprintf(p.model, sizeof p.model, "%s/m-00001-of-00002.gguf", p.folder);
    snprintf(last, sizeof last, "%s/m-00002-of-00002.gguf", p.folder);
    save_part(t, 0, 2, p.model);
    save_part(t, 1, 2, last);
    place_fill(&p);
    opens(&p, MODEL_PACK_MAPPED, "writing");
    set_time(last, 9);
    recovers(&p, "another time of the second shard");
    tiny_free(t);
    place_remove(&p);
}

/* ---- writing ------------------------------------------------------------------------------- */

static void test_folders(void **state)
{
    (void)state;
    struct place p;
    place_make(&p, QT_Q4_0);
    snprintf(p.cache, sizeof p.cache, "%s/a/b", p.folder);
    opens_unwritten(&p, "No such file or directory"); /* one level is made, no more */
    snprintf(p.cache, sizeof p.cache, "%s/model.gguf", p.folder);
    opens_unwritten(&p, "Not a directory");
    snprintf(p.cache, sizeof p.cache, "%s/model.gguf/sub", p.folder);
    opens_unwritten(&p, "Not a directory");
    snprintf(p.cache, sizeof p.cache, "%s/closed", p.folder);
    assert_int_equal(mkdir(p.cache, 0500), 0);
    if (geteuid()) opens_unwritten(&p, "Permission denied");
    place_remove(&p);
}

static void test_name_is_taken(void **state)
{
    (void)state;
    struct place p;
    place_make(&p, QT_Q4_0);
    place_fill(&p);
    assert_int_equal(unlink(p.file), 0);
    assert_int_equal(mkdir(p.file, 0700), 0);
    opens_unwritten(&p, "cannot rename");
    assert_int_equal(list(p.cache, NULL), 1); /* the folder; nothing half written */
    place_remove(&p);
}

/* A limit on the size of files stands for a disk that is full at some byte. */
static void test_full_disk(void **state)
{
    (void)state;
    struct place p;
    struct stat sb;
    place_make(&p, QT_Q4_0);
    place_fill(&p);
    assert_int_equal(stat(p.file, &sb), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    struct rlimit old, low;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    const rlim_t lengths[] = {0, 10, START, START + 100, (rlim_t)sb.st_size - 1};
    assert_int_equal(truncate(p.file, 77), 0);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        low = (struct rlimit){lengths[i], old.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
        struct model *m = open_with(p.model, p.cache);
        const enum model_pack pack = m->pack;
        model_close(m);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(pack, MODEL_PACK_UNWRITTEN);
        assert_int_equal(list(p.cache, NULL), 1); /* what was there, */
        assert_int_equal(stat(p.file, &sb), 0);   /* as it was */
        assert_int_equal(sb.st_size, 77);
    }
    low = (struct rlimit){START + 100, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    opens_unwritten(&p, "File too large");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, handler);
    recovers(&p, "a full disk");
    place_remove(&p);
}

/* What a killed process left is swept up by the next that writes; what one is writing is not. */
static void test_leftovers(void **state)
{
    (void)state;
    struct place p;
    char left[PATH_MAX_HERE + 32], busy[PATH_MAX_HERE + 32];
    place_make(&p, QT_Q4_0);
    place_fill(&p);
    snprintf(left, sizeof left, "%s.1-2-3", p.file);
    snprintf(busy, sizeof busy, "%s.4-5-6", p.file);
    int fd = open(busy, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    close(open(left, O_WRONLY | O_CREAT, 0600));
    opens(&p, MODEL_PACK_MAPPED, "a leftover");
    assert_int_equal(list(p.cache, NULL), 3);
    set_time(p.model, 5);
    opens(&p, MODEL_PACK_WRITTEN, "a leftover");
    assert_int_equal(access(left, F_OK), -1);
    assert_int_equal(access(busy, F_OK), 0);
    close(fd);
    place_remove(&p);
}

static pid_t start_logits(const struct place *p, const char *out)
{
    const char *args[] = {"ead", "logits", "-m", p->model, "--ids",        "5,12,19,26,33,40",
                          "-o",  out,      "-t", "1",      "--pack-cache", p->cache,
                          NULL};
    pid_t child = fork();
    if (!child) {
        execv(EAD_PROGRAM, (char **)args);
        _exit(127);
    }
    return child;
}

static void check_output(const struct place *p, const char *path)
{
    size_t n;
    char *found = said_slurp(fopen(path, "rb"), &n);
    assert_int_equal(n, p->bytes);
    assert_memory_equal(found, p->expected, n);
    free(found);
}

static void test_processes_at_once(void **state)
{
    (void)state;
    enum { PROCESSES = 4, ROUNDS = 3 };
    struct place p;
    char out[PROCESSES][PATH_MAX_HERE];
    pid_t child[PROCESSES];
    place_make(&p, QT_Q4_K);
    for (int i = 0; i < PROCESSES; i++) snprintf(out[i], sizeof out[i], "%s/out-%d", p.folder, i);
    for (int round = 0; round < ROUNDS; round++) {
        set_time(p.model, round); /* what the last round wrote is stale */
        for (int i = 0; i < PROCESSES; i++) child[i] = start_logits(&p, out[i]);
        for (int i = 0; i < PROCESSES; i++) assert_int_equal(said_status(child[i]), 0);
        for (int i = 0; i < PROCESSES; i++) check_output(&p, out[i]);
        assert_int_equal(list(p.cache, NULL), 1);
        opens(&p, MODEL_PACK_MAPPED, "four processes");
    }
    place_remove(&p);
}

/* Who has mapped a file keeps what it mapped when another is put in its place. */
static void test_mapped_while_replaced(void **state)
{
    (void)state;
    struct place p;
    size_t bytes;
    place_make(&p, QT_Q4_0);
    place_fill(&p);
    struct model *m = open_with(p.model, p.cache);
    assert_int_equal(m->pack, MODEL_PACK_MAPPED);
    set_time(p.model, 8);
    recovers(&p, "another time");
    float *logits = logits_of(m, kern_best(), &bytes);
    assert_memory_equal(logits, p.expected, bytes);
    free(logits);
    model_close(m);
    place_remove(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mapped_is_packed),
        cmocka_unit_test(test_fused_is_packed_in_parts),
        cmocka_unit_test(test_experts_are_packed_one_by_one),
        cmocka_unit_test(test_name_and_length),
        cmocka_unit_test(test_packed_into_the_file),
        cmocka_unit_test(test_nothing_to_keep),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_layout_stays),
        cmocka_unit_test(test_wrong_length),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_damaged_panels),
        cmocka_unit_test(test_something_else),
        cmocka_unit_test(test_changed_model),
        cmocka_unit_test(test_models_of_one_name),
        cmocka_unit_test(test_split_model),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_name_is_taken),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_leftovers),
        cmocka_unit_test(test_processes_at_once),
        cmocka_unit_test(test_mapped_while_replaced),
    };
    if (!kern_best()->panels) {
        print_message("skipped: this machine packs no weights\n");
        return 77;
    }
    return cmocka_run_group_tests_name("packfile", tests, NULL, NULL);
}

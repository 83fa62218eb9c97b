/* Calibration: the search without any model, the profile as a file, and both as commands over tiny
 * models. */
#include "program.h"
#include "tiny.h"

#include "eval/file.h"
#include "eval/option.h"
#include "eval/profile.h"
#include "eval/risk.h"
#include "eval/search.h"
#include "eval/share.h"
#include "eval/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { PATHS = TINY_PATH_MAX + 64, PROBLEMS = 6 };

static char folder[TINY_PATH_MAX], large[PATHS], small[PATHS], data[PATHS], out[PATHS], work[PATHS];

/* ---- a folder that is a shipped pair ------------------------------------------------------- */

static void save_model(int layers, uint64_t seed, const char *path)
{
    char made[TINY_PATH_MAX];
    struct tiny_spec spec = tiny_spec("llama", QT_Q8_0);
    spec.n_ctx = 512;
    spec.n_layer = layers;
    spec.seed += seed;
    struct tiny *t = tiny_model(&spec);
    struct tiny_image *image = tiny_write(t, 0, 1);
    tiny_save(image->bytes.data, image->bytes.n, made);
    if (rename(made, path)) fail_msg("%s: %s", path, strerror(errno));
    tiny_image_free(image);
    tiny_free(t);
}

static void spill(const char *path, const char *text)
{
    FILE *to = fopen(path, "w");
    if (!to || fputs(text, to) < 0 || fclose(to)) fail_msg("%s: %s", path, strerror(errno));
}

static void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        char inner[2 * PATHS + 256];
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        remove_tree(inner);
    }
    if (d) closedir(d);
    remove(path);
}

static int set_up(void **state)
{
    (void)state;
    tiny_folder(folder);
    snprintf(large, sizeof large, "%s/large.gguf", folder);
    snprintf(small, sizeof small, "%s/small.gguf", folder);
    snprintf(data, sizeof data, "%s/data.jsonl", folder);
    snprintf(out, sizeof out, "%s/out.json", folder);
    snprintf(work, sizeof work, "%s/work", folder);
    save_model(2, 0, small);
    save_model(3, 1, large);
    FILE *to = fopen(data, "w");
    for (int i = 0; i < PROBLEMS; i++)
        fprintf(to,
                "{\"problem\":\"what is %d\",\"level\":\"Level 1\",\"type\":\"Algebra\","
                "\"solution\":\"\\\\boxed{%d}\"}\n",
                i, i);
    fclose(to);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_tree(folder);
    return 0;
}

/* ---- the search for a share ---------------------------------------------------------------- */

/* A pair of which all is known: the share falls with tau. */
static struct share_point pretend_share(double tau)
{
    return (struct share_point){.tau = tau, .share = tau > 4 ? 0 : exp(-3 * tau)};
}

static void assert_share(double wanted, double tau)
{
    static const double first[] = {0.05, 0.2, 0.5, 1};
    struct share_search s = {.wanted = wanted};
    int turn = 0;
    for (size_t i = sizeof first / sizeof *first; i-- > 0;) { /* any order, each once */
        const struct share_point p = pretend_share(first[i]);
        assert_true(share_add(&s, &p));
        assert_false(share_add(&s, &p));
    }
    for (double next; !isnan(next = share_next(&s));) {
        const struct share_point p = pretend_share(next);
        assert_true(share_add(&s, &p));
        assert_true(++turn < 40);
    }
    for (int i = 1; i < s.n; i++) assert_true(s.points[i - 1].tau < s.points[i].tau);
    const struct share_point *choice = share_choice(&s);
    assert_non_null(choice);
    if (!(fabs(choice->tau - tau) <= 0.03 * tau + 1e-9))
        fail_msg("share %g: expected tau %g, found %g", wanted, tau, choice->tau);
}

static void test_share(void **state)
{
    (void)state;
    assert_share(0.25, -log(0.25) / 3);
    assert_share(0.43, -log(0.43) / 3);
    assert_share(0.95, -log(0.95) / 3); /* below the first */
    assert_share(0.01, -log(0.01) / 3); /* above the last */
    assert_share(1, 0);
    struct share_search none = {.wanted = 1};
    assert_true(isnan(share_next(&none)));
    assert_null(share_choice(&none));
}

/* ---- the search by tries ------------------------------------------------------------------- */

/* Every row names an option of its policy, within the option's range, and no option twice
 * but for one that has another range beside a held word. */
static void test_knobs(void **state)
{
    (void)state;
    const struct knob *k;
    for (int i = 0; (k = knob_at(i)); i++) {
        const ead_policy_option *option = option_find(k->option);
        assert_non_null(option);
        assert_true(option_concerns(option, k->kind));
        for (int j = 0; j < i; j++)
            assert_false(knob_at(j)->kind == k->kind && !strcmp(knob_at(j)->option, k->option) &&
                         !k->with == !knob_at(j)->with);
        assert_true(!k->with || option_concerns(option_find(k->with), k->kind));
        if (k->scale == KNOB_WORDS) {
            assert_non_null(option->words);
            continue;
        }
        assert_true(k->low < k->high && k->low >= option->low && k->high <= option->high);
        assert_true(k->scale != KNOB_LOG || k->low > 0);
        ead_policy_options rule = ead_duo_defaults().policy;
        for (double place = 0; place <= 1; place += 0.125) {
            knob_turn(k, place, &rule);
            const double x = ead_policy_value(&rule, option), back = knob_place(k, &rule);
            assert_true(x >= k->low && x <= k->high);
            if (option->type == EAD_OPTION_REAL) assert_true(fabs(back - place) < 0.01);
        }
    }
}

/* What is said with a policy's name is held. */
static void test_knobs_held(void **state)
{
    (void)state;
    ead_policy_options rule = ead_duo_defaults().policy;
    const struct knob *knobs[KNOBS_MAX];
    rule.kind = EAD_POLICY_JUDGE;
    assert_int_equal(knobs_of("judge", &rule, knobs), 3);
    assert_int_equal(knobs_of("judge risk=0.5", &rule, knobs), 2); /* and not risk-sum */
    for (int i = 0; i < 2; i++) assert_string_not_equal(knobs[i]->option, "risk");
    assert_int_equal(knobs_of("judge risk-sum=1 slack=0", &rule, knobs), 1);
    rule.slack_by = EAD_SLACK_LEAD; /* another scale in place of the usual one */
    assert_int_equal(knobs_of("judge slack-by=lead", &rule, knobs), 3);
    assert_true(!strcmp(knobs[2]->option, "slack") && knobs[2]->scale == KNOB_LOG);
    assert_int_equal(knobs_of("judge slack-by=lead slack=0", &rule, knobs), 2);
    rule.kind = EAD_POLICY_SPECULATIVE;
    assert_int_equal(knobs_of("speculative", &rule, knobs), 2);
    rule.draft = EAD_DRAFT_SURVIVAL;
    assert_int_equal(knobs_of("speculative draft=survival", &rule, knobs), 3);
    rule.kind = EAD_POLICY_SMALL;
    assert_int_equal(knobs_of("small", &rule, knobs), 0);
}

/* Time falls with the first knob and so does what is kept, from 0.7 on; the second has its best
 * place at 0.3; others do nothing. */
static struct search_point pretend(const double place[KNOBS_MAX])
{
    struct search_point p = {.kept = place[0] < 0.7 ? 1 : 1 - (place[0] - 0.7),
                             .time = 1 - 0.8 * place[0] + (place[1] - 0.3) * (place[1] - 0.3)};
    memcpy(p.place, place, sizeof p.place);
    return p;
}

static struct search searched(enum search_target target, double wanted, int knobs, int tries)
{
    struct search s = {.target = target, .wanted = wanted, .knobs = knobs, .tries = tries};
    double place[KNOBS_MAX] = {0.1, 0.9, 0.5};
    while (s.n < tries) {
        search_next(&s, place);
        for (int j = 0; j < knobs; j++) assert_true(place[j] >= 0 && place[j] <= 1);
        const struct search_point p = pretend(place);
        search_add(&s, &p);
    }
    return s;
}

static void test_search(void **state)
{
    (void)state;
    const struct search s = searched(SEARCH_KEEP, 0.99, 3, 48);
    assert_true(s.points[0].place[0] == 0.1 && s.points[0].place[1] == 0.9);
    const struct search_point *best = &s.points[search_best(&s)];
    assert_true(best->kept >= 0.99 && best->time < 0.5); /* 0.432 is the least */
    const struct search again = searched(SEARCH_KEEP, 0.99, 3, 48);
    assert_memory_equal(s.points, again.points, sizeof s.points);
    const struct search fast = searched(SEARCH_SPEEDUP, 2.5, 3, 48);
    best = &fast.points[search_best(&fast)];
    assert_true(best->time <= 0.4 && best->kept > 0.93); /* 0.95 is the most */
    /* The first half leaves no corner out. */
    bool seen[4] = {false};
    for (int i = 1; i < 24; i++)
        seen[(s.points[i].place[0] > 0.5) + 2 * (s.points[i].place[1] > 0.5)] = true;
    for (int q = 0; q < 4; q++) assert_true(seen[q]);
}

static void test_search_ends(void **state)
{
    (void)state;
    const struct search_point slow = {.kept = 1, .time = 0.9}, fast = {.kept = 0.9, .time = 0.3},
                              worse = {.kept = 0.8, .time = 0.3};
    assert_true(search_prefers(SEARCH_KEEP, 0.95, &slow, &fast));
    assert_true(search_prefers(SEARCH_KEEP, 0.85, &fast, &slow));
    assert_true(search_prefers(SEARCH_KEEP, 0.7, &fast, &worse)); /* as fast, and better */
    assert_true(search_prefers(SEARCH_KEEP, 1.1, &slow, &fast));  /* nearer */
    assert_true(search_prefers(SEARCH_SPEEDUP, 3, &fast, &slow));
    assert_true(search_prefers(SEARCH_SPEEDUP, 1.1, &slow, &fast));
    assert_true(search_prefers(SEARCH_SPEEDUP, 9, &worse, &slow));
    assert_false(search_prefers(SEARCH_KEEP, 0.95, &slow, &slow));
    struct search none = {.target = SEARCH_KEEP, .wanted = 1};
    assert_int_equal(search_best(&none), -1);
}

static void test_sweep(void **state)
{
    (void)state;
    ead_error error;
    double taus[SWEEP_MAX];
    size_t n;
    char path[2 * PATHS];
    assert_int_equal(sweep_taus(folder, 5, taus, &n, &error), EAD_OK);
    assert_true(n >= 3); /* without traces: a fixed scale */
    snprintf(path, sizeof path, "%s/traces.jsonl", folder);
    FILE *to = fopen(path, "w");
    fputs("{\"setting\":\"large\",\"entropy\":[900]}\n{\"setting\":\"small\",\"entropy\":[0", to);
    for (int i = 1; i < 1000; i++) fprintf(to, ",%g", i / 100.0);
    fputs("]}\n", to);
    fclose(to);
    assert_int_equal(sweep_taus(folder, 1, taus, &n, &error), EAD_OK);
    assert_int_equal(n, SWEEP_MAX);
    assert_true(fabs(taus[1] - 5) < 0.11 && fabs(taus[5] - 9.2) < 0.11);
    for (size_t i = 1; i < n; i++) assert_true(taus[i - 1] < taus[i]);
    unlink(path);
}

/* ---- the profile --------------------------------------------------------------------------- */

#define MODEL "{\"name\":\"m.gguf\",\"parameters\":12,\"vocab\":34}"
#define PROFILE(policy)                                                                            \
    "{\"ead_profile\":1,\"policy\":" policy ",\"models\":{\"small\":" MODEL ",\"large\":" MODEL "}}"

static void test_profile_round(void **state)
{
    (void)state;
    ead_error error;
    struct profile back, p = {.policy = ead_duo_defaults().policy,
                              .models = {{"s.gguf", 1000, 50}, {"l\xff.gguf", 1u << 31, 50}},
                              .target = "keep",
                              .wanted = 0.967,
                              .accuracy = 0.5,
                              .kept = NAN,
                              .share = 0.25,
                              .time = NAN,
                              .data = "cal.jsonl",
                              .modelled = NAN,
                              .problems = 500};
    p.policy.tau = 0.123;
    p.policy.window = 7;
    p.policy.dwell = 3;
    p.policy.clear_window = true;
    assert_int_equal(profile_write(out, &p, &error), EAD_OK);
    assert_int_equal(profile_read(out, &back, &error), EAD_OK);
    assert_int_equal(back.policy.kind, EAD_POLICY_EAD);
    assert_true(back.policy.tau == 0.123 && back.policy.window == 7 && back.policy.dwell == 3);
    assert_true(back.policy.clear_window && !back.has_table && !profile_rule(&back).table);
    assert_true(back.models[EAD_LARGE].parameters == 1u << 31);
    assert_string_equal(back.models[EAD_SMALL].name, "s.gguf");
    json_t *json = json_load_file(out, 0, NULL);
    const json_t *measured = json_object_get(json, "measured");
    assert_null(json_object_get(measured, "kept"));
    assert_non_null(json_object_get(measured, "large_share"));
    json_decref(json);
    assert_int_equal(profile_write("/nowhere/p", &p, &error), EAD_IO);
    assert_non_null(strstr(error.message, "/nowhere/p"));
}

/* A size that is not known fits any. */
static void test_profile_of_unknown_sizes(void **state)
{
    (void)state;
    ead_error error;
    ead_model *model;
    if (ead_model_open(small, NULL, &model, &error)) fail_msg("%s", error.message);
    struct profile_model wanted = profile_model(model, small);
    assert_true(profile_fits(&wanted, model));
    wanted.parameters++;
    assert_false(profile_fits(&wanted, model));
    wanted.parameters = 0;
    assert_true(profile_fits(&wanted, model));
    wanted.vocab++;
    assert_false(profile_fits(&wanted, model));
    ead_model_close(model);
}

/* What is no regular file is written itself, and not replaced by one. */
static void test_profile_to_a_pipe(void **state)
{
    (void)state;
    ead_error error;
    char pipe[2 * PATHS], text[16] = "";
    const struct profile p = {.policy = ead_duo_defaults().policy, .target = "keep", .data = "d"};
    struct stat about;
    snprintf(pipe, sizeof pipe, "%s/pipe", folder);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    const int fd = open(pipe, O_RDWR);
    assert_int_equal(file_try(pipe, &error), EAD_OK);
    if (profile_write(pipe, &p, &error)) fail_msg("%s", error.message);
    assert_int_equal(stat(pipe, &about), 0);
    assert_true(S_ISFIFO(about.st_mode));
    assert_int_equal(read(fd, text, 1), 1);
    assert_string_equal(text, "{");
    close(fd);
    unlink(pipe);
}

static void refuse(const char *text, const char *expected)
{
    ead_error error;
    struct profile p;
    spill(out, text);
    assert_int_equal(profile_read(out, &p, &error), EAD_FORMAT);
    if (!strstr(error.message, expected) || !strstr(error.message, out))
        fail_msg("expected \"%s\" in: %s", expected, error.message);
}

static void test_profile_mark(void **state)
{
    (void)state;
    ead_error error;
    struct profile p;
    spill(out, "\xef\xbb\xbf" PROFILE("{\"tau\":0.5,\"window\":5,\"dwell\":1}"));
    if (profile_read(out, &p, &error)) fail_msg("%s", error.message);
    assert_true(p.policy.tau == 0.5 && p.policy.kind == EAD_POLICY_EAD);
}

static void test_bad_profiles(void **state)
{
    (void)state;
    ead_error error;
    struct profile p;
    assert_int_equal(profile_read("/nowhere/p", &p, &error), EAD_IO);
    assert_int_equal(profile_read(folder, &p, &error), EAD_IO);
    assert_non_null(strstr(error.message, "cannot read: Is a directory"));
    refuse("", "expected JSON");
    refuse("[]", "expected a JSON object");
    refuse("{}", "field \"ead_profile\": expected a whole number from 1 to 2, found none");
    refuse("{\"ead_profile\":3}", "found 3");
    refuse("{\"ead_profile\":1}", "field \"policy\": expected an object");
    refuse(PROFILE("{\"tau\":\"1\",\"window\":5,\"dwell\":10}"), "field \"tau\"");
    refuse(PROFILE("{\"tau\":1,\"window\":0,\"dwell\":10}"), "field \"window\"");
    refuse(PROFILE("{\"tau\":1,\"window\":5,\"dwell\":0}"), "field \"dwell\"");
    refuse("{\"ead_profile\":1,\"policy\":{\"tau\":1,\"window\":5,\"dwell\":1},\"models\":"
           "{\"small\":" MODEL ",\"large\":{\"name\":\"x\"}}}",
           "model \"large\": field \"parameters\"");
}

#define PROFILE2(policy)                                                                           \
    "{\"ead_profile\":2,\"policy\":" policy ",\"models\":{\"small\":" MODEL ",\"large\":" MODEL "}}"

/* Any policy, with all its options, words among them, and the table it goes by. */
static void test_profile_of_any_policy(void **state)
{
    (void)state;
    ead_error error;
    static struct profile back, p = {.target = "keep", .data = "d", .tries = 24, .has_table = true};
    p.policy = ead_duo_defaults().policy;
    p.policy.kind = EAD_POLICY_JUDGE;
    p.policy.slack = 0.25;
    p.policy.risk = INFINITY;
    p.policy.tau = 77; /* none of judge's */
    p.modelled = 0.3;
    p.small_cost = 0.25;
    p.table = (ead_risk){.n_classes = 2, .ids = {17}};
    for (int b = 0; b < EAD_RISK_BINS; b++) {
        if (b < EAD_RISK_BINS - 1) p.table.edges[b] = 0.125f * (float)b;
        p.table.risk[b][1] = 0.0625f * (float)b;
    }
    for (int w = 0; w < EAD_WRITERS; w++) p.models[w] = (struct profile_model){"m", 1, 2};
    assert_int_equal(profile_write(out, &p, &error), EAD_OK);
    if (profile_read(out, &back, &error)) fail_msg("%s", error.message);
    const ead_policy_options rule = profile_rule(&back);
    assert_int_equal(rule.kind, EAD_POLICY_JUDGE);
    assert_true(rule.slack == 0.25 && isinf(rule.risk) && rule.tau == 1);
    assert_ptr_equal(rule.table, &back.table);
    assert_memory_equal(back.table.edges, p.table.edges, sizeof p.table.edges);
    assert_memory_equal(back.table.risk, p.table.risk, sizeof p.table.risk);
    assert_true(back.table.n_classes == 2 && back.table.ids[0] == 17);
    p.policy.kind = EAD_POLICY_SPECULATIVE;
    p.policy.draft = EAD_DRAFT_HEURISTIC;
    p.has_table = false;
    assert_int_equal(profile_write(out, &p, &error), EAD_OK);
    assert_int_equal(profile_read(out, &back, &error), EAD_OK);
    assert_int_equal(back.policy.draft, EAD_DRAFT_HEURISTIC);
    spill(out, PROFILE2("{\"name\":\"speculative\"}")); /* the rest is standard */
    assert_int_equal(profile_read(out, &back, &error), EAD_OK);
    assert_int_equal(back.policy.draft, 0);
}

static void test_bad_profiles_of_any_policy(void **state)
{
    (void)state;
    refuse(PROFILE2("{\"tau\":1}"), "field \"name\"");
    refuse(PROFILE2("{\"name\":\"luck\"}"), "field \"name\": expected the name of a policy");
    refuse(PROFILE2("{\"name\":\"replay\"}"), "field \"name\"");
    refuse(PROFILE2("{\"name\":\"ead\",\"risk\":1}"),
           "field \"risk\": expected an option of policy ead");
    refuse(PROFILE2("{\"name\":\"ead\",\"start\":1}"), "field \"start\": expected small or large");
    refuse(PROFILE2("{\"name\":\"ead\",\"clear_window\":\"x\"}"), "field \"clear_window\"");
    refuse(PROFILE2("{\"name\":\"speculative\",\"draft\":\"x\"}"), "confidence or survival");
    refuse(PROFILE2("{\"name\":\"judge\"}"), "field \"table\": expected an object");
#define JUDGE(table) "{\"ead_profile\":2,\"policy\":{\"name\":\"judge\"},\"table\":{" table "}}"
#define EDGES        "\"edges\":[0,1,2,3,4,5,6,7,8,9,10]"
    refuse(JUDGE("\"edges\":[1]"), "table: field \"edges\"");
    refuse(JUDGE("\"edges\":[0,1,2,3,4,5,6,7,8,9,9]"), "field \"edges\"");
    refuse(JUDGE(EDGES), "table: field \"tokens\"");
    refuse(JUDGE(EDGES ",\"tokens\":[3,3]"), "field \"tokens\"");
    refuse(JUDGE(EDGES ",\"tokens\":[3],\"risk\":[[0,1]]"), "table: field \"risk\"");
    refuse(JUDGE(EDGES ",\"tokens\":[],\"risk\":[[0],[0],[0],[0],[0],[0],[0],[0],[0],[0],[0],[2]]"),
           "field \"risk\"");
}

/* ---- the table of risks -------------------------------------------------------------------- */

/* Drafts in judgements of four: the token 7 is refused half of the time where it is in doubt, all
 * others never; behind a refused one all would be. */
static struct drafts pretend_drafts(size_t n)
{
    struct drafts d = {0};
    for (size_t i = 0; i < n; i++) {
        ead_token t = {.judged = true, .id = 7, .entropy = (float)(i % 1000) / 500};
        bool refused = false;
        for (int k = 0; k < 4; k++) {
            const bool wrong = k == 1 && t.entropy > 1 && i / 1000 % 2;
            t.id = k == 1 ? 7 : 100 + (int)(i % 11);
            t.opinion = (ead_opinion){.max_p = 0.5f, .p = wrong ? 0.2f : refused ? 0 : 0.5f};
            refused |= wrong;
            assert_true(drafts_add(&d, i, &t));
        }
        assert_true(drafts_add(&d, i, &(ead_token){.writer = EAD_LARGE}));
    }
    return d;
}

static int class_of(const ead_risk *t, int32_t id)
{
    int c = 0;
    while (c < t->n_classes - 1 && t->ids[c] != id) c++;
    return c;
}

static void test_risk(void **state)
{
    (void)state;
    static ead_risk table;
    struct drafts d = pretend_drafts(20000);
    assert_int_equal(d.n, 80000);
    ead_policy_options rule = {.kind = EAD_POLICY_JUDGE, .slack = 0.5};
    assert_true(risk_count(&d, &rule, &table));
    for (int b = 1; b < EAD_RISK_BINS - 1; b++) assert_true(table.edges[b] > table.edges[b - 1]);
    assert_true(fabsf(table.edges[0] - 1) < 0.05f);
    const int seven = class_of(&table, 7), other = class_of(&table, 100);
    assert_int_equal(table.ids[seven], 7);
    assert_int_equal(table.n_classes, 13); /* 12 tokens, and what has no class */
    assert_true(fabsf(table.risk[6][seven] - 0.5f) < 0.1f);
    assert_true(table.risk[6][other] < 0.02f && table.risk[0][seven] < 0.02f);
    rule.slack = 0.7;
    assert_true(risk_count(&d, &rule, &table)); /* 0.2 of 0.5 is enough then */
    assert_true(table.risk[6][seven] < 0.02f);
    rule.slack_by = EAD_SLACK_LEAD;
    for (int i = 0; i < 2; i++) { /* a lead of 0.3 is too much, then it is not */
        rule.slack = i ? 0.31 : 0.29;
        assert_true(risk_count(&d, &rule, &table));
        assert_int_equal(table.risk[6][seven] < 0.02f, i);
    }
    rule.kind = EAD_POLICY_SPECULATIVE; /* which has no slack */
    assert_true(risk_count(&d, &rule, &table));
    assert_true(table.risk[6][seven] > 0.3f);
    drafts_free(&d);
    struct drafts none = {0};
    assert_false(risk_count(&none, &rule, &table));
    /* All alike, and only a few: edges rise all the same, and cells lean on the mean. */
    struct drafts few = {0};
    for (int i = 0; i < 10; i++)
        assert_true(
            drafts_add(&few, 0, &(ead_token){.judged = true, .id = 3, .opinion = {.max_p = 1}}));
    assert_true(risk_count(&few, &rule, &table));
    for (int b = 1; b < EAD_RISK_BINS - 1; b++) assert_true(table.edges[b] > table.edges[b - 1]);
    assert_true(table.risk[5][0] > 0 && table.risk[5][0] <= 1);
    drafts_free(&few);
}

/* What was kept for a table is read back; of a file of another version nothing is, and it is
 * measured again. */
static void test_drafts_kept(void **state)
{
    (void)state;
    ead_error error;
    struct drafts d = pretend_drafts(50), back;
    assert_int_equal(drafts_write(out, &d, &error), EAD_OK);
    assert_int_equal(drafts_read(out, &back, &error), EAD_OK);
    assert_int_equal(back.n, d.n);
    for (size_t i = 0; i < d.n; i++) {
        const struct draft *a = &d.list[i], *b = &back.list[i];
        assert_true(a->entropy == b->entropy && a->id == b->id && a->p == b->p &&
                    a->max_p == b->max_p && a->first == b->first);
    }
    drafts_free(&back);
    drafts_free(&d);
    spill(out, "{\"ead_drafts\": 1, \"drafts\": [[0.5, 7, 1, true]]}");
    assert_int_equal(drafts_read(out, &back, &error), EAD_OK);
    assert_int_equal(back.n, 0);
    spill(out, "{\"ead_drafts\": 2, \"drafts\": [[0.5, 7, 1, true]]}");
    assert_int_equal(drafts_read(out, &back, &error), EAD_FORMAT);
    assert_non_null(strstr(error.message, "two probabilities"));
}

/* Tokens that the large model wrote of 30. */
static int large_tokens(struct said said)
{
    const char *json = strchr(said.out, '{');
    json_t *report = NULL;
    for (; json && !report; json = strchr(json + 1, '{'))
        report = json_loads(json, JSON_DISABLE_EOF_CHECK, NULL);
    if (said.status || !report) fail_msg("%s%s", said.out, said.err);
    const json_t *model = json_object_get(report, "large");
    int n = (int)json_integer_value(json_object_get(model, "tokens"));
    json_decref(report);
    said_free(&said);
    return n;
}

#define RUN "run", "--raw", "-p", "a", "-n", "30", "--ignore-eos", "--json", "-"

static void test_run_profile(void **state)
{
    (void)state;
    char beside[2 * PATHS];
    spill(out, PROFILE("{\"tau\":-1,\"window\":5,\"dwell\":1}"));
    assert_int_equal(large_tokens(ead(RUN, "-L", large, "-S", small, "--profile", out, NULL)), 29);
    assert_int_equal(large_tokens(ead(RUN, "-L", large, "-S", small, NULL)), 20);
    assert_int_equal(
        large_tokens(ead(RUN, "-L", large, "-S", small, "--profile", out, "--tau", "1000", NULL)),
        0);
    assert_int_equal(
        large_tokens(ead(RUN, "-L", large, "-S", small, "--profile", out, "--dwell", "12", NULL)),
        18);
    assert_said(ead(RUN, "-L", large, "-S", small, "--profile", out, NULL), 0, NULL,
                "was calibrated with m.gguf of 12 parameters");
    assert_said(ead(RUN, "-L", large, "--profile", out, NULL), 2, NULL, "--profile is for two");
    assert_said(ead(RUN, "-L", large, "-S", small, "--profile", "/nowhere/p", NULL), 1, NULL,
                "/nowhere/p");
    /* Its policy is what is asked for, unless another is, or options that it has not. */
    spill(out, PROFILE2("{\"name\":\"large\"}"));
    assert_int_equal(large_tokens(ead(RUN, "-L", large, "-S", small, "--profile", out, NULL)), 30);
    assert_int_equal(large_tokens(ead(RUN, "-L", large, "-S", small, "--profile", out, "--policy",
                                      "small", NULL)),
                     0);
    assert_int_equal(
        large_tokens(ead(RUN, "-L", large, "-S", small, "--profile", out, "--tau", "1000", NULL)),
        0);
    spill(out, PROFILE2("{\"name\":\"ead\",\"tau\":-1,\"dwell\":1}"));
    assert_int_equal(large_tokens(ead(RUN, "-L", large, "-S", small, "--profile", out, NULL)), 29);
    assert_int_equal(large_tokens(ead(RUN, "-L", large, "-S", small, "--profile", out, "--policy",
                                      "ead", "--dwell", "12", NULL)),
                     18);
    /* The shipped pair has its own. */
    setenv("EAD_MODELS", folder, 1);
    assert_int_equal(large_tokens(ead(RUN, NULL)), 20);
    snprintf(beside, sizeof beside, "%s/profile.json", folder);
    spill(beside, PROFILE("{\"tau\":-1,\"window\":5,\"dwell\":1}"));
    assert_int_equal(large_tokens(ead(RUN, NULL)), 29);
    assert_int_equal(large_tokens(ead(RUN, "--dwell", "10", NULL)), 20);
    unlink(beside);
    setenv("EAD_MODELS", "/nowhere", 1);
    assert_said(ead(RUN, NULL), 2, NULL, "the shipped pair is not there");
}

/* ---- the command --------------------------------------------------------------------------- */

#define CALIBRATE                                                                                  \
    "calibrate", "-L", large, "-S", small, "--data", data, "-n", "40", "-t", "1", "--dwell", "2"

static void test_calibrate(void **state)
{
    (void)state;
    ead_error error;
    struct profile p;
    unlink(out);
    assert_said(ead(CALIBRATE, "--large-share", "0.5", "--out", out, "--work", work, NULL), 0,
                "large-model tokens", NULL);
    assert_int_equal(profile_read(out, &p, &error), EAD_OK);
    assert_true(p.policy.dwell == 2 && p.policy.window == 5);
    assert_string_equal(p.models[EAD_SMALL].name, "small.gguf");
    json_t *json = json_load_file(out, 0, NULL);
    const json_t *measured = json_object_get(json, "measured");
    assert_true(json_real_value(json_object_get(measured, "large_share")) <= 0.5);
    json_decref(json);
    /* What was measured is not measured again. */
    struct said again = ead(CALIBRATE, "--large-share", "0.5", "--work", work, NULL);
    assert_null(strstr(again.err, "answers"));
    assert_null(strstr(again.out, "nan")); /* the large model solves none */
    assert_said(again, 0, "large-model tokens", NULL);
}

/* What stands in a profile but for measured seconds. */
static json_t *profile_in(const char *folder_of, const char *name)
{
    char path[3 * PATHS];
    snprintf(path, sizeof path, "%s/%s", folder_of, name);
    json_t *json = json_load_file(path, 0, NULL);
    if (!json) fail_msg("%s: no profile", path);
    json_object_del(json_object_get(json, "measured"), "time");
    return json;
}

/* Several policies, with the same choice in any company; each has its profile, and the best one is
 * the answer. */
static void test_calibrate_policies(void **state)
{
    (void)state;
    static const char *const names[] = {"judge_slack=0.5.json", "speculative.json"};
    static const char *const parallel[] = {"1", "4"};
    char works[2][2 * PATHS];
    ead_error error;
    struct profile p;
    for (int i = 0; i < 2; i++) {
        snprintf(works[i], sizeof works[i], "%s/any%d", folder, i);
        unlink(out);
        assert_said(ead(CALIBRATE, "--policy", "judge slack=0.5, speculative", "--speedup", "0.01",
                        "--tries", "3", "-P", parallel[i], "--out", out, "--work", works[i], NULL),
                    0, "speculative: 2 of its options, 3 tries", NULL);
        assert_int_equal(profile_read(out, &p, &error), EAD_OK);
    }
    for (int k = 0; k < 2; k++) {
        json_t *a = profile_in(works[0], names[k]), *b = profile_in(works[1], names[k]);
        assert_true(json_equal(a, b));
        assert_int_equal(json_integer_value(json_object_get(a, "tries")), 3);
        assert_int_equal(!json_object_get(a, "table"), k);
        json_decref(a);
        json_decref(b);
    }
    assert_true(p.policy.slack == 0.5 || p.policy.kind == EAD_POLICY_SPECULATIVE);
    /* Nothing is left where nothing is to be kept. */
    setenv("TMPDIR", works[0], 1);
    remove_tree(works[0]);
    mkdir(works[0], 0777);
    assert_said(ead(CALIBRATE, "--policy", "judge", "--speedup", "0.01", "--tries", "1", NULL), 0,
                "1 tries", NULL);
    assert_int_equal(rmdir(works[0]), 0);
    unsetenv("TMPDIR");
}

static void test_calibrate_refuses(void **state)
{
    (void)state;
    unlink(out);
    assert_said(ead(CALIBRATE, "--keep", "0.9", "--out", out, NULL), 1, NULL,
                "the large model solved no problem");
    assert_int_equal(access(out, F_OK), -1);
    assert_said(ead(CALIBRATE, "--speedup", "100000", NULL), 1, NULL, "the best was");
    assert_said(ead(CALIBRATE, "--speedup", "2", "--keep", "1", NULL), 2, NULL, "expected one of");
    assert_said(ead(CALIBRATE, "--policy", "judge", NULL), 2, NULL, "needs --keep or --speedup");
    assert_said(ead(CALIBRATE, "--policy", "judge,luck", "--keep", "1", NULL), 2, NULL,
                "--policy: expected one of ead, ");
    assert_said(ead(CALIBRATE, "--policy", "", "--keep", "1", NULL), 2, NULL, "--policy");
    assert_said(ead("calibrate", "-L", large, "--data", data, NULL), 2, NULL, "--small FILE");
    assert_said(ead("calibrate", "-L", large, "-S", small, NULL), 2, NULL, "--data FILE");
    assert_said(ead(CALIBRATE, "--out", "/nowhere/p", NULL), 1, NULL, "/nowhere/p");
    assert_said(ead(CALIBRATE, "--work", "/nowhere/x", NULL), 1, NULL, "/nowhere/x");
    assert_said(
        ead("calibrate", "-L", "/nowhere/m", "-S", small, "--data", data, "--out", folder, NULL), 1,
        NULL, "expected a file, found a folder");
    assert_said(ead(CALIBRATE, "--work", data, NULL), 1, NULL, "Not a directory");
    assert_said(ead(CALIBRATE, "--out", "-", NULL), 2, NULL, "--out: expected a file");
    assert_said(ead("calibrate", "--help", NULL), 0, "usage: ead calibrate", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_knobs),
        cmocka_unit_test(test_knobs_held),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_search_ends),
        cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_profile_round),
        cmocka_unit_test(test_profile_of_unknown_sizes),
        cmocka_unit_test(test_bad_profiles),
        cmocka_unit_test(test_profile_of_any_policy),
        cmocka_unit_test(test_bad_profiles_of_any_policy),
        cmocka_unit_test(test_risk),
        cmocka_unit_test(test_drafts_kept),
        cmocka_unit_test(test_profile_mark),
        cmocka_unit_test(test_profile_to_a_pipe),
        cmocka_unit_test(test_run_profile),
        cmocka_unit_test(test_calibrate),
        cmocka_unit_test(test_calibrate_policies),
        cmocka_unit_test(test_calibrate_refuses),
    };
    return cmocka_run_group_tests_name("calibrate", tests, set_up, tear_down);
}

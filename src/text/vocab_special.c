/* Tokens with a purpose: those that keys of the file name, and those known by their text. */
#include "text/vocab_inside.h"

#include <string.h>

/* ---- tokens known by their text ---------------------------------------------------------- */

enum role {
    TURN_END, /* ends a text; the first that exists is the end of a turn unless the file names it */
    END,      /* ends a text, and is no turn's end */
    GAP       /* stands around a gap in code, to be filled */
};

/* Files are careless about the type of such tokens, so most texts make a control token by
 * themselves. Some are markup that any text may hold, and pieces of it are ordinary tokens of some
 * vocabularies ("</s>" of Qwen's): those count where the file calls them control tokens. */
static const struct mark {
    const char *text;
    enum role role;
    bool markup;
} marks[] = {
    {"<|eot_id|>", TURN_END, false},
    {"<|im_end|>", TURN_END, false},
    {"<|end|>", TURN_END, false},
    {"<end_of_turn>", TURN_END, false},
    {"<turn|>", TURN_END, false},
    {"<|endoftext|>", TURN_END, false},
    {"<|end_of_text|>", TURN_END, false},
    {"<EOT>", TURN_END, true},
    {"_<EOT>", TURN_END, true},
    {"[EOT]", TURN_END, true},
    {"<\xef\xbd\x9c"
     "end\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>",
     TURN_END, false},
    {"<end_of_utterance>", TURN_END, false},

    {"<|eom_id|>", END, false},
    {"</s>", END, true},
    {"<eos>", END, true},
    {"[EOS]", END, true},
    {"[e~[", END, true},
    {"<|return|>", END, false},
    {"<|call|>", END, false},
    {"<|calls|>", END, false},
    {"<|flush|>", END, false},
    {"<|tool_response>", END, false},
    {"<|fim_pad|>", END, false},
    {"<fim-pad>", END, false},
    {"<fim_pad>", END, false},
    {"<PAD>", END, true},
    {"[PAD]", END, true},
    {"<|fim_repo|>", END, false},
    {"<|repo_name|>", END, false},
    {"<fim-repo>", END, false},
    {"<REPO>", END, true},
    {"<reponame>", END, true},
    {"<|file_sep|>", END, false},

    {"<|fim_prefix|>", GAP, false},
    {"<fim-prefix>", GAP, false},
    {"<fim_prefix>", GAP, false},
    {"<PRE>", GAP, true},
    {"\xe2\x96\x81<PRE>", GAP, false},
    {"<|code_prefix|>", GAP, false},
    {"<|fim_suffix|>", GAP, false},
    {"<fim-suffix>", GAP, false},
    {"<fim_suffix>", GAP, false},
    {"<SUF>", GAP, true},
    {"\xe2\x96\x81<SUF>", GAP, false},
    {"<|code_suffix|>", GAP, false},
    {"<|fim_middle|>", GAP, false},
    {"<fim-middle>", GAP, false},
    {"<fim_middle>", GAP, false},
    {"<MID>", GAP, true},
    {"\xe2\x96\x81<MID>", GAP, false},
    {"<|code_middle|>", GAP, false},
    {"<\xef\xbd\x9c"
     "fim\xe2\x96\x81"
     "begin\xef\xbd\x9c>",
     GAP, false},
    {"<\xef\xbd\x9c"
     "fim\xe2\x96\x81hole\xef\xbd\x9c>",
     GAP, false},
    {"<\xef\xbd\x9c"
     "fim\xe2\x96\x81"
     "end\xef\xbd\x9c>",
     GAP, false},
};

static int32_t find(const struct vocab *v, const char *text)
{
    return vocab_find(v, text, strlen(text));
}

/* Where a message has several parts, "<|end|>" ends a part and others the message: the vocabularies
 * of harmony (gpt-oss) and of Solar. */
static bool end_is_inner(const struct vocab *v)
{
    const bool call = find(v, "<|call|>") >= 0 || find(v, "<|calls|>") >= 0;
    return call && (find(v, "<|return|>") >= 0 || find(v, "<|flush|>") >= 0);
}

/* Ends that are none here: as above, and "</s>" where Gemma's own ends stand beside it. */
static bool is_no_end(const struct vocab *v, const char *text)
{
    if (!strcmp(text, "<|end|>")) return end_is_inner(v);
    return !strcmp(text, "</s>") && find(v, "<|tool_response>") >= 0;
}

static void find_marks(struct vocab *v)
{
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const struct mark *mark = &marks[i];
        const int32_t id = find(v, mark->text);
        if (id < 0 || is_no_end(v, mark->text)) continue;
        if (mark->markup && vocab_kind(v, id) != VOCAB_CONTROL) continue;
        v->kinds[id] = (uint8_t)(VOCAB_CONTROL | (mark->role == GAP ? 0 : VOCAB_EOG_BIT));
        if (mark->role == TURN_END && v->specials.eot == VOCAB_NONE) v->specials.eot = id;
    }
    v->specials.eom = find(v, "<|eom_id|>");
}

/* ---- tokens that the file names ---------------------------------------------------------- */

/* Read the id a key names. All ones, or -1, is how some converters write "none"; another id that is
 * none names no token either, and is noted. */
static enum status read_id(struct vocab *v, const struct gguf *g, const char *key, int32_t *out,
                           struct err *err)
{
    const struct gguf_kv *kv = gguf_find(g, key);
    if (!kv) return ST_OK;
    if (kv->type > GGUF_I32 && kv->type != GGUF_U64 && kv->type != GGUF_I64)
        return err_set(err, ST_FORMAT, "%s: expected an integer, found %s", key,
                       gguf_type_name(kv->type));
    const int64_t id = gguf_i64_at(kv, 0);
    if (id == UINT32_MAX || id == -1) return ST_OK;
    *out = id >= 0 && id < v->n ? (int32_t)id : VOCAB_NONE;
    if (*out != VOCAB_NONE) return ST_OK;
    return notes_add(&v->notes, err, "%s: expected an id below %d, found %lld; no token is taken",
                     key, v->n, (long long)id);
}

/* What is to be added must be there; otherwise none is, and *add becomes false. */
static enum status check_added(struct vocab *v, const char *what, bool *add, int32_t id,
                               struct err *err)
{
    if (!*add || id != VOCAB_NONE) return ST_OK;
    *add = false;
    return notes_add(
        &v->notes, err,
        "tokenizer.ggml.%s_token_id: expected an id, because %s is to be added to texts; "
        "none is there, so none is added",
        what, what);
}

/* What the file names ends a text, but for the end of a part. */
static void mark_ends(struct vocab *v)
{
    const struct vocab_specials *s = &v->specials;
    const int32_t ends[] = {s->eos, s->eot, s->eom};
    const int32_t inner = end_is_inner(v) ? find(v, "<|end|>") : VOCAB_NONE;
    for (int i = 0; i < 3; i++)
        if (ends[i] != VOCAB_NONE && ends[i] != inner) v->kinds[ends[i]] |= VOCAB_EOG_BIT;
}

enum status vocab_read_specials(struct vocab *v, const struct gguf *g, struct err *err)
{
    struct vocab_specials *s = &v->specials;
    TRY(read_id(v, g, "tokenizer.ggml.bos_token_id", &s->bos, err));
    TRY(read_id(v, g, "tokenizer.ggml.eos_token_id", &s->eos, err));
    TRY(read_id(v, g, "tokenizer.ggml.unknown_token_id", &s->unk, err));
    TRY(read_id(v, g, "tokenizer.ggml.padding_token_id", &s->pad, err));
    TRY(read_id(v, g, "tokenizer.ggml.seperator_token_id", &s->sep, err)); /* spelled so */
    TRY(gguf_read_bool(g, "tokenizer.ggml.add_bos_token", false, &s->add_bos, err));
    TRY(gguf_read_bool(g, "tokenizer.ggml.add_eos_token", false, &s->add_eos, err));
    TRY(check_added(v, "bos", &s->add_bos, s->bos, err));
    TRY(check_added(v, "eos", &s->add_eos, s->eos, err));
    if (!v->pretok)
        TRY(gguf_read_bool(g, "tokenizer.ggml.add_space_prefix", false, &s->space_prefix, err));

    find_marks(v);
    TRY(read_id(v, g, "tokenizer.ggml.eot_token_id", &s->eot, err));
    TRY(read_id(v, g, "tokenizer.ggml.eom_token_id", &s->eom, err));
    mark_ends(v);
    return ST_OK;
}

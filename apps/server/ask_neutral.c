/* Fields that are known and not done here. A value that asks for nothing is accepted: clients send
 * many of them as a matter of course. */
#include "server/ask_parts.h"

struct neutral {
    const char *name;
    const char *values[3]; /* JSON that asks for nothing */
};

static const struct neutral known[] = {
    {"audio", {0}},
    {"best_of", {"1"}},
    {"continue_final_message", {"false"}},
    {"dry_multiplier", {"0"}},
    {"function_call", {"\"none\""}},
    {"functions", {"[]"}},
    {"grammar", {"\"\""}},
    {"guided_choice", {0}},
    {"guided_grammar", {0}},
    {"guided_json", {0}},
    {"guided_regex", {0}},
    {"include_stop_str_in_output", {"false"}},
    {"json_schema", {"{}"}},
    {"length_penalty", {"1"}},
    {"min_tokens", {"0"}},
    {"mirostat", {"0"}},
    {"modalities", {"[\"text\"]"}},
    {"prediction", {0}},
    {"prompt_logprobs", {0}},
    {"response_format", {"{\"type\":\"text\"}", "{}"}},
    {"skip_special_tokens", {"true"}},
    {"structured_outputs", {0}},
    {"suffix", {"\"\""}},
    {"tool_choice", {"\"none\"", "\"auto\""}},
    {"truncate_prompt_tokens", {"-1"}},
    {"typical_p", {"1"}},
    {"use_beam_search", {"false"}},
    {"web_search_options", {0}},
    {"xtc_probability", {"0"}},
};

static bool same(const json_t *value, const char *text)
{
    json_t *neutral = json_loads(text, JSON_DECODE_ANY, NULL);
    const bool numbers = json_is_number(value) && json_is_number(neutral);
    const bool equal = numbers ? json_number_value(value) == json_number_value(neutral)
                               : json_equal(value, neutral);
    json_decref(neutral);
    return equal;
}

bool ask_neutral(const struct field *f)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const json_t *value = field_get(f, known[i].name);
        bool neutral = !value;
        for (int k = 0; k < 3 && !neutral && known[i].values[k]; k++)
            neutral = same(value, known[i].values[k]);
        if (neutral) continue;
        return refuse(f->refusal, 400, "unsupported_value", known[i].name,
                      known[i].values[0] ? "%s is not supported, except as %s"
                                         : "%s is not supported",
                      known[i].name, known[i].values[0]);
    }
    return true;
}

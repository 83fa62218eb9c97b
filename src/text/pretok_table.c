#include "text/pretok_table.h"

#include <string.h>

/* White space, letters and digits, to be used inside a class. */
#define WS "\\t-\\r\\x{85}\\p{Z}"
#define LN "\\p{L}\\p{N}"

/* The ends of nearly every set: runs of line breaks, spaces up to the one that belongs to the next
 * word, spaces. */
#define NEWLINES "[" WS "]*[\\r\\n]+"
#define SPACES   "[" WS "]+(?![^" WS "])|[" WS "]+"

#define CONTRACTION    "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define WORD           "[^\\r\\n" LN "]?\\p{L}+"
#define SYMBOLS        " ?[^" WS LN "]+[\\r\\n]*"
#define SUFFIX         "'s|'t|'re|'ve|'m|'ll|'d"
#define GPT2           SUFFIX "| ?\\p{L}+| ?\\p{N}+| ?[^" WS LN "]+|[" WS "]+(?![^" WS "])"
#define LLAMA3(digits) CONTRACTION "|" WORD "|" digits "|" SYMBOLS "|" NEWLINES "|" SPACES

/* A word in capitals or with a leading one, then the tail; the second form takes what ends in
 * capitals. `not` is a class without what may stand in no word of this kind. */
#define UPPER "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}"
#define LOWER "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}"
#define CASED(upper, lower, tail)                                                                  \
    "[^\\r\\n" LN "]?" upper "*" lower "+" tail "|[^\\r\\n" LN "]?" upper "+" lower "*" tail
#define SYMBOLS_SLASH " ?[^" WS LN "]+[\\r\\n/]*"
#define GPT4O(tail, digits)                                                                        \
    CASED("[" UPPER "]", "[" LOWER "]", tail)                                                      \
    "|" digits "|" SYMBOLS_SLASH "|" NEWLINES "|" SPACES

/* Words and signs apart, and marks with their letters. */
#define DEEPSEEK3(line_ends)                                                                       \
    "[!-/:-@\\[-`{-~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "                      \
    "?[\\p{P}\\p{S}]+" line_ends
#define CJK "[\\x{4e00}-\\x{9fa5}\\x{3040}-\\x{30ff}]+"

/* The script Han, and the cases above without it. */
#define HAN                                                                                        \
    "\\x{2e80}-\\x{2e99}\\x{2e9b}-\\x{2ef3}\\x{2f00}-\\x{2fd5}\\x{3005}\\x{3007}"                  \
    "\\x{3021}-\\x{3029}\\x{3038}-\\x{303b}\\x{3400}-\\x{4dbf}\\x{4e00}-\\x{9fff}"                 \
    "\\x{f900}-\\x{fa6d}\\x{fa70}-\\x{fad9}\\x{16fe2}\\x{16fe3}\\x{16ff0}\\x{16ff1}"               \
    "\\x{20000}-\\x{2a6df}\\x{2a700}-\\x{2b739}\\x{2b740}-\\x{2b81d}\\x{2b820}-\\x{2cea1}"         \
    "\\x{2ceb0}-\\x{2ebe0}\\x{2ebf0}-\\x{2ee5d}\\x{2f800}-\\x{2fa1d}\\x{30000}-\\x{3134a}"         \
    "\\x{31350}-\\x{323af}"
#define NO_LETTER    "\\p{N}\\p{P}\\p{S}\\p{Z}\\p{C}"
#define UPPER_NO_HAN "[^\\p{Ll}" NO_LETTER HAN "]"
#define LOWER_NO_HAN "[^\\p{Lu}\\p{Lt}" NO_LETTER HAN "]"

/* Runs without white space and punctuation; what lies between them stays together too. */
#define CLAUSE " ?[^(" WS "|.,!?\\x{2026}\\x{3002}\\x{ff0c}\\x{3001}\\x{964}\\x{6d4}\\x{60c})]+"

/* Scripts written without spaces: Han, kana, Thai, Lao, Khmer, Myanmar, Hangul. */
#define UNSPACED                                                                                   \
    "[\\x{4e00}-\\x{9fff}\\x{3400}-\\x{4dbf}\\x{f900}-\\x{faff}\\x{3040}-\\x{30ff}"                \
    "\\x{ff65}-\\x{ff9f}\\x{2f00}-\\x{2fdf}\\x{e40}-\\x{eff}\\x{1780}-\\x{17ff}"                   \
    "\\x{1000}-\\x{109f}\\x{aa60}-\\x{aa7f}\\x{a9e0}-\\x{a9ff}\\x{ac00}-\\x{d7af}"                 \
    "\\x{1100}-\\x{11ff}]+"

/* Hangul, its neighbours' punctuation, bopomofo, Han with kana: each by itself. */
#define ASIAN_RUNS                                                                                 \
    "[\\x{ac00}-\\x{d7a3}\\x{3131}-\\x{318e}]+|[\\x{ff01}\\x{2026}\\x{201c}\\x{201d}\\x{2018}"     \
    "\\x{2019}\\x{2014}\\x{ff1a}\\x{ff1b}\\x{ff0c}\\x{3001}-\\x{303f}\\x{fe30}-\\x{fe4f}]+|"       \
    "[\\x{3105}-\\x{312f}]+|" CJK

/* Chinese, Japanese, Korean and everything else from U+0800 to U+D7FF, less white space. */
#define CJK_WIDE                                                                                   \
    "[\\x{800}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}"                 \
    "\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{9fa5}\\x{ac00}-\\x{d7ff}]+"

/* The cased letters deepseek-llm lists one by one. */
#define DEEPSEEK_LETTERS                                                                           \
    "A-Za-z\\x{b5}\\x{c0}-\\x{d6}\\x{d8}-\\x{f6}\\x{f8}-\\x{1ba}\\x{1bc}-\\x{1bf}"                 \
    "\\x{1c4}-\\x{293}\\x{295}-\\x{2af}\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37b}-\\x{37d}"         \
    "\\x{37f}\\x{386}\\x{388}-\\x{38a}\\x{38c}\\x{38e}-\\x{3a1}\\x{3a3}-\\x{3f5}"                  \
    "\\x{3f7}-\\x{481}\\x{48a}-\\x{52f}\\x{531}-\\x{556}\\x{10a0}-\\x{10c5}"                       \
    "\\x{13a0}-\\x{13f5}\\x{13f8}-\\x{13fd}\\x{1c90}-\\x{1cba}\\x{1cbd}-\\x{1cbf}"                 \
    "\\x{1d00}-\\x{1d2b}\\x{1d6b}-\\x{1d77}\\x{1d79}-\\x{1d9a}\\x{1e00}-\\x{1f15}"                 \
    "\\x{1f18}-\\x{1f1d}\\x{1f20}-\\x{1f45}\\x{1f48}-\\x{1f4d}\\x{1f50}-\\x{1f57}\\x{1f59}"        \
    "\\x{1f5b}\\x{1f5d}\\x{1f5f}-\\x{1f7d}\\x{1f80}-\\x{1fb4}\\x{1fb6}-\\x{1fbc}\\x{1fbe}"         \
    "\\x{1fc2}-\\x{1fc4}\\x{1fc6}-\\x{1fcc}\\x{1fd0}-\\x{1fd3}\\x{1fd6}-\\x{1fdb}"                 \
    "\\x{1fe0}-\\x{1fec}\\x{1ff2}-\\x{1ff4}\\x{1ff6}-\\x{1ffc}\\x{2102}\\x{2107}"                  \
    "\\x{210a}-\\x{2113}\\x{2115}\\x{2119}-\\x{211d}\\x{2124}\\x{2126}\\x{2128}"                   \
    "\\x{212a}-\\x{212d}\\x{212f}-\\x{2134}\\x{2139}\\x{213c}-\\x{213f}\\x{2145}-\\x{2149}"        \
    "\\x{214e}\\x{2183}\\x{2184}\\x{2c00}-\\x{2c7b}\\x{2c7e}-\\x{2ce4}\\x{2ceb}-\\x{2cee}"         \
    "\\x{2cf2}\\x{2cf3}\\x{a640}-\\x{a66d}\\x{a680}-\\x{a69b}\\x{a722}-\\x{a76f}"                  \
    "\\x{a771}-\\x{a787}\\x{a78b}-\\x{a78e}\\x{ab70}-\\x{abbf}\\x{fb00}-\\x{fb06}"                 \
    "\\x{fb13}-\\x{fb17}\\x{ff21}-\\x{ff3a}\\x{ff41}-\\x{ff5a}\\x{10400}-\\x{1044f}"               \
    "\\x{104b0}-\\x{104d3}\\x{104d8}-\\x{104fb}\\x{10c80}-\\x{10cb2}\\x{10cc0}-\\x{10cf2}"         \
    "\\x{118a0}-\\x{118df}\\x{1e900}-\\x{1e943}"

static const struct pretok_family llama3 = {{LLAMA3("\\p{N}{1,3}")}, 0};
static const struct pretok_family qwen2 = {{LLAMA3("\\p{N}")}, 0};
static const struct pretok_family qwen35 = {{CONTRACTION "|[^\\r\\n" LN
                                                         "]?[\\p{L}\\p{M}]+|\\p{N}| ?[^" WS LN
                                                         "\\p{M}]+[\\r\\n]*|" NEWLINES "|" SPACES},
                                            0};
static const struct pretok_family minicpm5 = {{"\\p{N}{1,3}", LLAMA3("\\p{N}+")}, 0};
static const struct pretok_family laguna = {{"[^\\n]+|\\n+", LLAMA3("\\p{N}")}, 0};
static const struct pretok_family seed_coder = {
    {CONTRACTION "|" WORD "|\\p{N}| ?[^" WS LN "]+|" NEWLINES "|" SPACES}, 0};
static const struct pretok_family bailing = {{"'(?i:[sdmt]|ll|ve|re)|[^\\r\\n" LN
                                              "]?+\\p{L}+|\\p{N}| ?[^" WS LN "]++[\\r\\n]*|[" WS
                                              "]*[\\r\\n]|" SPACES},
                                             0};
static const struct pretok_family exaone_moe = {
    {CONTRACTION "|[^\\r\\n" LN "]?\\p{L}(?:[\\p{L}\\p{M}]| \\p{L})*+|\\p{N}| ?[^" WS LN
                 "]+[\\r\\n/]?|[" WS "]*[\\r\\n]|" SPACES},
    0};
#define ENDING(n) "[" WS "]{" n "}(?![^" WS "])|"
static const struct pretok_family jais2 = {
    {CONTRACTION "|" WORD "|\\p{N}{1,3}|" SYMBOLS "|" NEWLINES "|" ENDING("512") ENDING("256")
         ENDING("128") ENDING("64") ENDING("32") ENDING("16") ENDING("8") ENDING("4")
             ENDING("1,2") "[" WS "]"},
    0};
static const struct pretok_family gpt2 = {{GPT2}, 0};
static const struct pretok_family starcoder = {{"\\p{N}", GPT2}, 0};
static const struct pretok_family falcon = {{"[\\p{P}\\$+<=>\\^~|`]+", GPT2, "[0-9][0-9][0-9]"}, 0};
static const struct pretok_family fallback = {
    {"[\\p{P}\\$+<=>\\^~|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"}, 0};
static const struct pretok_family chameleon = {{"<sentinel:[0-9]+>", "IMGIMG[A-I]{1,4}Z",
                                                "[\\t\\n]|    |  ", "\\p{N}",
                                                "[\\p{P}!-/:-@\\[-`{-~]", GPT2},
                                               0};
static const struct pretok_family bloom = {{CLAUSE}, 0};
static const struct pretok_family viking = {{CLAUSE, "\\p{N}"}, 0};
static const struct pretok_family deepseek_llm = {
    {"[\\r\\n]", "[" WS "]?[" DEEPSEEK_LETTERS "]+",
     "[" WS
     "]?[!-/:-~\\x{ff01}-\\x{ff0f}\\x{ff1a}-\\x{ff5e}\\x{2018}-\\x{201f}\\x{3001}\\x{3002}]+",
     "(?<![" WS "])[" WS "]++\\z", CJK_WIDE, "\\p{N}+"},
    0};
static const struct pretok_family deepseek_coder = {
    {"[\\r\\n]", "[" WS "]?\\p{L}+", "[" WS "]?\\p{P}+", CJK_WIDE, "\\p{N}"}, 0};
static const struct pretok_family deepseek_v3 = {
    {"\\p{N}{1,3}", CJK, DEEPSEEK3("[\\r\\n]*") "|" NEWLINES "|" SPACES}, 0};
static const struct pretok_family spark = {
    {"\\p{N}{1,3}", CJK, DEEPSEEK3("") "|[\\r\\n]|" SPACES, "\\p{N}"}, 0};
static const struct pretok_family afmoe = {
    {"\\p{N}+", UNSPACED, DEEPSEEK3("[\\r\\n]*") "|" NEWLINES "|" SPACES}, 1};
static const struct pretok_family tekken = {{GPT4O("", "\\p{N}")}, 0};
static const struct pretok_family gpt4o = {{GPT4O(CONTRACTION "?", "\\p{N}{1,3}")}, 0};
static const struct pretok_family youtu = {{ASIAN_RUNS, GPT4O(CONTRACTION "?", "\\p{N}")}, 0};
static const struct pretok_family tiny_aya = {{"(?<!\\d)\\d++(?![\\p{L}\\p{M}\\p{Nl}\\p{Pc}\\x{b2}"
                                               "\\x{b3}\\x{b9}\\x{bc}-\\x{be}\\x{24b6}-\\x{24e9}])",
                                               GPT4O(CONTRACTION "?", "\\p{N}{1,3}")},
                                              1};
static const struct pretok_family kimi_k2 = {
    {"[" HAN "]+|" CASED(UPPER_NO_HAN, LOWER_NO_HAN, CONTRACTION "?") "|\\p{N}{1,3}|" SYMBOLS
                                                                      "|" NEWLINES "|" SPACES},
    0};

/* {name, adds BOS, takes whole words, composes}, alphabetical. */
static const struct pretok_entry entries[] = {
    {{"a.x-4.0", false, false, false}, &gpt2},
    {{"afmoe", false, false, false}, &afmoe},
    {{"bailingmoe", false, false, false}, &bailing},
    {{"bailingmoe2", false, false, false}, &bailing},
    {{"bloom", false, false, false}, &bloom},
    {{"chameleon", true, false, false}, &chameleon},
    {{"chatglm-bpe", false, false, false}, &llama3},
    {{"codeshell", false, false, false}, &starcoder},
    {{"cohere2moe", false, false, false}, &tiny_aya},
    {{"command-r", false, false, false}, &starcoder},
    {{"dbrx", false, false, false}, &llama3},
    {{"deepseek-coder", false, false, false}, &deepseek_coder},
    {{"deepseek-llm", false, false, false}, &deepseek_llm},
    {{"deepseek-r1-qwen", false, false, true}, &qwen2},
    {{"deepseek-v3", false, false, false}, &deepseek_v3},
    {{"default", false, false, false}, &fallback},
    {{"exaone", false, false, false}, &starcoder},
    {{"exaone-moe", false, false, false}, &exaone_moe},
    {{"exaone4", false, false, false}, &gpt2},
    {{"f2llmv2", false, false, true}, &qwen2},
    {{"falcon", false, false, false}, &falcon},
    {{"falcon-h1", true, true, false}, &llama3},
    {{"falcon3", true, true, false}, &llama3},
    {{"gigachat", false, false, false}, &gpt2},
    {{"glm4", false, false, false}, &llama3},
    {{"gpt-2", false, false, false}, &gpt2},
    {{"gpt-4o", false, false, false}, &gpt4o},
    {{"gpt3-finnish", false, false, false}, &bloom},
    {{"granite-docling", false, false, false}, &gpt2},
    {{"granite-embed-multi-97m", false, true, false}, &gpt4o},
    {{"grok-2", false, false, false}, &qwen2},
    {{"hunyuan", false, false, false}, &qwen2},
    {{"hunyuan-dense", false, false, false}, &deepseek_v3},
    {{"jais", false, false, false}, &gpt2},
    {{"jais-2", false, false, false}, &jais2},
    {{"jina-de", false, false, false}, &gpt2},
    {{"jina-es", false, false, false}, &gpt2},
    {{"jina-v1-en", false, false, false}, &gpt2},
    {{"jina-v2-code", false, false, false}, &gpt2},
    {{"jina-v2-de", false, false, false}, &gpt2},
    {{"jina-v2-es", false, false, false}, &gpt2},
    {{"jina-v5-nano", true, true, false}, &llama3},
    {{"joyai-llm", false, false, false}, &deepseek_v3},
    {{"kanana2", false, false, false}, &gpt4o},
    {{"kimi-k2", false, false, false}, &kimi_k2},
    {{"kormo", false, false, false}, &qwen2},
    {{"laguna", false, false, false}, &laguna},
    {{"lfm2", true, true, false}, &llama3},
    {{"llada-moe", false, false, false}, &bailing},
    {{"llama-bpe", true, true, false}, &llama3},
    {{"llama-v3", true, true, false}, &llama3},
    {{"llama3", true, true, false}, &llama3},
    {{"llama4", false, false, false}, &gpt4o},
    {{"megrez", false, false, false}, &qwen2},
    {{"mellum", false, false, false}, &gpt2},
    {{"mellum2", false, false, false}, &starcoder},
    {{"midm-2.0", true, true, false}, &llama3},
    {{"minerva-7b", false, false, false}, &starcoder},
    {{"minicpm5", false, true, false}, &minicpm5},
    {{"minimax-m2", false, false, false}, &gpt4o},
    {{"modern-bert", false, false, false}, &gpt2},
    {{"mpt", false, false, true}, &gpt2},
    {{"olmo", false, false, true}, &gpt2},
    {{"phi-2", false, false, false}, &gpt2},
    {{"pixtral", true, true, false}, &llama3},
    {{"poro-chat", false, false, false}, &bloom},
    {{"qwen2", false, false, true}, &qwen2},
    {{"qwen35", false, false, true}, &qwen35},
    {{"refact", false, false, false}, &starcoder},
    {{"roberta-bpe", false, false, false}, &gpt2},
    {{"seed-coder", false, false, false}, &seed_coder},
    {{"smaug-bpe", false, false, false}, &llama3},
    {{"smollm", false, false, false}, &starcoder},
    {{"solar-open", false, false, false}, &qwen2},
    {{"spark2_5", false, false, false}, &spark},
    {{"stablelm2", false, false, false}, &qwen2},
    {{"starcoder", false, false, false}, &starcoder},
    {{"talkie", false, false, false}, &gpt4o},
    {{"tekken", true, true, false}, &tekken},
    {{"tiny_aya", false, false, false}, &tiny_aya},
    {{"trillion", false, false, false}, &gpt2},
    {{"viking", false, false, false}, &viking},
    {{"youtu", false, true, false}, &youtu},
};

enum { ENTRIES = sizeof entries / sizeof *entries };

const struct pretok_entry *pretok_table_find(const char *name, size_t n)
{
    for (size_t i = 0; i < ENTRIES; i++)
        if (strlen(entries[i].rules.name) == n && !memcmp(entries[i].rules.name, name, n))
            return &entries[i];
    return NULL;
}

const struct pretok_entry *pretok_table_at(size_t i)
{
    return i < ENTRIES ? &entries[i] : NULL;
}

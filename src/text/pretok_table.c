#include "text/pretok_table.h"

#include <string.h>

/* White space, letters and digits, to be used inside a class. */
#define WS "\\t-\\r\\x{85}\\p{Z}"
#define LN "\\p{L}\\p{N}"

/* The ends of nearly every set: runs of line breaks, spaces up to the one that belongs to the next
 * word, spaces. */
#define NEWLINES "[" WS "]*[\\r\\n]+"
#define SPACES   "[" WS "]+(?![^" WS "])|[" WS "]+"

#define CONTRACTION "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
#define SYMBOLS     " ?[^" WS LN "]+[\\r\\n]*"
#define SUFFIX      "'s|'t|'re|'ve|'m|'ll|'d"
#define GPT2        SUFFIX "| ?\\p{L}+| ?\\p{N}+| ?[^" WS LN "]+|[" WS "]+(?![^" WS "])"
#define LLAMA3(digits)                                                                             \
    CONTRACTION "|[^\\r\\n" LN "]?\\p{L}+|" digits "|" SYMBOLS "|" NEWLINES "|" SPACES

/* Letters that are not a lower-case (upper-case) ASCII letter. */
#define NOT_LOWER "[^\\P{L}a-z]"
#define NOT_UPPER "[^\\P{L}A-Z]"
#define CASED(tail)                                                                                \
    "[^\\r\\n" LN "]?" NOT_LOWER "*" NOT_UPPER "+" tail "|[^\\r\\n" LN "]?" NOT_LOWER              \
    "+" NOT_UPPER "*" tail
#define SYMBOLS_SLASH " ?[^" WS LN "]+[\\r\\n/]*"

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

static const struct pretok_family llama3 = {{LLAMA3("\\p{N}{1,3}")}};
static const struct pretok_family qwen2 = {{LLAMA3("\\p{N}")}};
static const struct pretok_family qwen35 = {{CONTRACTION "|[^\\r\\n" LN
                                                         "]?[\\p{L}\\p{M}]+|\\p{N}| ?[^" WS LN
                                                         "\\p{M}]+[\\r\\n]*|" NEWLINES "|" SPACES}};
static const struct pretok_family gpt2 = {{GPT2}};
static const struct pretok_family starcoder = {{"\\p{N}", GPT2}};
static const struct pretok_family falcon = {{"[\\p{P}\\$+<=>\\^~|`]+", GPT2, "[0-9][0-9][0-9]"}};
static const struct pretok_family fallback = {
    {"[\\p{P}\\$+<=>\\^~|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"}};
static const struct pretok_family deepseek_llm = {
    {"[\\r\\n]", "[" WS "]?[" DEEPSEEK_LETTERS "]+",
     "[" WS
     "]?[!-/:-~\\x{ff01}-\\x{ff0f}\\x{ff1a}-\\x{ff5e}\\x{2018}-\\x{201f}\\x{3001}\\x{3002}]+",
     "(?<![" WS "])[" WS "]++\\z", CJK_WIDE, "\\p{N}+"}};
static const struct pretok_family deepseek_coder = {
    {"[\\r\\n]", "[" WS "]?\\p{L}+", "[" WS "]?\\p{P}+", CJK_WIDE, "\\p{N}"}};
static const struct pretok_family deepseek_v3 = {
    {"\\p{N}{1,3}", "[\\x{4e00}-\\x{9fa5}\\x{3040}-\\x{30ff}]+",
     "[!-/:-@\\[-`{-~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "
     "?[\\p{P}\\p{S}]+[\\r\\n]*|" NEWLINES "|" SPACES}};
static const struct pretok_family tekken = {
    {CASED("") "|\\p{N}|" SYMBOLS_SLASH "|" NEWLINES "|" SPACES}};
static const struct pretok_family gpt4o = {
    {CASED(CONTRACTION "?") "|\\p{N}{1,3}|" SYMBOLS_SLASH "|" NEWLINES "|" SPACES}};

/* {name, adds BOS, takes whole words}, alphabetical. */
static const struct pretok_entry entries[] = {
    {{"chatglm-bpe", false, false}, &llama3},
    {{"codeshell", false, false}, &starcoder},
    {{"command-r", false, false}, &starcoder},
    {{"dbrx", false, false}, &llama3},
    {{"deepseek-coder", false, false}, &deepseek_coder},
    {{"deepseek-llm", false, false}, &deepseek_llm},
    {{"deepseek-r1-qwen", false, false}, &qwen2},
    {{"deepseek-v3", false, false}, &deepseek_v3},
    {{"default", false, false}, &fallback},
    {{"exaone", false, false}, &starcoder},
    {{"exaone4", false, false}, &gpt2},
    {{"falcon", false, false}, &falcon},
    {{"falcon3", true, true}, &llama3},
    {{"falcon-h1", true, true}, &llama3},
    {{"glm4", false, false}, &llama3},
    {{"gpt-2", false, false}, &gpt2},
    {{"gpt-4o", false, false}, &gpt4o},
    {{"grok-2", false, false}, &qwen2},
    {{"hunyuan", false, false}, &qwen2},
    {{"hunyuan-dense", false, false}, &deepseek_v3},
    {{"jais", false, false}, &gpt2},
    {{"lfm2", true, true}, &llama3},
    {{"llama3", true, true}, &llama3},
    {{"llama4", false, false}, &gpt4o},
    {{"llama-bpe", true, true}, &llama3},
    {{"llama-v3", true, true}, &llama3},
    {{"megrez", false, false}, &qwen2},
    {{"minerva-7b", false, false}, &starcoder},
    {{"mpt", false, false}, &gpt2},
    {{"olmo", false, false}, &gpt2},
    {{"phi-2", false, false}, &gpt2},
    {{"pixtral", true, true}, &llama3},
    {{"qwen2", false, false}, &qwen2},
    {{"qwen35", false, false}, &qwen35},
    {{"refact", false, false}, &starcoder},
    {{"roberta-bpe", false, false}, &gpt2},
    {{"smaug-bpe", false, false}, &llama3},
    {{"smollm", false, false}, &starcoder},
    {{"stablelm2", false, false}, &qwen2},
    {{"starcoder", false, false}, &starcoder},
    {{"tekken", true, true}, &tekken},
    {{"trillion", false, false}, &gpt2},
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

#include "text/chat_family.h"

#define BOS CHAT_BOS
#define EOS CHAT_EOS

#define IM_TURNS                                                                                   \
    {                                                                                              \
        {"<|im_start|>system\n", "<|im_end|>\n"}, {"<|im_start|>user\n", "<|im_end|>\n"},          \
        {                                                                                          \
            "<|im_start|>assistant\n", "<|im_end|>\n"                                              \
        }                                                                                          \
    }
#define ANSWER "<|im_start|>assistant\n"
#define CHATML(family_name, opening)                                                               \
    .name = family_name, .bos = "", .eos = "<|im_end|>", .turns = IM_TURNS, .generate = opening

#define HEAD(role) "<|start_header_id|>" role "<|end_header_id|>\n\n"
#define LLAMA3(family_name)                                                                        \
    .name = family_name, .bos = "<|begin_of_text|>", .eos = "<|eot_id|>", .bos_first = true,       \
    .turns = {{HEAD("system"), "<|eot_id|>"},                                                      \
              {HEAD("user"), "<|eot_id|>"},                                                        \
              {HEAD("assistant"), "<|eot_id|>"}},                                                  \
    .generate = HEAD("assistant"), .trim = CHAT_TRIM_TEXT

#define MISTRAL(family_name) .name = family_name, .bos = "<s>", .eos = "</s>", .bos_first = true

#define GEMMA(family_name)                                                                         \
    .name = family_name, .bos = "<bos>", .eos = "<eos>", .bos_first = true,                        \
    .turns = {{"", ""},                                                                            \
              {"<start_of_turn>user\n", "<end_of_turn>\n"},                                        \
              {"<start_of_turn>model\n", "<end_of_turn>\n"}},                                      \
    .generate = "<start_of_turn>model\n", .trim = CHAT_TRIM_TEXT, .alternate = true

/* DeepSeek writes U+FF5C for the bar and U+2581 for the space in its tokens. */
#define BAR            "\xef\xbd\x9c"
#define LOW            "\xe2\x96\x81"
#define DS_USER        "<" BAR "User" BAR ">"
#define DS_ASSISTANT   "<" BAR "Assistant" BAR ">"
#define DS_TOKEN(word) "<" BAR word LOW "of" LOW "sentence" BAR ">"
#define DEEPSEEK(family_name)                                                                      \
    .name = family_name, .bos = DS_TOKEN("begin"), .eos = DS_TOKEN("end"), .bos_first = true,      \
    .turns = {{"", ""}, {DS_USER, ""}, {DS_ASSISTANT, DS_TOKEN("end")}}, .place = CHAT_PLACE_START

static const struct chat_family families[] = {
    {.name = "phi4",
     .bos = "",
     .eos = "<|im_end|>",
     .turns = {{"<|im_start|>system<|im_sep|>", "<|im_end|>"},
               {"<|im_start|>user<|im_sep|>", "<|im_end|><|im_start|>assistant<|im_sep|>"},
               {"", "<|im_end|>"}},
     .generate = "",
     .has = {"<|im_sep|>", "<|im_end|><|im_start|>assistant<|im_sep|>"},
     .lacks = {"add_generation_prompt"}},
    {CHATML("qwen3", ANSWER), .think = CHAT_THINK_REBUILD,
     .has = {"<|im_start|>", "reasoning_content", "last_query_index"},
     .lacks = {"strftime_now", "assistant\n<think>"}},
    {CHATML("qwen3-thinking", ANSWER "<think>\n"), .think = CHAT_THINK_REBUILD,
     .has = {"<|im_start|>", "reasoning_content", "last_query_index", "assistant\n<think>\n'"},
     .lacks = {"strftime_now", "enable_thinking"}},
    {CHATML("qwq", ANSWER "<think>\n"), .think = CHAT_THINK_DROP_EARLIER,
     .has = {"<|im_start|>", "split('</think>')[-1].lstrip('\n')", "assistant\n<think>\n'",
             "not loop.last"},
     .lacks = {"reasoning_content"}},
    {CHATML("chatml", ANSWER), .has = {"<|im_start|>", "<|im_end|>"},
     .lacks = {"<|im_sep|>", "strftime_now", "trim", ".strip(", "</think>"}},
    {CHATML("qwen2", ANSWER), .system = "You are a helpful assistant."},
    {CHATML("qwen2.5", ANSWER),
     .system = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."},
    {CHATML("smollm2", ANSWER),
     .system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"},
    {LLAMA3("llama3.1"), .place = CHAT_PLACE_HEADER,
     .joint = {"Cutting Knowledge Date: December 2023\nToday Date: " CHAT_DATE "\n\n", ""},
     .has = {"<|start_header_id|>", "Cutting Knowledge Date: December 2023",
             "Today Date: ", "26 Jul 2024"}},
    {LLAMA3("llama3"), .has = {"<|start_header_id|>", "<|eot_id|>", "trim"},
     .lacks = {"Cutting Knowledge Date", "strftime_now", "reasoning", "</think>"}},
    {.name = "llama2",
     .bos = "<s>",
     .eos = "</s>",
     .turns = {{"", ""}, {BOS "[INST] ", " [/INST]"}, {" ", " " EOS}},
     .generate = "",
     .place = CHAT_PLACE_FIRST,
     .joint = {"<<SYS>>\n", "\n<</SYS>>\n\n"},
     .trim = CHAT_TRIM_TOGETHER,
     .alternate = true,
     .has = {"<<SYS>>\n", "bos_token + '[INST] '", "strip()", "' ' + eos_token"},
     .lacks = {"true == true", "helpful, respectful"}},
    {MISTRAL("mistral-v7-tekken"),
     .turns = {{"[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"}, {"[INST]", "[/INST]"}, {"", EOS}},
     .generate = "", .alternate = true, .needs_system = "its default one names today's date",
     .has = {"'[SYSTEM_PROMPT]' +", "default_system_message", "'[INST]' + message['content']"},
     .lacks = {"[THINK]"}},
    {MISTRAL("mistral-v7"),
     .turns = {{"[SYSTEM_PROMPT] ", "[/SYSTEM_PROMPT]"}, {"[INST] ", "[/INST]"}, {" ", EOS}},
     .generate = "", .has = {"[SYSTEM_PROMPT] ", "'[INST] '"}, .lacks = {"default_system_message"}},
    {MISTRAL("mistral-v3-tekken"), .turns = {{"", ""}, {"[INST]", "[/INST]"}, {"", EOS}},
     .generate = "", .place = CHAT_PLACE_LAST, .joint = {"", "\n\n"}, .alternate = true,
     .has = {"'[INST]' + message['content'] + '[/INST]'", "loop.last and system_message",
             "[AVAILABLE_TOOLS][", "message['content'] + eos_token"},
     .lacks = {"[SYSTEM_PROMPT]"}},
    {MISTRAL("mistral-v3"), .turns = {{"", ""}, {"[INST] ", "[/INST]"}, {" ", EOS}}, .generate = "",
     .place = CHAT_PLACE_LAST, .joint = {"", "\n\n"}, .trim = CHAT_TRIM_ANSWER, .alternate = true,
     .has = {"'[INST] ' + message['content'] + '[/INST]'", "loop.last and system_message",
             "message['content']|trim + eos_token"},
     .lacks = {"[SYSTEM_PROMPT]"}},
    {MISTRAL("mistral-v1"), .turns = {{"", ""}, {" [INST] ", " [/INST]"}, {" ", EOS}},
     .generate = "", .place = CHAT_PLACE_FIRST, .joint = {"", "\n\n"}, .alternate = true,
     .has = {"' [INST] ' + system_message + '\n\n'", "' ' + message['content'] + eos_token"},
     .lacks = {"<<SYS>>"}},
    {MISTRAL("mistral-v0"), .turns = {{"", ""}, {"[INST] ", " [/INST]"}, {"", EOS}}, .generate = "",
     .place = CHAT_PLACE_REFUSED, .alternate = true,
     .has = {"'[INST] ' + message['content'] + ' [/INST]'", "message['content'] + eos_token}}"},
     .lacks = {"<<SYS>>", "system_message", "trim"}},
    {GEMMA("gemma3"), .place = CHAT_PLACE_FIRST, .joint = {"", "\n\n"},
     .has = {"<start_of_turn>", "first_user_prefix"}},
    {GEMMA("gemma"), .place = CHAT_PLACE_REFUSED,
     .has = {"<start_of_turn>", "System role not supported"}},
    {.name = "phi3-early",
     .bos = "<s>",
     .eos = "<|endoftext|>",
     .bos_first = true,
     .turns = {{"", ""}, {"<|user|>\n", "<|end|>\n<|assistant|>\n"}, {"", "<|end|>\n"}},
     .generate = "",
     .place = CHAT_PLACE_NONE,
     .has = {"<|user|>", "<|assistant|>", "<|end|>"},
     .lacks = {"add_generation_prompt", "<|system|>", "eos_token"}},
    {.name = "phi4-mini",
     .bos = "",
     .eos = "<|endoftext|>",
     .turns = {{"<|system|>", "<|end|>"}, {"<|user|>", "<|end|>"}, {"<|assistant|>", "<|end|>"}},
     .generate = "<|assistant|>",
     .closing = EOS,
     .has = {"'|>' + message['content'] + '<|end|>'", "'<|assistant|>' }}{% else %}{{ eos_token"}},
    {.name = "phi3",
     .bos = "<s>",
     .eos = "<|endoftext|>",
     .turns = {{"<|system|>\n", "<|end|>\n"},
               {"<|user|>\n", "<|end|>\n"},
               {"<|assistant|>\n", "<|end|>\n"}},
     .generate = "<|assistant|>\n",
     .closing = EOS,
     .has = {"<|end|>", "<|assistant|>", "add_generation_prompt", "{% else %}{{ eos_token }}"},
     .lacks = {"messages[-1]", "<|im_start|>"}},
    {.name = "zephyr",
     .bos = "<s>",
     .eos = "</s>",
     .turns = {{"<|system|>\n", EOS "\n"}, {"<|user|>\n", EOS "\n"}, {"<|assistant|>\n", EOS "\n"}},
     .generate = "<|assistant|>\n",
     .has = {"<|user|>", "<|system|>", "message['content'] + eos_token }}\n",
             "loop.last and add_generation_prompt"},
     .lacks = {"<|end|>"}},
    {DEEPSEEK("deepseek-r1"), .think = CHAT_THINK_DROP, .generate = DS_ASSISTANT "<think>\n",
     .has = {DS_USER, "split('</think>')[-1]", DS_ASSISTANT "<think>\n"},
     .lacks = {"is_last_user", "flush_tool_outputs"}},
    {DEEPSEEK("deepseek-r1-early"), .think = CHAT_THINK_DROP, .generate = DS_ASSISTANT,
     .has = {DS_USER, "split('</think>')[-1]", DS_ASSISTANT},
     .lacks = {"is_last_user", "flush_tool_outputs", DS_ASSISTANT "<think>"}},
    {DEEPSEEK("deepseek-v3"), .generate = DS_ASSISTANT,
     .has = {DS_USER, DS_ASSISTANT, "system_prompt"},
     .lacks = {"</think>", "is_last_user", "flush_tool_outputs"}},
    {.name = "deepseek-v2",
     .bos = DS_TOKEN("begin"),
     .eos = DS_TOKEN("end"),
     .bos_first = true,
     .turns = {{"", "\n\n"}, {"User: ", "\n\n"}, {"Assistant: ", EOS}},
     .generate = "Assistant:",
     .has = {"'User: ' + message['content'] + '\n\n'", "'Assistant: ' + message['content'] + eos"}},
    /* The pair in models/: tools/pair/export.py. */
    {.name = "problem",
     .bos = "",
     .eos = "",
     .turns = {{"", ""}, {"Problem: ", "\nSolution:"}, {"", ""}},
     .generate = "",
     .last_only = true,
     .has = {"Problem: {{ messages[-1]['content'] }}\nSolution:"}},
};

const struct chat_family *chat_family_at(size_t i)
{
    return i < sizeof families / sizeof *families ? &families[i] : NULL;
}

#include "text/chat_builtin.h"

/* Pieces of programs. A piece leaves nothing between its tags. */
#define EACH          "{%- for m in messages -%}"
#define END_EACH      "{%- endfor -%}"
#define ANSWER(text)  "{%- if add_generation_prompt -%}" text "{%- endif -%}"
#define LITERAL(text) "{{ '" text "' }}"

/* Turns that all look alike: a mark with the role in it, the content, a mark. */
#define TURN(open, content, close) "{{ '" open "' ~ " content " ~ '" close "' }}"

#define IM_TURNS  EACH "{{ '<|im_start|>' ~ m.role ~ '\\n' ~ m.content ~ '<|im_end|>\\n' }}" END_EACH
#define IM_ANSWER "<|im_start|>assistant\\n"
#define IM_SYSTEM(text)                                                                            \
    "{%- if messages[0].role != 'system' -%}" LITERAL("<|im_start|>system\\n" text                 \
                                                      "<|im_end|>\\n") "{%- endif -%}"

/* Of earlier answers only what stands behind their thinking. */
#define WITHOUT_THINKING "m.content.split('</think>')[-1].lstrip('\\n')"

#define HEAD(role) "<|start_header_id|>' ~ " role " ~ '<|end_header_id|>\\n\\n"

/* A system message that is no turn, if there is one: the others are `turns` then. */
#define TAKE_SYSTEM                                                                                \
    "{%- set system = messages[0].content if messages[0].role == 'system' -%}"                     \
    "{%- set turns = messages[1:] if messages[0].role == 'system' else messages -%}"

/* Turns of a format in which the user and the assistant alternate. */
#define ALTERNATE                                                                                  \
    "{%- for m in turns -%}"                                                                       \
    "{%- if m.role != ('assistant' if loop.index0 % 2 else 'user') -%}"                            \
    "{{ raise_exception('user and assistant must alternate, and the user begins') }}"              \
    "{%- endif -%}"

#define NO_SYSTEM                                                                                  \
    "{%- if messages[0].role == 'system' -%}"                                                      \
    "{{ raise_exception('this format has no place for a system message') }}{%- endif -%}"

#define GEMMA_TURN(content)                                                                        \
    "{{ '<start_of_turn>' ~ ('model' if m.role == 'assistant' else m.role) ~ '\\n' ~ " content     \
    " ~ '<end_of_turn>\\n' }}" END_EACH                                                            \
    ANSWER(LITERAL("<start_of_turn>model\\n"))

#define MISTRAL(user, assistant)                                                                   \
    "{{ bos_token }}" TAKE_SYSTEM ALTERNATE "{%- if m.role == 'user' -%}" user                     \
    "{%- else -%}" assistant "{%- endif -%}" END_EACH
/* The system message stands in the last turn of the user, or in the first. */
#define WITH_SYSTEM(place) "(system ~ '\\n\\n' if system and loop." place " else '')"
#define WITH_SYSTEM_TURN(open)                                                                     \
    "{{ bos_token }}" EACH                                                                         \
    "{%- if m.role == 'system' -%}" TURN(open, "m.content", "[/SYSTEM_PROMPT]")

/* DeepSeek writes U+FF5C for the bar and U+2581 for the space in its tokens. */
#define BAR            "\xef\xbd\x9c"
#define LOW            "\xe2\x96\x81"
#define DS_USER        "<" BAR "User" BAR ">"
#define DS_ASSISTANT   "<" BAR "Assistant" BAR ">"
#define DS_TOKEN(word) "<" BAR word LOW "of" LOW "sentence" BAR ">"
#define DEEPSEEK(content, open)                                                                    \
    "{{ bos_token }}{{ messages|selectattr('role', 'equalto', 'system')|map(attribute='content')"  \
    "|join('\\n\\n') }}" EACH "{%- if m.role == 'user' -%}" TURN(                                  \
        DS_USER, "m.content",                                                                      \
        "") "{%- elif m.role == 'assistant' -%}" TURN(DS_ASSISTANT, content,                       \
                                                      "' ~ eos_token ~ '") "{%- endif "            \
                                                                           "-%}" END_EACH          \
                                                                           ANSWER(LITERAL(         \
                                                                               DS_ASSISTANT open))

/* clang-format off */
static const struct chat_builtin builtins[] = {
    {"chatml", IM_TURNS ANSWER(LITERAL(IM_ANSWER)), "", "<|im_end|>"},
    {"qwen2", IM_SYSTEM("You are a helpful assistant.") IM_TURNS ANSWER(LITERAL(IM_ANSWER)), "",
     "<|im_end|>"},
    {"qwen2.5",
     IM_SYSTEM("You are Qwen, created by Alibaba Cloud. You are a helpful assistant.")
         IM_TURNS ANSWER(LITERAL(IM_ANSWER)),
     "", "<|im_end|>"},
    {"qwen3",
     EACH
     "{%- set content = " WITHOUT_THINKING " if m.role == 'assistant' else m.content -%}"
     "{{ '<|im_start|>' ~ m.role ~ '\\n' ~ content ~ '<|im_end|>\\n' }}" END_EACH ANSWER(
         LITERAL(IM_ANSWER) "{%- if enable_thinking is defined and not enable_thinking -%}" LITERAL(
             "<think>\\n\\n</think>\\n\\n") "{%- endif -%}"),
     "", "<|im_end|>"},
    {"smollm2",
     IM_SYSTEM("You are a helpful AI assistant named SmolLM, trained by Hugging Face")
         IM_TURNS ANSWER(LITERAL(IM_ANSWER)),
     "", "<|im_end|>"},
    {"llama3",
     "{{ bos_token }}" EACH TURN(HEAD("m.role"), "m.content|trim", "<|eot_id|>")
         END_EACH ANSWER(LITERAL(HEAD("'assistant'"))),
     "<|begin_of_text|>", "<|eot_id|>"},
    {"llama3.1",
     "{{ bos_token }}" TAKE_SYSTEM TURN(
         HEAD("'system'") "Cutting Knowledge Date: December 2023\\nToday Date: ' ~ "
                          "date_string|default('26 Jul 2024') ~ '\\n\\n",
         "(system or '')|trim",
         "<|eot_id|>") "{%- for m in turns -%}" TURN(HEAD("m.role"), "m.content|trim", "<|eot_id|>")
         END_EACH ANSWER(LITERAL(HEAD("'assistant'"))),
     "<|begin_of_text|>", "<|eot_id|>"},
    {"llama2",
     TAKE_SYSTEM ALTERNATE
     "{%- set content = '<<SYS>>\\n' ~ system ~ '\\n<</SYS>>\\n\\n' ~ m.content if system is "
     "defined and loop.first else m.content -%}"
     "{%- if m.role == 'user' -%}" TURN(
         "' ~ bos_token ~ '[INST] ", "content|trim",
         " [/INST]") "{%- else -%}" TURN(" ", "content|trim",
                                         " ' ~ eos_token ~ '") "{%- endif -%}" END_EACH,
     "<s>", "</s>"},
    {"mistral-v1",
     MISTRAL(TURN(" [INST] ", WITH_SYSTEM("first") " ~ m.content", " [/INST]"),
             TURN(" ", "m.content", "' ~ eos_token ~ '")),
     "<s>", "</s>"},
    {"mistral-v3",
     MISTRAL(TURN("[INST] ", WITH_SYSTEM("last") " ~ m.content", "[/INST]"),
             TURN(" ", "m.content|trim", "' ~ eos_token ~ '")),
     "<s>", "</s>"},
    {"mistral-v3-tekken",
     MISTRAL(TURN("[INST]", WITH_SYSTEM("last") " ~ m.content", "[/INST]"),
             TURN("", "m.content", "' ~ eos_token ~ '")),
     "<s>", "</s>"},
    {"mistral-v7",
     WITH_SYSTEM_TURN("[SYSTEM_PROMPT] ") "{%- elif m.role == 'user' -%}" TURN(
         "[INST] ", "m.content",
         "[/INST]") "{%- else -%}" TURN(" ", "m.content",
                                        "' ~ eos_token ~ '") "{%- endif -%}" END_EACH,
     "<s>", "</s>"},
    {"mistral-v7-tekken",
     WITH_SYSTEM_TURN("[SYSTEM_PROMPT]") "{%- elif m.role == 'user' -%}" TURN(
         "[INST]", "m.content",
         "[/INST]") "{%- else -%}" TURN("", "m.content",
                                        "' ~ eos_token ~ '") "{%- endif -%}" END_EACH,
     "<s>", "</s>"},
    {"gemma", "{{ bos_token }}" NO_SYSTEM TAKE_SYSTEM ALTERNATE GEMMA_TURN("m.content|trim"),
     "<bos>", "<eos>"},
    {"gemma3",
     "{{ bos_token }}" TAKE_SYSTEM ALTERNATE GEMMA_TURN(WITH_SYSTEM("first") " ~ m.content|trim"),
     "<bos>", "<eos>"},
    {"phi3",
     EACH "{{ '<|' ~ m.role ~ '|>\\n' ~ m.content ~ '<|end|>\\n' }}" END_EACH
          "{{ '<|assistant|>\\n' if add_generation_prompt else eos_token }}",
     "<s>", "<|endoftext|>"},
    {"phi4",
     EACH "{{ '<|im_start|>' ~ m.role ~ '<|im_sep|>' ~ m.content ~ '<|im_end|>' }}" END_EACH ANSWER(
         LITERAL("<|im_start|>assistant<|im_sep|>")),
     "", "<|im_end|>"},
    {"phi4-mini",
     EACH "{{ '<|' ~ m.role ~ '|>' ~ m.content ~ '<|end|>' }}" END_EACH
          "{{ '<|assistant|>' if add_generation_prompt else eos_token }}",
     "", "<|endoftext|>"},
    {"zephyr",
     EACH "{{ '<|' ~ m.role ~ '|>\\n' ~ m.content ~ eos_token ~ '\\n' }}" END_EACH ANSWER(
         LITERAL("<|assistant|>\\n")),
     "<s>", "</s>"},
    {"deepseek-v2",
     "{{ bos_token }}" EACH "{%- if m.role == 'user' -%}" TURN(
         "User: ", "m.content",
         "\\n\\n") "{%- elif m.role == 'assistant' -%}" TURN("Assistant: ", "m.content",
                                                             "' ~ eos_token ~ '") "{%- else "
                                                                                  "-%}" TURN("",
                                                                                             "m."
                                                                                             "conte"
                                                                                             "nt",
                                                                                             "\\n\\"
                                                                                             "n") "{%- endif -%}" END_EACH
                                                                                      ANSWER(
                                                                                          LITERAL(
                                                                                              "Assi"
                                                                                              "stan"
                                                                                              "t"
                                                                                              ":")),
     DS_TOKEN("begin"), DS_TOKEN("end")},
    {"deepseek-v3", DEEPSEEK("m.content", ""), DS_TOKEN("begin"), DS_TOKEN("end")},
    {"deepseek-r1", DEEPSEEK("m.content.split('</think>')[-1]", "<think>\\n"), DS_TOKEN("begin"),
     DS_TOKEN("end")},
    /* The pair in models/: tools/pair/export.py. */
    {"problem", "Problem: {{ messages[-1]['content'] }}\nSolution:", "", ""},
};
/* clang-format on */

const struct chat_builtin *chat_builtin_at(size_t i)
{
    return i < sizeof builtins / sizeof *builtins ? &builtins[i] : NULL;
}

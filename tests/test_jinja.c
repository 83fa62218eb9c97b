/* The template language: statements, white space, expressions, errors. */
#include "test_jinja_render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct row statements[] = {
    {"{% if a %}A{% elif b %}B{% else %}C{% endif %}", "{\"a\":0,\"b\":[1]}", "B"},
    {"{% if not x %}no{% endif %}{% if x is defined %}yes{% endif %}", NULL, "no"},
    {"{% if a == 1 %}{% if b == 2 %}both{% else %}one{% endif %}{% endif %}", "{\"a\":1,\"b\":3}",
     "one"},
    {"{% for x in xs %}{{ x }},{% else %}none{% endfor %}", "{\"xs\":[1,2,3]}", "1,2,3,"},
    {"{% for x in [] %}{{ x }}{% else %}none{% endfor %}{% for x in nothing %}x{% else %}!{% "
     "endfor %}",
     NULL, "none!"},
    {"{% for x in xs %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ "
     "loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}",
     "{\"xs\":[\"a\",\"b\"]}", "1021TrueFalse210 2110FalseTrue210 "},
    {"{% for x in xs %}[{{ loop.previtem }}<{{ x }}<{{ loop.nextitem }}]{{ loop.cycle('o','e') "
     "}}{{ loop.changed(x) }}{% endfor %}",
     "{\"xs\":[5,5,6]}", "[<5<5]oTrue[5<5<6]eFalse[5<6<]oTrue"},
    {"{% for x in xs if x is odd %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% else %}-{% endfor "
     "%}",
     "{\"xs\":[1,2,3,4,5]}", "1/3:1 2/3:3 3/3:5 "},
    {"{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}",
     "{\"d\":{\"b\":1,\"a\":2}}", "b=1;a=2;ba"},
    {"{% for (a, b), c in xs %}{{ a }}{{ b }}{{ c }} {% endfor %}",
     "{\"xs\":[[[1,2],3],[[4,5],6]]}", "123 456 "},
    {"{% for c in 'h\303\251\346\227\245' %}{{ c }}.{% endfor %}", NULL,
     "h.\303\251.\346\227\245."},
    {"{% for x in range(9) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% "
     "endif %}{{ x }}{% else %}E{% endfor %}",
     NULL, "0134"},
    {"{% for x in [1,2] %}{% continue %}{% else %}E{% endfor %}|{% for x in [1,2] %}{% break %}{% "
     "else %}E{% endfor %}",
     NULL, "E|E"},
    {"{% for x in [1,2] %}{% for y in [3,4] %}{% if y == 4 %}{% break %}{% endif %}{{ x }}{{ y }} "
     "{% endfor %}{{ loop.index }};{% endfor %}",
     NULL, "13 1;23 2;"},
    {"{% set x = 1 %}{% for i in [1,2] %}{{ x }}{% set x = 5 %}{{ x }}{% endfor %}{{ x }}{{ i is "
     "defined }}{{ loop is defined }}",
     NULL, "15151FalseFalse"},
    {"{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}", NULL, "2"},
    {"{% set ns = namespace(n=0, s='') %}{% for i in xs %}{% set ns.n = ns.n + i %}{% set ns.s = "
     "ns.s ~ i %}{% endfor %}{{ ns.n }}{{ ns.s }}{{ ns.nope is undefined }}",
     "{\"xs\":[1,2,3]}", "6123True"},
    {"{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns['b'] }}", NULL, "12"},
    {"{% set a, b = 1, 'two' %}{{ a }}{{ b }}{% set (c, d) = [3, 4] %}{{ c }}{{ d }}{% set t = 1, "
     "2 %}{{ t }}",
     NULL, "1two34(1, 2)"},
    {"{% set x %}in{{ 1 + 1 }}{% endset %}[{{ x }}]{% set y | upper | trim %} q {% endset %}[{{ y "
     "}}]",
     NULL, "[in2][Q]"},
    {"{% macro m(a, b=2, c='z') %}{{ a }}{{ b }}{{ c }};{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ "
     "m(b=5, a=4) }}{{ m() }}{{ m.name }}",
     NULL, "12z;13z;45z;2z;m"},
    {"{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, k='v') }}|{{ "
     "m(*[1, 2], **{'q': 3}) }}",
     NULL, "1(2, 3){'k': 'v'}|1(2,){'q': 3}"},
    {"{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(7) }}", NULL, "7"},
    {"{% macro f(n) %}{% if n > 1 %}{{ n * f(n - 1) | int }}{% else %}1{% endif %}{% endmacro %}{{ "
     "f(6) }}",
     NULL, "720"},
    {"{% set g = 'G' %}{% macro m() %}{{ g }}{% set g = 'L' %}{{ g }}{% endmacro %}{{ m() }}{{ g "
     "}}",
     NULL, "GLG"},
    {"{% macro wrap(t) %}<{{ t }}>{{ caller('x', n=2) }}</{{ t }}>{% endmacro %}{% call(a, n=1) "
     "wrap('b') %}{{ a }}{{ n }}{% endcall %}",
     NULL, "<b>x2</b>"},
    {"{% macro w() %}{{ caller is defined }}{% if caller %}{{ caller() }}{% endif %}{% endmacro "
     "%}{{ w() }}{% call w() %}in{% endcall %}",
     NULL, "FalseTruein"},
    {"{% macro outer() %}{% macro inner() %}i{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() "
     "}}{{ inner is defined }}",
     NULL, "iFalse"},
    {"{% filter upper | replace('B', '-') %}a{{ 'b' }}c{% endfilter %}", NULL, "A-C"},
    {"{% with a = 1, b = 2 %}{{ a }}{{ b }}{% set a = 3 %}{{ a }}{% endwith %}{{ a }}{% with %}w{% "
     "endwith %}",
     "{\"a\":\"out\"}", "123outw"},
    {"{% with a = 1, b = a %}{{ b }}{% endwith %}", "{\"a\":\"out\"}", "out"},
    {"{% generation %}g{% set x = 1 %}{{ x }}{% endgeneration %}{{ x is defined }}", NULL,
     "g1False"},
    {"{% print 1 + 1 %}{% print 'a', 2 %}", NULL, "2a2"},
    {"{% for x in [1, 2] %}a{% filter upper %}b{% break %}{% endfilter %}{% endfor %}c", NULL,
     "ac"},
    {"{% for x in [1, 2] %}{{ x }}{% set y %}b{% continue %}{% endset %}-{% endfor %}{{ y is "
     "defined }}",
     NULL, "12False"},
    {"{{ 1, 'b' }}{{ (1,) }}{{ () }}", NULL, "(1, 'b')(1,)()"},
    {"{% raw %}{{ no }}{% if %}{# #}{% endraw %}|{%- raw -%}  x  {%- endraw -%}  y", NULL,
     "{{ no }}{% if %}{# #}|xy"},
    {"{# a comment {{ 1 }} {% if %} #}x{#- and -#}  y", NULL, "xy"},
    {"{% if x: %}colon{% endif %}{% for i in [1]: %}{{ i }}{% endfor %}", "{\"x\":1}", "colon1"},
    {"{{ self is defined }}{{ self.block is defined }}", NULL, "TrueFalse"},
};

static const struct row white_space[] = {
    {"a\n{% if 1 %}\nb\n{% endif %}\nc\n", NULL, "a\nb\nc"},
    {"a\n   {% if 1 %}  \n  b\n  {% endif %}  \nc\n\n", NULL, "a\n  \n  b\n  \nc\n"},
    {"a  {%- if 1 -%}  b  {%- endif -%}  c", NULL, "abc"},
    {"  {%+ if 1 %}\nb{% endif +%}\nc", NULL, "  b\nc"},
    {"a {{- 1 -}} b\n{{- 2 }}\n {{ 3 -}} \nc", NULL, "a1b2\n 3c"},
    {"a\n  {# c #}\nb\n  {#- c -#}\n d", NULL, "a\nbd"},
    {"x {{ 1 }}\n\n{{ 2 }}\ny", NULL, "x 1\n\n2\ny"},
    {"{% for x in [1,2] %}\n  {{ x }}\n{% endfor %}\nend", NULL, "  1\n  2\nend"},
    {"a\r\n{% if 1 %}\r\nb\r{% endif %}c\r\n", NULL, "a\nb\nc"},
    {"\n\n{% set x = 1 -%}\n\n\t {{ x }}\n", NULL, "\n\n1"},
    {"x\n\t{%- set x = 1 +%}\ny", NULL, "x\ny"},
    {"{{ '\n' }}\n{{ 'a' -}}\n", NULL, "\n\na"},
};

static const struct row literals[] = {
    {"{{ 'a\\n\\t\\\\\\'' }}{{ \"q\\\"\\x41\\u00e9\\U0001F600\\101\" }}", NULL,
     "a\n\t\\'q\"A\303\251\360\237\230\200A"},
    {"{{ 'a' 'b' \"c\" }}{{ '\\q\\d' }}", NULL, "abc\\q\\d"},
    {"{{ 1_000 }}|{{ 0x1F }}|{{ 0b101 }}|{{ 0o17 }}|{{ 1.5e3 }}|{{ 1e-7 }}|{{ 2.50 }}|{{ 1E5 }}|{{ "
     "00 }}",
     NULL, "1000|31|5|15|1500.0|1e-07|2.5|100000.0|0"},
    {"{{ true }}{{ True }}{{ false }}{{ False }}{{ none }}{{ None }}", NULL,
     "TrueTrueFalseFalseNoneNone"},
    {"{{ [1, 'a', 2.0, none, [true,],] }}{{ {'a': 1, 2: 'b', 'c': {}} }}{{ {} }}{{ [] }}", NULL,
     "[1, 'a', 2.0, None, [True]]{'a': 1, 2: 'b', 'c': {}}{}[]"},
    {"{{ (1) }}{{ (1,) }}{{ (1, 2) }}", NULL, "1(1,)(1, 2)"},
    {"{{ 0.1 }}|{{ 1e16 }}|{{ 1e15 }}|{{ 123456789.125 }}|{{ 1e22 }}|{{ 0.0001 }}|{{ 0.00001 }}|{{ "
     "5e-324 }}|{{ 1.7976931348623157e308 }}|{{ 1e308 * 10 }}|{{ -0.0 }}|{{ 100.0 }}|{{ 0.1 + 0.2 "
     "}}|{{ 2.2250738585072014e-308 }}|{{ 9007199254740993.0 }}",
     NULL,
     "0.1|1e+16|1000000000000000.0|123456789.125|1e+22|0.0001|1e-05|5e-324|1.7976931348623157e+308|"
     "inf|-0.0|100.0|0.30000000000000004|2.2250738585072014e-308|9007199254740992.0"},
    {"{{ [s, 'it\\'s', \"\\\"\", 'both \\' \\\"', 'n\\n\\x07\\x7f\302\240\302\255', "
     "'\303\251\346\227\245\360\237\230\200'] }}",
     "{\"s\":\"plain\"}",
     "['plain', \"it's\", '\"', 'both \\' \"', 'n\\n\\x07\\x7f\\xa0\\xad', "
     "'\303\251\346\227\245\360\237\230\200']"},
    {"{{ x }}{{ [x] }}{{ {'k': none} }}", "{\"x\":null}", "None[None]{'k': None}"},
};

static const struct row operators[] = {
    {"{{ 1e16 // 3 }} {{ 1e22 // 3 }}", NULL, "3333333333333333.0 3.3333333333333335e+21"},
    {"{{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % "
     "-3 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 3 ** 2 }}",
     NULL, "7 9 3 -4 1 2 -2 3.5 3.0 1024 0.5 64"},
    {"{{ -2 ** 2 }} {{ 2 ** -2 }} {{ - 3 + 5 }} {{ +3 }} {{ 7.5 // 2 }} {{ -7.5 // 2 }} {{ 7.5 % 2 "
     "}} {{ -0.5 // 1 }} {{ -0.0 // 3 }} {{ 1 + true }}",
     NULL, "4 0.25 2 3 3.0 -4.0 1.5 -1.0 -0.0 2"},
    {"{{ 'a' + 'b' }} {{ 'ab' * 3 }} {{ 2 * 'x' }} {{ 'a' * -1 }}| {{ [1] + [2] }} {{ [0] * 2 }} "
     "{{ (1,) + (2,) }}",
     NULL, "ab ababab xx | [1, 2] [0, 0] (1, 2)"},
    {"{{ 1 ~ 'a' ~ none ~ 1.0 ~ [1] ~ true ~ nope }}|{{ 2 * 3 ~ 4 }}", NULL, "1aNone1.0[1]True|64"},
    {"{{ 1 < 2 < 3 }}{{ 1 < 3 < 2 }}{{ 1 == 1.0 == true }}{{ 3 > 2 >= 2 != 1 }}{{ 1 <= 0 }}{{ 'a' "
     "< 'b' }}{{ 'Z' < 'a' }}{{ [1, 2] < [1, 3] }}{{ (1,) == (1,) }}",
     NULL, "TrueFalseTrueTrueFalseTrueTrueTrueTrue"},
    {"{{ {'a': 1} == {'a': 1.0} }}{{ [1] == (1,) }}{{ 'a' == 1 }}{{ none == false }}{{ nope == "
     "nope2 }}{{ nope == none }}{{ 0.1 + 0.2 == 0.3 }}",
     NULL, "TrueFalseFalseFalseTrueFalseFalse"},
    {"{{ 1 in [1] }}{{ 4 not in [1] }}{{ 'b' in 'abc' }}{{ '' in 'a' }}{{ 'k' in {'k': 1} }}{{ 1 "
     "in (1, 2) }}{{ not 1 in [2] }}{{ 'x' in nope }}{{ 1.0 in [1] }}{{ 2 in range(3) }}{{ 'a' in "
     "d.keys() }}",
     "{\"d\":{\"a\":1}}", "TrueTrueTrueTrueTrueTrueTrueFalseTrueTrueTrue"},
    {"{{ 0 or 'a' }}{{ '' and 'b' }}{{ 1 and 2 or 3 }}{{ not 0 and 1 }}{{ none or false }}{{ [] or "
     "{} }}",
     NULL, "a21False{}"},
    {"{{ 'y' if 1 else 'n' }}{{ 'y' if 0 else 'n' }}{{ 'y' if 0 }}{{ 1 if 0 else 2 if 0 else 3 "
     "}}{{ ('a' if 1 else 'b') ~ 'c' }}",
     NULL, "yn3ac"},
    {"{{ not true == false }}{{ -1|abs }}{{ (-1)|abs }}{{ 1 + 2|string|length }}{{ 'a' ~ 'b'|upper "
     "}}{{ 2 ** 2|float }}",
     NULL, "True112aB4.0"},
    {"{{ 'a' if '' else 'b' }}{{ 't' if '0' }}{{ 't' if 0.0 else 'f' }}{{ 't' if [0] }}{{ 't' if "
     "{} else 'f' }}{{ 't' if range(0) else 'f' }}{{ 't' if nope else 'f' }}{{ 't' if (0,) }}",
     NULL, "btftffft"},
    {"{{ 9223372036854775807 }}{{ -9223372036854775807 - 1 }}{{ 3037000499 * 3037000499 }}{{ 10 ** "
     "18 }}{{ 2 ** 0.5 }}{{ 4 ** 0.5 }}{{ 7 % 2.5 }}",
     NULL,
     "9223372036854775807-9223372036854775808922337203092624900110000000000000000001."
     "41421356237309512.02.0"},
    {"{{ 1 is odd and 2 is even }}{{ not 1 is even }}{{ 1 is not even }}{{ 4 is divisibleby 2 }}{{ "
     "4 is divisibleby(3) }}{{ 'a' is in ['a'] }}",
     NULL, "TrueTrueTrueTrueFalseTrue"},
};

static const struct row access[] = {
    {"{{ d.a }}{{ d['b'] }}{{ d.c.x }}{{ d['c']['x'] }}{{ d.nope is undefined }}{{ d.nope }}|{{ "
     "d['items'] }}{{ d.get('a') }}{{ d.get('z') }}{{ d.get('z', 7) }}",
     "{\"d\":{\"a\":1,\"b\":\"B\",\"c\":{\"x\":[1]},\"items\":\"I\"}}", "1B[1][1]True|I1None7"},
    {"{{ xs[0] }}{{ xs[-1] }}{{ xs.0 }}{{ xs[9] is undefined }}{{ xs[1][0] }}{{ s[0] }}{{ s[-1] "
     "}}{{ s[9] is defined }}{{ xs.0.1 }}",
     "{\"xs\":[\"ab\",[1]],\"s\":\"h\303\251\"}", "ab[1]abTrue1h\303\251Falseb"},
    {"{{ s[1:3] }} {{ s[:-1] }} {{ s[::2] }} {{ s[::-1] }} {{ s[3:1] }}| {{ s[-2:] }} {{ s[10:] "
     "}}| {{ s[:99] }} {{ s[4:0:-2] }} {{ s[none:2] }}",
     "{\"s\":\"h\303\251llo\"}",
     "\303\251l h\303\251ll hlo oll\303\251h | lo | h\303\251llo ol h\303\251"},
    {"{{ xs[1:] }}{{ xs[:2] }}{{ xs[::-1] }}{{ xs[::2] }}{{ xs[-3:-1] }}{{ xs[5:] }}{{ xs[2:0:-1] "
     "}}{{ (1, 2, 3)[1:] }}{{ xs[:] }}{{ xs[99::-1] }}",
     "{\"xs\":[1,2,3,4]}",
     "[2, 3, 4][1, 2][4, 3, 2, 1][1, 3][2, 3][][3, 2](2, 3)[1, 2, 3, 4][4, 3, 2, 1]"},
    {"{{ {1: 'i', 1.5: 'f', (1, 2): 't', none: 'n', true: 'b'} }}{{ {1: 'a'}[true] }}{{ {'a': 1, "
     "'a': 2} }}",
     NULL, "{1: 'b', 1.5: 'f', (1, 2): 't', None: 'n'}a{'a': 2}"},
    {"{{ 'abc'.upper().lower()[0] }}{{ [1, 2].__class__ is defined }}{{ 'x'.nope is defined }}{{ "
     "d.__class__ is defined }}",
     "{\"d\":{}}", "aFalseFalseFalse"},
    {"{{ range(4)|list }}{{ range(1, 4)|list }}{{ range(5, 0, -2)|list }}{{ range(3) }}{{ range(1, "
     "5, 2) }}{{ range(3)[1] }}{{ range(3)|length }}{{ range(-2)|list }}",
     NULL, "[0, 1, 2, 3][1, 2, 3][5, 3, 1]range(0, 3)range(1, 5, 2)13[]"},
    {"{{ dict(a=1, b=2) }}{{ dict({'x': 1}, y=2) }}{{ dict([('k', 'v')]) }}", NULL,
     "{'a': 1, 'b': 2}{'x': 1, 'y': 2}{'k': 'v'}"},
    {"{{ strftime_now('%Y-%m-%d %H:%M:%S %j %b %B %a %A %y %%') }}", NULL,
     "2026-01-02 03:04:05 002 Jan January Fri Friday 26 %"},
    {"{{ [d.items(), d.keys(), d.values()] }}{{ d.items()|list }}{{ d|list }}{{ d|length }}",
     "{\"d\":{\"a\":1,\"b\":[2]}}",
     "[dict_items([('a', 1), ('b', [2])]), dict_keys(['a', 'b']), dict_values([1, [2]])][('a', 1), "
     "('b', [2])]['a', 'b']2"},
};

/* jinja2 refuses these too; the words are ours, and name the line. */
static const struct row errors[] = {
    {"a\n{{ nope.x }}", NULL, "line 2: \"nope\" is undefined, so it has no \"x\""},
    {"{{ d.x.y }}", "{\"d\":{}}", "line 1: \"x\" is undefined, so it has no \"y\""},
    {"{{ nope() }}", NULL, "line 1: \"nope\" is undefined, and cannot be called"},
    {"{{ d.nope() }}", "{\"d\":{}}", "line 1: \"nope\" is undefined, and cannot be called"},
    {"{{ nope + 1 }}", NULL, "line 1: \"nope\" is undefined"},
    {"{{ 1 + 'a' }}", NULL, "line 1: + has no meaning between int and str"},
    {"{{ 'a' < 1 }}", NULL, "line 1: < has no meaning between str and int"},
    {"{{ 1 / 0 }}", NULL, "line 1: division by zero"},
    {"{{ 1 % 0 }}", NULL, "line 1: division by zero"},
    {"{{ 'a' in 1 }}", NULL, "line 1: in has no meaning between str and int"},
    {"{{ -'a' }}", NULL, "line 1: expected a number after \"-\", found str"},
    {"{% for x in 1 %}{% endfor %}", NULL, "line 1: expected something to go through, found int"},
    {"{{ none.x.y }}", NULL, "line 1: \"x\" is undefined, so it has no \"y\""},
    {"{{ {[]: 1} }}", NULL, "line 1: a list cannot be a key"},
    {"{% set a, b = [1] %}", NULL, "line 1: expected 2 values to unpack, found 1"},
    {"{% set d.x = 1 %}", "{\"d\":{}}",
     "line 1: expected a namespace to assign \"x\" to, found dict"},
    {"{{ xs.append(1) }}", "{\"xs\":[]}", "line 1: a template must not change a list"},
    {"{{ d.update({}) }}", "{\"d\":{}}", "line 1: a template must not change a dict"},
    {"{{ 'abc'.index('z') }}", NULL, "line 1: index(): the text is not there"},
    {"{{ nope|tojson }}", NULL, "line 1: JSON: \"nope\" is undefined"},
    {"{{ [nope]|tojson }}", NULL, "line 1: JSON: \"nope\" is undefined"},
    {"{{ range|tojson }}", NULL, "line 1: JSON has no form for a function"},
    {"{{ 5|length }}", NULL, "line 1: a int has no length"},
    {"{{ [1, 'a']|sort }}", NULL, "line 1: < has no meaning between str and int"},
    {"{{ '%d' % 'a' }}", NULL, "line 1: the format's %d: expected a number, found str"},
    {"{{ '%s %s' % 'a' }}", NULL, "line 1: the format has more places than there are values"},
    {"{{ '%s' % (1, 2) }}", NULL, "line 1: there are more values than the format has places"},
    {"{{ '{}'.format() }}", NULL, "line 1: the format asks for \"\", which is not there"},
    {"{{ 'a'.join([1]) }}", NULL, "line 1: join(): expected texts, found int"},
    {"{{ [[1]]|unique|list }}", NULL, "line 1: a list cannot be a key"},
    {"{{ range(200000) }}", NULL, "line 1: range(): more than 100000 numbers"},
    {"{{ range(1, 2, 0) }}", NULL, "line 1: range() with a step of 0"},
    {"{{ 'a'.split('') }}", NULL, "line 1: split(): an empty separator"},
    {"{{ 'a'.upper(1) }}", NULL, "line 1: upper() takes at most 0 arguments, found 1"},
    {"{{ 'a'|replace('x') }}", NULL, "line 1: replace() needs \"new\""},
    {"{{ 'a'|upper(x=1) }}", NULL, "line 1: upper(): unexpected argument \"x\""},
    {"{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", NULL,
     "line 1: the macro takes at most 1 arguments, found 2"},
    {"{% macro m(a) %}{% endmacro %}{{ m(b=2) }}", NULL,
     "line 1: the macro has no parameter \"b\""},
    {"{% macro m(a) %}{% endmacro %}{{ m(1, a=2) }}", NULL, "line 1: the macro got \"a\" twice"},
    {"{{ nope|dictsort }}", NULL, "line 1: dictsort: expected a dict"},
    {"{{ '{:d}'.format(1.5) }}", NULL, "line 1: the format's type 'd': found float"},
    {"{{ xs[::0] }}", "{\"xs\":[1]}", "line 1: a slice with a step of 0"},
    {"{{ 1() }}", NULL, "line 1: a int cannot be called"},
    {"one\ntwo\n{{ raise_exception('No ' ~ x) }}", "{\"x\":\"tools!\"}",
     "line 3: the template refuses: No tools!"},
    {"{% if true %}\n\n{% set x = nope.y %}{% endif %}", NULL,
     "line 3: \"nope\" is undefined, so it has no \"y\""},
    {"{%- macro m() %}\n{{ a.b.c }}\n{% endmacro -%}\n\n{{ m() }}", "{\"a\":{}}",
     "line 2: \"b\" is undefined, so it has no \"c\""},
    {"{{ 1", NULL, "line 1: the template ends inside of a tag"},
    {"{{ }}", NULL, "line 1: expected an expression, found \"}}\""},
    {"a\nb {% if x %}", NULL, "line 2: expected \"endif\", found the end of the template"},
    {"{% endif %}", NULL, "line 1: expected a statement of chat templates, found \"endif\""},
    {"{% if %}{% endif %}", NULL, "line 1: expected an expression, found \"%}\""},
    {"{% for x %}{% endfor %}", NULL, "line 1: expected \"in\", found \"%}\""},
    {"{% for 1 in x %}{% endfor %}", NULL, "line 1: expected a name to assign to"},
    {"{% nope %}", NULL, "line 1: expected a statement of chat templates, found \"nope\""},
    {"{{ 'abc }}", NULL, "line 1: the string that begins here has no end"},
    {"\n{# no end", NULL, "line 2: the comment that begins here has no end"},
    {"\n\n{% raw %}x", NULL, "line 3: the raw block that begins here has no end"},
    {"{{ (1 }}", NULL, "line 1: expected ')', found '}'"},
    {"{{ 1) }}", NULL, "line 1: unexpected ')'"},
    {"{{ [1) }}", NULL, "line 1: expected ']', found ')'"},
    {"{{ a b }}", NULL, "line 1: expected \"}}\", found \"b\""},
    {"{{ a ! b }}", NULL, "line 1: unexpected character '!' in a tag"},
    {"{{ 'a'|nope }}", NULL, "line 1: there is no filter \"nope\""},
    {"{{ 1 is nope }}", NULL, "line 1: there is no test \"nope\""},
    {"{% break %}", NULL, "line 1: break outside of a loop"},
    {"{% macro m(a=1, b) %}{% endmacro %}", NULL,
     "line 1: a parameter without a default behind one with"},
    {"{{ f(a=1, 2) }}", NULL, "line 1: arguments without a name come first"},
    {"{% call 1 %}{% endcall %}", NULL, "line 1: expected a call in the call block"},
    {"{% set x + 1 = 2 %}", NULL, "line 1: expected \"%}\", found \"+\""},
    {"{{ '\\x4' }}", NULL, "line 1: expected an escape that exists, found \\x4"},
    {"{{ a. }}", NULL, "line 1: expected a name or a number after \".\", found \"}}\""},
    {"{{ a[] }}", NULL, "line 1: expected an index, found \"]\""},
    {"{% else %}", NULL, "line 1: expected a statement of chat templates, found \"else\""},
    {"{% for x in [] %}\n\n{% endif %}", NULL,
     "line 3: expected a statement of chat templates, found \"endif\""},
};

static void test_errors(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        const struct row *r = &errors[i];
        struct buf out = {0};
        struct err err = {0};
        const enum status st =
            render_text(r->text, strlen(r->text), r->variables, &jinja_limits_usual, &out, &err);
        if (st == ST_OK || out.len || strcmp(err.message, r->expected) != 0) {
            printf("template: %s\nexpected: %s\nfound:    %s\n", r->text, r->expected,
                   st == ST_OK ? "no error" : err.message);
            wrong++;
        }
        buf_deinit(&out);
    }
    assert_int_equal(wrong, 0);
}

static enum status status_of(const char *text)
{
    struct buf out = {0};
    struct err err = {0};
    const enum status st = render_text(text, strlen(text), NULL, &jinja_limits_usual, &out, &err);
    buf_deinit(&out);
    return st;
}

/* A template's refusal is another thing than a fault of the template. */
static void test_statuses(void **state)
{
    (void)state;
    assert_int_equal(status_of("{{ raise_exception('no') }}"), ST_ARG);
    assert_int_equal(status_of("{{ nope.x }}"), ST_FORMAT);
    assert_int_equal(status_of("{{ nope"), ST_FORMAT);
    /* What is unknown is an error where it is reached, and in a branch only there. */
    assert_int_equal(status_of("{% if false %}{{ 'a'|nope }}{{ 1 is nope }}{% endif %}"), ST_OK);
    assert_int_equal(status_of("{% if true %}{{ 'a'|nope }}{% endif %}"), ST_FORMAT);
}

/* transformers' sandbox refuses what would change a list or a dict. */
static void test_changes_refused(void **state)
{
    (void)state;
    static const char *const calls[] = {"[].append(1)",         "[].clear()",   "[].extend([])",
                                        "[].insert(0, 1)",      "[1].pop()",    "[].remove(1)",
                                        "[].reverse()",         "[].sort()",    "{}.clear()",
                                        "{}.pop('a')",          "{}.popitem()", "{}.update({})",
                                        "{}.setdefault('a', 1)"};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        char text[64];
        snprintf(text, sizeof text, "{{ %s }}", calls[i]);
        if (status_of(text) != ST_FORMAT) fail_msg("accepted: %s", text);
    }
}

/* After an error the output is what it was before. */
static void test_output_kept(void **state)
{
    (void)state;
    static const char text[] = "new{{ nope.x }}";
    struct buf out = {0};
    struct err err = {0};
    assert_int_equal(buf_add_str(&out, "old"), ST_OK);
    assert_int_equal(render_text(text, sizeof text - 1, NULL, &jinja_limits_usual, &out, &err),
                     ST_FORMAT);
    assert_string_equal(out.data, "old");
    assert_int_equal(render_text(text, 3, NULL, &jinja_limits_usual, &out, &err), ST_OK);
    assert_string_equal(out.data, "oldnew");
    buf_deinit(&out);
}

static void test_mentions(void **state)
{
    (void)state;
    static const char text[] = "{% if enable_thinking %}{{ m.tools }}{% endif %}documents";
    struct jinja *j = NULL;
    struct err err = {0};
    assert_int_equal(jinja_open(text, sizeof text - 1, &j, &err), ST_OK);
    assert_true(jinja_mentions(j, "enable_thinking"));
    assert_true(jinja_mentions(j, "tools"));
    assert_false(jinja_mentions(j, "documents"));
    jinja_close(j);
}

static void test_statements(void **state)
{
    (void)state;
    RENDER_ROWS(statements);
}

static void test_white_space(void **state)
{
    (void)state;
    RENDER_ROWS(white_space);
}

static void test_literals(void **state)
{
    (void)state;
    RENDER_ROWS(literals);
}

static void test_operators(void **state)
{
    (void)state;
    RENDER_ROWS(operators);
}

static void test_access(void **state)
{
    (void)state;
    RENDER_ROWS(access);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements),  cmocka_unit_test(test_white_space),
        cmocka_unit_test(test_literals),    cmocka_unit_test(test_operators),
        cmocka_unit_test(test_access),      cmocka_unit_test(test_errors),
        cmocka_unit_test(test_statuses),    cmocka_unit_test(test_changes_refused),
        cmocka_unit_test(test_output_kept), cmocka_unit_test(test_mentions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The template language: filters, tests and methods. */
#include "test_jinja_render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct row filters_of_numbers[] = {
    {"{{ '-10'|int(base=8) }}{{ '1_000'|int(base=16) }}{{ '-0'|float }}", NULL, "-84096-0.0"},
    {"{{ -3|abs }}{{ (-3)|abs }}{{ (-2.5)|abs }}{{ true|abs }}", NULL, "332.51"},
    {"{{ '42'|int }} {{ ' -7 '|int }} {{ '3.9'|int }} {{ 3.9|int }} {{ -3.9|int }} {{ 'x'|int }} "
     "{{ 'x'|int(5) }} {{ '0x1F'|int(base=16) }} {{ 'ff'|int(0, 16) }} {{ '101'|int(base=2) }} {{ "
     "none|int }} {{ true|int }} {{ '1e3'|int }} {{ '1_0'|int }} {{ ''|int(default=-1) }} {{ "
     "[1]|int }}",
     NULL, "42 -7 3 3 -3 0 5 31 255 5 0 1 1000 10 -1 0"},
    {"{{ '1.5'|float }} {{ 2|float }} {{ 'x'|float }} {{ 'x'|float(1.5) }} {{ 'inf'|float }} {{ "
     "'.5'|float }} {{ ' 2. '|float }} {{ none|float }} {{ '1e3'|float }}",
     NULL, "1.5 2.0 0.0 1.5 inf 0.5 2.0 0.0 1000.0"},
    {"{{ 2.5|round }} {{ 3.5|round }} {{ 1.005|round(2) }} {{ 2.675|round(2) }} {{ "
     "1234.567|round(-2) }} {{ 5|round }} {{ 15|round(-1) }} {{ 2.1|round(method='ceil') }} {{ "
     "2.19|round(1, 'floor') }} {{ -2.5|round }} {{ (-2.5)|round }}",
     NULL, "2.0 4.0 1.0 2.67 1200.0 5 20 3.0 2.1 -2.0 -2.0"},
    {"{{ [1, 2, 3]|sum }} {{ [1.5, 2]|sum }} {{ []|sum }} {{ [1]|sum(start=10) }} {{ "
     "xs|sum(attribute='n') }} {{ [[1], [2]]|sum(start=[]) }}",
     "{\"xs\":[{\"n\":1},{\"n\":2}]}", "6 3.5 0 11 3 [1, 2]"},
    {"{{ [3, 1, 2]|max }}{{ [3, 1, 2]|min }}{{ ['b', 'A']|min }}{{ ['b', 'A', 'a']|max }}{{ ['b', "
     "'A']|min(case_sensitive=true) }}{{ []|max }}{{ xs|max(attribute='n') }}",
     "{\"xs\":[{\"n\":1},{\"n\":2}]}", "31AbA{'n': 2}"},
};

static const struct row filters_of_texts[] = {
    {"{{ 'hELLO w'|capitalize }}|{{ 'it\\'s a-b (c) d'|title }}|{{ '\303\251T\303\211'|lower }}|{{ "
     "'\303\237a\303\251'|upper }}|{{ 12|upper }}",
     NULL, "Hello w|It's A-B (C) D|\303\251t\303\251|SSA\303\211|12"},
    {"[{{ '  a b '|trim }}][{{ 'xxaxx'|trim('x') }}][{{ '\n\t a\302\240'|trim }}][{{ "
     "'ab'|center(7) }}][{{ 'abc'|center(6) }}][{{ ''|center(3) }}]",
     NULL, "[a b][a][a][   ab  ][ abc  ][   ]"},
    {"{{ 'aXbXc'|replace('X', '-') }}{{ 'aaa'|replace('a', 'b', 2) }}{{ 'ab'|replace('', '.') }}{{ "
     "'a1'|replace(1, 2) }}{{ 'a'|replace('x', 'y') }}",
     NULL, "a-b-cbba.a.b.a2a"},
    {"{{ 'a\nb\n\nc'|indent }}|{{ 'a\nb'|indent(2, true) }}|{{ 'a\n\nb'|indent(2, blank=true) "
     "}}|{{ 'a\nb\n'|indent('> ') }}|{{ ''|indent(2, true) }}|",
     NULL, "a\n    b\n\n    c|  a\n  b|a\n  \n  b|a\n> b\n|  |"},
    {"{{ 'the quick brown fox'|truncate(9) }}|{{ 'the quick brown fox'|truncate(9, true) }}|{{ "
     "'abcdefgh'|truncate(5) }}|{{ 'abcdefghijk'|truncate(5, leeway=0) }}|{{ 'abc def "
     "ghi'|truncate(8, false, '', 0) }}|{{ 'h\303\251'|truncate(1, true, '', 0) }}",
     NULL, "the...|the qu...|abcdefgh|ab...|abc def|h"},
    {"{{ 'a b  c-d'|wordcount }}{{ ''|wordcount }}{{ 'h\303\251_1 \346\227\245'|wordcount }}{{ 'a "
     "b/c?d=\303\251&~'|urlencode }}",
     NULL, "402a%20b/c%3Fd%3D%C3%A9%26~"},
    {"{{ '<a href=\"x\">&\\'</a>'|e }}|{{ '<'|escape|escape }}|{{ '<'|e|forceescape }}|{{ "
     "'<'|safe|e }}|{{ 1|e }}|{{ '<'|safe + '<' }}|{{ ('<'|e)|string is escaped }}",
     NULL, "&lt;a href=&#34;x&#34;&gt;&amp;&#39;&lt;/a&gt;|&lt;|&amp;lt;|<|1|<&lt;|True"},
    {"{{ 1.50|string }}{{ none|string }}{{ [1]|string }}{{ 'a'|string|length }}{{ nope|string }}",
     NULL, "1.5None[1]1"},
    {"{{ '%s-%d-%5.2f|%-5s|%05d|%x|%%'|format('a', 3, 2.345, 'b', 42, 255) }}{{ '%(a)s "
     "%(b)r'|format(a=1, b='x') }}",
     NULL, "a-3- 2.35|b    |00042|ff|%1 'x'"},
    {"{{ '%s' % 'a' }}{{ '%s %s' % ('a', 1) }}{{ '%r' % ['x'] }}{{ '%d%%' % 5 }}{{ '%+d % d' % (3, "
     "4) }}{{ '%(k)s' % {'k': 'v'} }}{{ '%e %g %G' % (12345.678, 0.00001, 1e20) }}{{ '%c' % 'x' if "
     "false else '' }}{{ '%5s|%.2s' % ('a', 'abc') }}{{ '%o %X %#x' % (8, 255, 255) }}{{ '%d' % "
     "3.9 }}{{ 'x' % [1] }}",
     NULL, "aa 1['x']5%+3  4v1.234568e+04 1e-05 1E+20    a|ab10 FF 0xff3x"},
};

static const struct row filters_of_lists[] = {
    {"{{ [1, 2]|first }}{{ [1, 2]|last }}{{ 'ab'|first }}{{ 'ab'|last }}{{ []|first }}{{ []|last "
     "}}{{ d|first }}",
     "{\"d\":{\"k\":1}}", "12abk"},
    {"{{ [1, 2]|length }}{{ 'h\303\251'|length }}{{ d|count }}{{ nope|length }}{{ (1,)|length }}",
     "{\"d\":{\"k\":1}}", "22101"},
    {"{{ 'h\303\251'|list }}{{ d|list }}{{ nope|list }}{{ (1, 2)|list }}{{ range(2)|list }}",
     "{\"d\":{\"k\":1}}", "['h', '\303\251']['k'][][1, 2][0, 1]"},
    {"{{ [1, 'a', none]|join }}|{{ [1, 2]|join(', ') }}|{{ xs|join('-', attribute='n') }}|{{ "
     "'abc'|join('.') }}|{{ []|join('x') }}|{{ [1, 2]|join(d=0) }}",
     "{\"xs\":[{\"n\":1},{\"n\":2}]}", "1aNone|1, 2|1-2|a.b.c||102"},
    {"{{ [1, 2, 3]|reverse|list }}{{ 'h\303\251'|reverse }}{{ (1, 2)|reverse|list }}", NULL,
     "[3, 2, 1]\303\251h[2, 1]"},
    {"{{ [3, 1, 2]|sort }}{{ ['b', 'A', 'c']|sort }}{{ ['b', 'A']|sort(case_sensitive=true) }}{{ "
     "[1, 3, 2]|sort(reverse=true) }}{{ xs|sort(attribute='a,b')|map(attribute='b')|list }}{{ "
     "'bca'|sort }}",
     "{\"xs\":[{\"a\":2,\"b\":1},{\"a\":1,\"b\":3},{\"a\":1,\"b\":2}]}",
     "[1, 2, 3]['A', 'b', 'c']['A', 'b'][3, 2, 1][2, 3, 1]['a', 'b', 'c']"},
    {"{{ [1, 2, 1, 3]|unique|list }}{{ ['a', 'A', 'b']|unique|list }}{{ ['a', "
     "'A']|unique(true)|list }}{{ xs|unique(attribute='n')|map(attribute='m')|list }}",
     "{\"xs\":[{\"n\":1,\"m\":1},{\"n\":1,\"m\":2}]}", "[1, 2, 3]['a', 'b']['a', 'A'][1]"},
    {"{{ [1, 2, 3, 4, 5]|batch(2)|list }}{{ [1, 2, 3]|batch(2, '-')|list }}{{ [1, 2, 3, 4, "
     "5]|slice(3)|list }}{{ [1, 2, 3, 4]|slice(3, 0)|list }}{{ []|batch(2)|list }}",
     NULL,
     "[[1, 2], [3, 4], [5]][[1, 2], [3, '-']][[1, 2], [3, 4], [5]][[1, 2], [3, 0], [4, 0]][]"},
    {"{% for g in xs|groupby('t') %}{{ g.grouper }}{{ g.list|length }}{{ g[0] }}{% endfor %}{% for "
     "k, v in xs|groupby('n', default='?') %}{{ k }}:{{ v|map(attribute='t')|join }};{% endfor %}",
     "{\"xs\":[{\"t\":\"b\",\"n\":\"x\"},{\"t\":\"A\"},{\"t\":\"B\",\"n\":\"y\"}]}",
     "A1Ab2b?:A;x:b;y:B;"},
    {"{{ d|dictsort }}{{ d|dictsort(by='value') }}{{ d|dictsort(reverse=true) }}{{ "
     "d|dictsort(case_sensitive=true) }}{{ d|items|list }}{{ nope|items|list }}",
     "{\"d\":{\"b\":1,\"A\":3,\"c\":2}}",
     "[('A', 3), ('b', 1), ('c', 2)][('b', 1), ('c', 2), ('A', 3)][('c', 2), ('b', 1), ('A', "
     "3)][('A', 3), ('b', 1), ('c', 2)][('b', 1), ('A', 3), ('c', 2)][]"},
    {"{{ xs|map(attribute='a.b')|list }}{{ xs|map(attribute='z', default=0)|list }}{{ ['a', "
     "'b']|map('upper')|join }}{{ ['ab']|map('replace', 'a', 'x')|list }}{{ ['1', 'x']|map('int', "
     "7)|list }}{{ [[1, 2]]|map('first')|list }}{{ [[3]]|map(attribute=0)|list }}",
     "{\"xs\":[{\"a\":{\"b\":1}},{\"a\":{\"b\":2}}]}", "[1, 2][0, 0]AB['xb'][1, 7][1][3]"},
    {"{{ [0, 1, '', 'a', none]|select|list }}{{ [0, 1, '']|reject|list }}{{ [1, 2, "
     "3]|select('odd')|list }}{{ [1, 2, 3]|reject('>', 1)|list }}{{ [1, 2]|select('in', [2])|list "
     "}}",
     NULL, "[1, 'a'][0, ''][1, 3][1][2]"},
    {"{{ xs|selectattr('r')|map(attribute='n')|list }}{{ xs|selectattr('n', 'equalto', "
     "2)|list|length }}{{ xs|rejectattr('r', 'defined')|map(attribute='n')|list }}{{ "
     "xs|selectattr('r', '==', 'u')|map(attribute='n')|first }}{{ xs|selectattr('n', '>', "
     "0)|list|length }}",
     "{\"xs\":[{\"n\":1,\"r\":\"u\"},{\"n\":2}]}", "[1]1[2]12"},
    {"{% set it = [1, 2, 3]|select %}{{ it|first }}{{ it|list }}{{ it|list }}", NULL, "1[2, 3][]"},
};

static const struct row other_filters[] = {
    {"{{ nope|default('d') }}{{ none|default('d') }}{{ none|default('d', true) }}{{ ''|d('e', "
     "boolean=true) }}{{ 0|d('x') }}{{ nope|default }}{{ d.x.y|default('z') if d.x else '-' }}",
     "{\"d\":{}}", "dNonede0-"},
    {"{{ d|attr('items') is callable }}{{ d|attr('k') is defined }}{{ 'a'|attr('upper')() }}",
     "{\"d\":{\"k\":1}}", "TrueFalseA"},
    {"{{ d|tojson }}",
     "{\"d\":{\"a\":[1,2.5,null,true],\"b\":\"\303\251\\\"\\\\\\n\\t<&>'\342\200\250\\u0007\","
     "\"c\":{},\"e\":[],\"n\":1e+22}}",
     "{\"a\": [1, 2.5, null, true], \"b\": \"\303\251\\\"\\\\\\n\\t<&>'\342\200\250\\u0007\", "
     "\"c\": {}, \"e\": [], \"n\": 1e+22}"},
    {"{{ d|tojson(indent=2) }}", "{\"d\":{\"a\":[1,{\"b\":2}],\"e\":[],\"f\":{}}}",
     "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"e\": [],\n  \"f\": {}\n}"},
    {"{{ d|tojson(ensure_ascii=true) }}{{ d|tojson(sort_keys=true) }}{{ d|tojson(separators=(',', "
     "':')) }}{{ d|tojson(indent=0) }}{{ d|tojson(indent='--', separators=(';', '=')) }}",
     "{\"d\":{\"b\":\"\303\251\360\237\230\200\",\"a\":[1,2]}}",
     "{\"b\": \"\\u00e9\\ud83d\\ude00\", \"a\": [1, 2]}{\"a\": [1, 2], \"b\": "
     "\"\303\251\360\237\230\200\"}{\"b\":\"\303\251\360\237\230\200\",\"a\":[1,2]}{\n\"b\": "
     "\"\303\251\360\237\230\200\",\n\"a\": "
     "[\n1,\n2\n]\n}{\n--\"b\"=\"\303\251\360\237\230\200\";\n--\"a\"=[\n----1;\n----2\n--]\n}"},
    {"{{ 'x'|tojson }}{{ none|tojson }}{{ true|tojson }}{{ (1, 'a')|tojson }}{{ {1: 2, none: 3, "
     "true: 4, 1.5: 5}|tojson }}{{ 1e-7|tojson }}{{ 'inf'|float|tojson }}",
     NULL, "\"x\"nulltrue[1, \"a\"]{\"1\": 4, \"null\": 3, \"1.5\": 5}1e-07Infinity"},
};

static const struct row tests[] = {
    {"{{ 1 is defined }}{{ nope is defined }}{{ nope is undefined }}{{ none is none }}{{ 0 is none "
     "}}{{ true is boolean }}{{ 1 is boolean }}{{ true is true }}{{ 1 is true }}{{ false is false "
     "}}{{ 0 is false }}",
     NULL, "TrueFalseTrueTrueFalseTrueFalseTrueFalseTrueFalse"},
    {"{{ 1 is integer }}{{ 1.0 is integer }}{{ true is integer }}{{ 1.0 is float }}{{ 1 is number "
     "}}{{ true is number }}{{ '1' is number }}{{ 'a' is string }}{{ 1 is string }}{{ {} is "
     "mapping }}{{ [] is mapping }}",
     NULL, "TrueFalseFalseTrueTrueTrueFalseTrueFalseTrueFalse"},
    {"{{ [] is iterable }}{{ 'a' is iterable }}{{ 1 is iterable }}{{ {} is iterable }}{{ nope is "
     "iterable }}{{ [] is sequence }}{{ 'a' is sequence }}{{ {} is sequence }}{{ 1 is sequence "
     "}}{{ none is iterable }}{{ range(1) is iterable }}{{ {}.items() is iterable }}",
     NULL, "TrueTrueFalseTrueTrueTrueTrueTrueFalseFalseTrueTrue"},
    {"{{ range is callable }}{{ 1 is callable }}{{ 'a'.upper is callable }}{{ 'a'|safe is escaped "
     "}}{{ 'a' is escaped }}",
     NULL, "TrueFalseTrueTrueFalse"},
    {"{{ 3 is odd }}{{ 3 is even }}{{ -2 is even }}{{ 6 is divisibleby 3 }}{{ 'ab' is lower }}{{ "
     "'aB' is lower }}{{ 'AB' is upper }}{{ 'A1' is upper }}{{ '1' is upper }}",
     NULL, "TrueFalseTrueTrueTrueFalseTrueTrueFalse"},
    {"{{ 1 is eq 1 }}{{ 1 is equalto 2 }}{{ 1 is ne 2 }}{{ 1 is lt 2 }}{{ 1 is lessthan 1 }}{{ 1 "
     "is le 1 }}{{ 1 is gt 0 }}{{ 1 is greaterthan 1 }}{{ 1 is ge 2 }}{{ 'a' is in 'abc' }}{{ 1 is "
     "sameas 1 }}{{ [] is sameas [] }}{{ none is sameas none }}",
     NULL, "TrueFalseTrueTrueFalseTrueTrueFalseFalseTrueTrueFalseTrue"},
    {"{{ [1]|select('==', 1)|list }}{{ [1]|select('!=', 1)|list }}{{ [1, 2]|select('<', 2)|list "
     "}}{{ [1, 2]|select('<=', 2)|list }}{{ [1, 2]|select('>=', 2)|list }}{{ 'upper' is filter "
     "}}{{ 'nope' is filter }}{{ 'odd' is test }}{{ 'nope' is test }}",
     NULL, "[1][][1][1, 2][2]TrueFalseTrueFalse"},
};

static const struct row methods_of_texts[] = {
    {"{{ '{:,}|{:05}|{:+}|{:8}'.format(123456.789, -2.5, 1.5, 0.1) }}{{ "
     "'{:5}|{:d}|{}'.format(true, true, true) }}",
     NULL, "123,456.789|-02.5|+1.5|     0.1    1|1|True"},
    {"{{ [('ab'|safe)[0], ('ab'|safe)[-1], ('ab'|safe)[::-1]] }}", NULL,
     "[Markup('a'), Markup('b'), Markup('ba')]"},
    {"{{ 'aBc'.upper() }}{{ 'aBc'.lower() }}{{ 'aBc'.swapcase() }}{{ 'hello wORLD'.capitalize() "
     "}}{{ 'hello wORLD it\\'s'.title() }}",
     NULL, "ABCabcAbCHello worldHello World It'S"},
    {"[{{ '  a '.strip() }}][{{ '  a '.lstrip() }}][{{ '  a '.rstrip() }}][{{ 'xyaxy'.strip('yx') "
     "}}][{{ '\303\251a\303\251'.strip('\303\251') }}][{{ ''.strip() }}][{{ ' a '.strip(none) "
     "}}][{{ '\343\200\200a\034'.strip() }}]",
     NULL, "[a][a ][  a][a][a][][a][a]"},
    {"{{ 'a b  c'.split() }}{{ 'a,b,,c'.split(',') }}{{ 'a,b,c'.split(',', 1) }}{{ ''.split() }}{{ "
     "''.split(',') }}{{ ' a b  c '.split(none, 1) }}{{ 'a-b-c'.split('-', maxsplit=0) }}{{ "
     "'aXXb'.split('XX')[-1] }}",
     NULL, "['a', 'b', 'c']['a', 'b', '', 'c']['a', 'b,c'][]['']['a', 'b  c ']['a-b-c']b"},
    {"{{ 'a b  c'.rsplit() }}{{ 'a,b,c'.rsplit(',', 1) }}{{ ' a  b c '.rsplit(none, 1) }}{{ "
     "'a'.rsplit('x') }}{{ 'aXXbXXc'.rsplit('XX', 1) }}",
     NULL, "['a', 'b', 'c']['a,b', 'c'][' a  b', 'c']['a']['aXXb', 'c']"},
    {"{{ 'a=b=c'.partition('=') }}{{ 'a=b=c'.rpartition('=') }}{{ 'a'.partition('=') }}{{ "
     "'a'.rpartition('=') }}",
     NULL, "('a', '=', 'b=c')('a=b', '=', 'c')('a', '', '')('', '', 'a')"},
    {"{{ 'a\nb\r\nc\n'.splitlines() }}{{ 'a\nb'.splitlines(true) }}{{ ''.splitlines() }}{{ "
     "'a\342\200\250b\n\nc'.splitlines() }}",
     NULL, "['a', 'b', 'c']['a\\n', 'b'][]['a', 'b', '', 'c']"},
    {"{{ 'abc'.startswith('ab') }}{{ 'abc'.endswith(('x', 'c')) }}{{ 'abc'.startswith('b', 1) }}{{ "
     "'abc'.startswith('') }}{{ 'abc'.endswith('b', 0, 2) }}{{ 'a'.startswith('abc') }}",
     NULL, "TrueTrueTrueTrueTrueFalse"},
    {"{{ 'h\303\251llo'.find('l') }}{{ 'h\303\251llo'.rfind('l') }}{{ 'abc'.find('z') }}{{ "
     "'abab'.find('a', 1) }}{{ 'abab'.index('b') }}{{ 'abab'.rindex('b') }}{{ 'abc'.find('') }}{{ "
     "'abc'.rfind('') }}{{ 'aaa'.count('a') }}{{ 'aaa'.count('aa') }}{{ 'abc'.count('') }}{{ "
     "'abab'.count('a', 1) }}{{ 'abc'.find('c', 0, 2) }}",
     NULL, "23-1213033141-1"},
    {"{{ 'aaa'.replace('a', 'b') }}{{ 'aaa'.replace('a', 'b', 2) }}{{ 'ab'.replace('', '-') }}{{ "
     "'ab'.replace('', '-', 2) }}{{ 'abc'.removeprefix('a') }}{{ 'abc'.removesuffix('c') }}{{ "
     "'abc'.removeprefix('x') }}",
     NULL, "bbbbba-a-b--a-bbcababc"},
    {"[{{ 'a'.ljust(3) }}][{{ 'a'.rjust(3, '.') }}][{{ 'ab'.center(5) }}][{{ 'a'.center(4, '*') "
     "}}][{{ '-5'.zfill(4) }}][{{ 'h\303\251'.zfill(1) }}][{{ '\303\251'.rjust(2) }}]",
     NULL, "[a  ][..a][  ab ][*a**][-005][h\303\251][ \303\251]"},
    {"{{ 'a1'.isalnum() }}{{ 'a'.isalpha() }}{{ ''.isalpha() }}{{ '1'.isdigit() }}{{ "
     "'\302\262'.isdigit() }}{{ '\302\262'.isdecimal() }}{{ '\302\275'.isnumeric() }}{{ ' "
     "'.isspace() }}{{ 'a'.islower() }}{{ 'A1'.isupper() }}{{ 'Ab Cd'.istitle() }}{{ "
     "'AB'.istitle() }}{{ 'a'.isascii() }}{{ '\303\251'.isascii() }}{{ 'a\n'.isprintable() }}{{ "
     "''.isprintable() }}",
     NULL, "TrueTrueFalseTrueTrueFalseTrueTrueTrueTrueTrueFalseTrueFalseFalseTrue"},
    {"{{ ', '.join(['a', 'b']) }}{{ ''.join([]) }}{{ '-'.join('abc') }}{{ '-'.join(d) }}",
     "{\"d\":{\"k\":1,\"l\":2}}", "a, ba-b-ck-l"},
    {"{{ '{} {}'.format(1, 'a') }}{{ '{1}{0}'.format('a', 'b') }}{{ '{x}{y[0]}{z.k}'.format(x=1, "
     "y=[2], z={'k': 3}) if false else '' }}{{ '{{}}'.format() }}{{ "
     "'{:>5}|{:<4}|{:^5}|{:*^5}'.format('a', 'b', 'c', 'd') }}{{ '{:05d} {:x} {:,} {:.2f} {:+d} "
     "{:%} {:e}'.format(42, 255, 1234567, 2.345, 3, 0.5, 1234.5) }}{{ '{!r}'.format('x') }}",
     NULL, "1 aba{}    a|b   |  c  |**d**00042 ff 1,234,567 2.35 +3 50.000000% 1.234500e+03'x'"},
    {"{{ '<b>'|safe ~ 'x' }}{{ ('<b>'|safe).upper() is escaped }}{{ ('<'|safe) * 2 }}{{ "
     "[('<'|safe) * 2] }}",
     NULL, "<b>xTrue<<[Markup('<<')]"},
};

static const struct row methods_of_lists_and_dicts[] = {
    {"{{ [1, 2, 1].count(1) }}{{ [1, 2].index(2) }}{{ (1, 2).index(1) }}{{ [1].copy() }}{{ (1, "
     "1).count(1.0) }}",
     NULL, "210[1]2"},
    {"{{ d.keys()|list }}{{ d.values()|list }}{{ d.items()|list }}{{ d.copy() }}{{ d.get('a', 'x') "
     "}}{{ d.get('zz') is none }}{{ 'a' in d }}",
     "{\"d\":{\"a\":1,\"b\":2}}", "['a', 'b'][1, 2][('a', 1), ('b', 2)]{'a': 1, 'b': 2}1TrueTrue"},
};

static void test_filters_of_numbers(void **state)
{
    (void)state;
    RENDER_ROWS(filters_of_numbers);
}

static void test_filters_of_texts(void **state)
{
    (void)state;
    RENDER_ROWS(filters_of_texts);
}

static void test_filters_of_lists(void **state)
{
    (void)state;
    RENDER_ROWS(filters_of_lists);
}

static void test_other_filters(void **state)
{
    (void)state;
    RENDER_ROWS(other_filters);
}

static void test_tests(void **state)
{
    (void)state;
    RENDER_ROWS(tests);
}

static void test_methods_of_texts(void **state)
{
    (void)state;
    RENDER_ROWS(methods_of_texts);
}

static void test_methods_of_lists_and_dicts(void **state)
{
    (void)state;
    RENDER_ROWS(methods_of_lists_and_dicts);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(test_filters_of_numbers),
        cmocka_unit_test(test_filters_of_texts),
        cmocka_unit_test(test_filters_of_lists),
        cmocka_unit_test(test_other_filters),
        cmocka_unit_test(test_tests),
        cmocka_unit_test(test_methods_of_texts),
        cmocka_unit_test(test_methods_of_lists_and_dicts),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}

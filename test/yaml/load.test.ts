import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { constructFromEvents, FAILSAFE_SCHEMA, parseEvents } from 'js-yaml';
import type { DiagnosticCode } from '../../src/core/diagnostic.ts';
import { LARGEST_FILE, loadYaml } from '../../src/yaml/load.ts';
import type { YamlPath, YamlValue } from '../../src/yaml/tree.ts';

function load(text: string): YamlValue {
  const { document, diagnostics } = loadYaml('f.yaml', text);
  assert.deepEqual(diagnostics, []);
  assert.ok(document !== null);
  return document.value;
}

const values: readonly { name: string; given: string; expect: YamlValue }[] = [
  {
    name: 'every scalar stays text',
    given: 'a: 1\nb: yes\nc: 5.10\nd: 2024-01-01\n',
    expect: { a: '1', b: 'yes', c: '5.10', d: '2024-01-01' },
  },
  { name: 'a single text', given: 'hello', expect: 'hello' },
  { name: 'block list in a mapping', given: 'a:\n- x\n- y\n', expect: { a: ['x', 'y'] } },
  { name: 'flow', given: 'a: { b: [x, y], c: {} }\nd: []\n', expect: { a: { b: ['x', 'y'], c: {} }, d: [] } },
  { name: 'pairs in a flow list', given: 'a: [x: y, {z: w}]\n', expect: { a: [{ x: 'y' }, { z: 'w' }] } },
  { name: 'quotes', given: `a: "x \\"y\\" \\u00e4"\nb: 'it''s'\nc: ""\n`, expect: { a: 'x "y" ä', b: "it's", c: '' } },
  { name: 'block texts', given: 'a: |\n  x\n  y\nb: >-\n  x\n  y\nc: d\n', expect: { a: 'x\ny\n', b: 'x y', c: 'd' } },
  { name: 'plain text of several lines', given: 'a: x\n  y\nb: c\n', expect: { a: 'x y', b: 'c' } },
  { name: 'a word that looks like null, in quotes', given: 'a: "null"\nb: \'~\'\n', expect: { a: 'null', b: '~' } },
  { name: 'null as a key', given: 'null: a\n', expect: { null: 'a' } },
  { name: 'line ends of Windows', given: 'a: 1\r\nb:\r\n  - x\r\n', expect: { a: '1', b: ['x'] } },
  { name: 'byte order mark', given: '\uFEFFa: 1\n', expect: { a: '1' } },
  {
    name: 'ordinary comments',
    given: '# top\na: 20 MB # ten\nb: x  ## y\nc: x #---\nd: x#y\n',
    expect: { a: '20 MB', b: 'x', c: 'x', d: 'x#y' },
  },
  { name: '# in quotes', given: 'a: "See ticket #42"\n', expect: { a: 'See ticket #42' } },
  { name: 'tabs and line feeds as escapes', given: 'a: "x\\ty\\n"\n', expect: { a: 'x\ty\n' } },
  { name: 'backslashes in single quotes', given: "a: '\\bfoo\\b'\n", expect: { a: '\\bfoo\\b' } },
  { name: 'start and end of the one document', given: '---\na: 1\n...\n', expect: { a: '1' } },
  {
    name: 'names of the prototype',
    given: 'constructor: x\ntoString: y\n',
    expect: { constructor: 'x', toString: 'y' },
  },
];

for (const { name, given, expect } of values) {
  test(`value: ${name}`, () => assert.deepEqual(load(given), expect));
}

/** `at` is line:column+length. */
const refused: readonly { name: string; given: string; expect: readonly [DiagnosticCode, string][] }[] = [
  { name: 'empty file', given: '', expect: [['E_EMPTY', '0:1+1']] },
  { name: 'only the start of a document', given: '---\n', expect: [['E_EMPTY', '1:1+1']] },
  { name: 'what the parser alone knows', given: 'a: "\\xZZ"\n', expect: [['E_YAML', '1:7+1']] },
  {
    name: 'brackets in a block text are text',
    given: 'a: |\n  [ {\n  "\nb: c\n d: e\n',
    expect: [['E_YAML', '5:2+4']],
  },
  { name: 'only comments', given: '# nothing\n', expect: [['E_EMPTY', '0:1+1']] },
  { name: 'a key without a value', given: 'a:\nb: x\n', expect: [['E_EMPTY', '1:1+1']] },
  {
    name: 'a key without a value in brackets',
    given: '{ aa, b: x, cc: }\n',
    expect: [
      ['E_EMPTY', '1:3+2'],
      ['E_EMPTY', '1:13+2'],
    ],
  },
  {
    name: 'the words for null',
    given: '- ~\n- null\n- Null\n- NULL\n',
    expect: [
      ['E_EMPTY', '1:3+1'],
      ['E_EMPTY', '2:3+4'],
      ['E_EMPTY', '3:3+4'],
      ['E_EMPTY', '4:3+4'],
    ],
  },
  {
    name: 'list items without a value',
    given: 'a:\n  -\n  # - x - y\n  - b\n  -\n  - [c,\n     d\n    ]\n  -\n',
    expect: [
      ['E_EMPTY', '2:3+1'],
      ['E_EMPTY', '5:3+1'],
      ['E_EMPTY', '9:3+1'],
    ],
  },
  { name: 'a value that is a comment', given: 'a: #42\nb: x\n', expect: [['E_EMPTY', '1:4+3']] },
  { name: 'a text cut short', given: 'a: See ticket #42 for it \n', expect: [['E_CUT_SHORT', '1:15+10']] },
  {
    name: 'a long text cut short',
    given: `a: ${'See '.repeat(20)}#42\n`,
    expect: [['E_CUT_SHORT', '1:84+3']],
  },
  { name: 'a text of several lines cut short', given: 'a: See\n  ticket #42\n', expect: [['E_CUT_SHORT', '2:10+3']] },
  { name: 'a text in brackets cut short', given: 'a: [ See #42\n  , b ]\n', expect: [['E_CUT_SHORT', '1:10+3']] },
  { name: 'a comment that hides a bracket', given: 'a: { b: foo #42 }\nc: 1\n', expect: [['E_CUT_SHORT', '1:13+5']] },
  {
    name: 'a backspace',
    given: 'a: "\\bfoo\\b"\n',
    expect: [
      ['E_CONTROL_CHARACTER', '1:5+2'],
      ['E_CONTROL_CHARACTER', '1:10+2'],
    ],
  },
  {
    name: 'control characters by number',
    given: 'a: "\\x07 \\u0085 \\U0000001b \\x41 \\\\b"\n',
    expect: [
      ['E_CONTROL_CHARACTER', '1:5+4'],
      ['E_CONTROL_CHARACTER', '1:10+6'],
      ['E_CONTROL_CHARACTER', '1:17+10'],
    ],
  },
  { name: 'a control character', given: 'a: x\u0007\n', expect: [['E_CONTROL_CHARACTER', '1:5+1']] },
  { name: 'a NUL', given: 'a: \0\n', expect: [['E_CONTROL_CHARACTER', '1:4+1']] },
  { name: 'an alias', given: 'a: *@lists.example.org\n', expect: [['E_YAML_ALIAS', '1:4+19']] },
  { name: 'a star alone', given: 'a: * \n', expect: [['E_YAML_ALIAS', '1:4+1']] },
  { name: 'an alias as key', given: '*a : b\n', expect: [['E_YAML_ALIAS', '1:1+2']] },
  { name: 'an anchor', given: 'a: &b c\n', expect: [['E_YAML_ALIAS', '1:4+2']] },
  { name: 'an ampersand alone', given: 'a: & c\n', expect: [['E_YAML_ALIAS', '1:4+1']] },
  { name: 'an anchor on a key', given: '&a b: c\n', expect: [['E_YAML_ALIAS', '1:1+2']] },
  { name: 'a merge key', given: '<<: { a: b }\n', expect: [['E_YAML_ALIAS', '1:1+2']] },
  {
    name: 'tags',
    given: 'a: !foo bar\nb: !!int 1\nc: !\n',
    expect: [
      ['E_YAML_TAG', '1:4+4'],
      ['E_YAML_TAG', '2:4+5'],
      ['E_YAML_TAG', '3:4+1'],
    ],
  },
  { name: 'a tag nobody declared', given: 'a: !x!y z\n', expect: [['E_YAML_TAG', '1:8+1']] },
  { name: 'a second document', given: 'a: 1\n---\nb: 2\n', expect: [['E_YAML_DOCUMENTS', '2:1+3']] },
  {
    name: 'a second document behind a marked one',
    given: '---\na: 1\n--- # x\nb: 2\n',
    expect: [['E_YAML_DOCUMENTS', '3:1+3']],
  },
  {
    name: 'a second document behind an ended one',
    given: 'a: 1\n...\nb: 2\n',
    expect: [['E_YAML_DOCUMENTS', '2:1+3']],
  },
  {
    name: 'keys twice',
    given: 'a: 1\nb: { c: 1, c: 2 }\n"a": 2\n',
    expect: [
      ['E_YAML_DUPLICATE_KEY', '2:12+1'],
      ['E_YAML_DUPLICATE_KEY', '3:1+3'],
    ],
  },
  { name: 'the prototype as key', given: '__proto__: { a: b }\n', expect: [['E_UNKNOWN_KEY', '1:1+9']] },
  { name: 'a list as key', given: '? [a, b]\n: c\n', expect: [['E_YAML', '1:3+6']] },
  { name: 'no key', given: 'a: 1\n: b\n', expect: [['E_YAML', '2:1+1']] },
  { name: 'a tab', given: 'a:\n\tb: 1\n', expect: [['E_YAML', '2:1+1']] },
  { name: 'at-sign, percent, backtick', given: 'a: @b c # d\n', expect: [['E_YAML', '1:4+4']] },
  { name: 'at-sign in brackets', given: 'a: { b: @c, d: e }\n', expect: [['E_YAML', '1:9+2']] },
  { name: 'a colon in a text', given: 'a: Please note: no\n', expect: [['E_YAML', '1:15+1']] },
  { name: 'a colon in a text in brackets', given: 'a: { b: Please note: no }\n', expect: [['E_YAML', '1:20+1']] },
  { name: 'an open quote', given: 'a: "foo\nb: 1\n', expect: [['E_YAML', '1:4+1']] },
  { name: 'an open quote at the end', given: "b: don't [do\na: 'it''s\n", expect: [['E_YAML', '2:4+1']] },
  { name: 'open brackets', given: 'a: [ { b: "]", c: [d] }\nb: 1\n', expect: [['E_YAML', '1:4+1']] },
  { name: 'text behind a quote', given: 'a: "foo" bar # baz\n', expect: [['E_YAML', '1:10+3']] },
  { name: 'text behind a bracket', given: 'a: [draft] foo\n', expect: [['E_YAML', '1:12+3']] },
  { name: 'an escape of no meaning', given: 'a: "\\d+"\n', expect: [['E_YAML', '1:5+2']] },
  { name: 'a text that starts with >', given: 'a: > 20 MB\n', expect: [['E_YAML', '1:6+5']] },
  { name: 'two commas', given: 'a: [b,,c]\n', expect: [['E_YAML', '1:7+1']] },
  { name: 'wrong indentation', given: 'a:\n  b: 1\n   c: 2\n', expect: [['E_YAML', '3:4+4']] },
  { name: 'no colon', given: 'a: 1\n# x\nfoo bar\n# y\nb: 2\n', expect: [['E_YAML', '3:1+7']] },
  { name: 'no colon at the end', given: 'a: 1\nfoo\n\n', expect: [['E_YAML', '2:1+3']] },
  { name: 'no space behind the colon', given: 'a:\r\n  b:1\r\n  c: 2\r\n', expect: [['E_YAML', '2:3+3']] },
  { name: 'too many levels', given: `a: ${'['.repeat(65)}`, expect: [['E_YAML_DEPTH', '1:67+1']] },
  { name: 'too large', given: `a: ${'ä'.repeat(LARGEST_FILE / 2)}`, expect: [['E_FILE_TOO_LARGE', '0:1+1']] },
  {
    name: 'all at once, in the order of the text',
    given: 'a: ~\nb: &x "\\b"\na: *x\nc: foo #1\n',
    expect: [
      ['E_EMPTY', '1:4+1'],
      ['E_YAML_ALIAS', '2:4+2'],
      ['E_CONTROL_CHARACTER', '2:8+2'],
      ['E_YAML_DUPLICATE_KEY', '3:1+1'],
      ['E_YAML_ALIAS', '3:4+2'],
      ['E_CUT_SHORT', '4:8+2'],
    ],
  },
];

for (const { name, given, expect } of refused) {
  test(`refused: ${name}`, () => {
    const { document, diagnostics } = loadYaml('f.yaml', given);
    const told = diagnostics.map(({ code, place }) => [code, `${place.line}:${place.column}+${place.length}`]);
    assert.deepEqual(told, expect);
    assert.equal(document, null);
  });
}

const PLACES = 'a: { b: [x, "y z"] }\r\näé😀: c # d\r\ne:\r\n  - f: g\r\n    h: |\r\n      i\r\n  - j\r\n  - [k]\r\n';

const places: readonly { path: YamlPath; part?: 'key' | 'value'; expect: string }[] = [
  { path: [], expect: '1:1+20' },
  { path: ['a'], expect: '1:4+17' },
  { path: ['a'], part: 'key', expect: '1:1+1' },
  { path: ['a', 'b'], expect: '1:9+10' },
  { path: ['a', 'b'], part: 'key', expect: '1:6+1' },
  { path: ['a', 'b', 0], expect: '1:10+1' },
  { path: ['a', 'b', 1], expect: '1:13+5' },
  { path: ['a', 'b', 1], part: 'key', expect: '1:13+5' },
  { path: ['a', 'b', 9], expect: '1:9+10' },
  { path: ['a', 'b', 'none', 'none'], part: 'key', expect: '1:6+1' },
  { path: ['äé😀'], expect: '2:6+1' },
  { path: ['äé😀'], part: 'key', expect: '2:1+3' },
  { path: ['e'], expect: '4:3+6' },
  { path: ['e', 0], expect: '4:5+4' },
  { path: ['e', 0, 'f'], expect: '4:8+1' },
  { path: ['e', 0, 'h'], expect: '5:8+1' },
  { path: ['e', 1], expect: '7:5+1' },
  { path: ['e', 2, 0], expect: '8:6+1' },
];

for (const mark of ['', '\uFEFF']) {
  for (const { path, part, expect } of places) {
    test(`place: ${mark === '' ? '' : 'behind a mark, '}${part ?? 'value'} of /${path.join('/')}`, () => {
      const { document } = loadYaml('f.yaml', mark + PLACES);
      assert.ok(document !== null);
      const { file, line, column, length } = document.placeOf(path, part);
      assert.deepEqual([file, `${line}:${column}+${length}`], ['f.yaml', expect]);
    });
  }
}

test('the first hundred problems are told', () => {
  const { diagnostics } = loadYaml('f.yaml', `[${'~, '.repeat(50_000)}~]`);
  assert.deepEqual([diagnostics.length, diagnostics.at(-1)?.place.column], [100, 299]);
});

test('the value of __proto__ goes nowhere', () => {
  loadYaml('f.yaml', '__proto__: { polluted: yes }\n');
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

test('whatever the text: the value that the library would make, or errors at places inside the text', () => {
  const token = fc.constantFrom(
    'a',
    'b: ',
    ': ',
    '- ',
    '\n',
    '\r\n',
    '  ',
    '\t',
    '"',
    "'",
    '[',
    ']',
    '{',
    '}',
    ',',
    '#',
    ' #x',
    '&',
    '*',
    '!',
    '|',
    '>',
    '%',
    '@',
    '?',
    '\\b',
    '---\n',
    '...\n',
    '<<: ',
    '~',
    'ä',
    '😀',
    '\0',
    '\u2028',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 24 }), (tokens) => {
      const text = tokens.join('');
      const { document, diagnostics } = loadYaml('f.yaml', text);
      assert.equal(document === null, diagnostics.length > 0);
      if (document !== null) {
        assert.deepEqual(
          [document.value],
          constructFromEvents(parseEvents(text, {}), { source: text, schema: FAILSAFE_SCHEMA }),
        );
      }
      const lines = text.split(/\r\n|\r|\n/).map((line) => [...line].length);
      for (const { place } of diagnostics) {
        assert.ok(place.line <= lines.length, JSON.stringify(place));
        assert.ok(place.length >= 1 && place.column >= 1);
        assert.ok(place.line === 0 || place.column <= (lines[place.line - 1] ?? 0) + 1, JSON.stringify(place));
      }
    }),
    { numRuns: 2000 },
  );
});

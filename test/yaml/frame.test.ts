import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnostic } from '../../src/core/diagnostic.ts';
import { formatDiagnostic } from '../../src/yaml/frame.ts';

function problem(line: number, column: number, length: number, hint: string | null = null): Diagnostic {
  return { code: 'E_VALUE', message: 'no such thing', hint, place: { file: 'f.yaml', line, column, length } };
}

const long = 'x'.repeat(300);

const cases: readonly { name: string; given: Diagnostic; text: string | null; expect: readonly string[] }[] = [
  {
    name: 'line, carets and fix',
    given: problem(2, 6, 3, 'say baz'),
    text: 'a: b\ncc:  bar # x\n',
    expect: ['f.yaml:2:6  E_VALUE  no such thing', '  2 | cc:  bar # x', '    |      ^^^', '    = fix: say baz'],
  },
  {
    name: 'without a fix',
    given: problem(1, 1, 1),
    text: 'a',
    expect: ['f.yaml:1:1  E_VALUE  no such thing', '  1 | a', '    | ^'],
  },
  {
    name: 'a file as a whole',
    given: problem(0, 1, 1, 'do'),
    text: 'a',
    expect: ['f.yaml  E_VALUE  no such thing', '    = fix: do'],
  },
  {
    name: 'without the text',
    given: problem(3, 1, 1, 'do'),
    text: null,
    expect: ['f.yaml:3:1  E_VALUE  no such thing', '    = fix: do'],
  },
  {
    name: 'a line that is not there',
    given: problem(3, 1, 1),
    text: 'a\n',
    expect: ['f.yaml:3:1  E_VALUE  no such thing'],
  },
  {
    name: 'the end of a line',
    given: problem(1, 3, 1),
    text: 'ab',
    expect: ['f.yaml:1:3  E_VALUE  no such thing', '  1 | ab', '    |   ^'],
  },
  {
    name: 'a wide line number',
    given: problem(1000, 1, 1, 'do'),
    text: `${'\n'.repeat(999)}ab`,
    expect: ['f.yaml:1000:1  E_VALUE  no such thing', '1000 | ab', '     | ^', '     = fix: do'],
  },
  {
    name: 'line ends of Windows, byte order mark',
    given: problem(2, 1, 2),
    text: '\uFEFFa\r\nbc\r\n',
    expect: ['f.yaml:2:1  E_VALUE  no such thing', '  2 | bc', '    | ^^'],
  },
  {
    name: 'tabs are kept',
    given: problem(1, 3, 1),
    text: '\ta\tb',
    expect: ['f.yaml:1:3  E_VALUE  no such thing', '  1 | \ta\tb', '    | \t ^'],
  },
  {
    name: 'wide and combined characters',
    given: problem(1, 5, 3),
    text: '日e\u0301😀語xy',
    expect: ['f.yaml:1:5  E_VALUE  no such thing', '  1 | 日e\u0301😀語xy', '    |      ^^^^'],
  },
  {
    name: 'control characters stay off the terminal',
    given: { ...problem(1, 1, 1, '\u001b[1m'), message: 'a\u0007b\nc' },
    text: '\u001b[2J\u202e',
    expect: ['f.yaml:1:1  E_VALUE  a�b�c', '  1 | �[2J�', '    | ^', '    = fix: �[1m'],
  },
  {
    name: 'the rule it is in',
    given: { ...problem(1, 1, 1), rule: 'no\u0007robots' },
    text: 'a',
    expect: ['f.yaml:1:1  E_VALUE  in rule "no\ufffdrobots": no such thing', '  1 | a', '    | ^'],
  },
  {
    name: 'a long line is cut behind',
    given: problem(1, 3, 2),
    text: long,
    expect: ['f.yaml:1:3  E_VALUE  no such thing', `  1 | ${'x'.repeat(110)}…`, '    |   ^^'],
  },
  {
    name: 'a long line is cut on both sides',
    given: problem(1, 151, 200),
    text: long,
    expect: [
      'f.yaml:1:151  E_VALUE  no such thing',
      `  1 | …${'x'.repeat(110)}…`,
      `    | ${' '.repeat(61)}${'^'.repeat(50)}`,
    ],
  },
];

for (const { name, given, text, expect } of cases) {
  test(name, () => assert.deepEqual(formatDiagnostic(given, text).split('\n'), expect));
}

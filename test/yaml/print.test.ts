import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Place } from '../../src/core/diagnostic.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import { splitLines } from '../../src/yaml/place.ts';
import { printYaml } from '../../src/yaml/print.ts';
import { isList, type YamlPath, type YamlValue } from '../../src/yaml/tree.ts';

test('prints block style, plain where it can be', () => {
  const given = { version: '1', size: '25 MB', list: ['*@x.example', 'unix:/run/x', 'null', 'a: b', '#x'], empty: '' };
  assert.equal(
    printYaml(given),
    "version: 1\nsize: 25 MB\nlist:\n  - '*@x.example'\n  - unix:/run/x\n  - 'null'\n  - 'a: b'\n  - '#x'\nempty: ''\n",
  );
});

const word = fc.oneof(
  fc.constantFrom('a', 'null', '~', '1', 'a: b', 'x #y', '- z', '*@x', '"', "'", 'é😀', 'a\nb', ' a ', ''),
  fc.string({ maxLength: 8 }).filter((text) => !/\p{Cc}|\p{Cs}|\uFEFF|\uFFFE|\uFFFF/u.test(text)),
);
const key = word.filter((text) => text !== '' && !text.includes('\n') && text !== '__proto__' && text !== '<<');
const { value } = fc.letrec<{ value: YamlValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    word,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}));

function texts(node: YamlValue, path: YamlPath): readonly { path: YamlPath; text: string }[] {
  if (typeof node === 'string') return [{ path, text: node }];
  const entries = isList(node) ? [...node.entries()] : Object.entries(node);
  return entries.flatMap(([step, child]) => texts(child, [...path, step]));
}

test('what is printed is read back as the same value, and each text is where its place says', () => {
  fc.assert(
    fc.property(value, (given) => {
      const printed = printYaml(given);
      const { document, diagnostics } = loadYaml('f.yaml', printed);
      assert.deepEqual(diagnostics, []);
      assert.deepEqual(document?.value, given);
      for (const { path, text } of texts(given, [])) {
        const place: Place | undefined = document?.placeOf(path);
        assert.ok(place !== undefined);
        if (text.includes('\n')) continue;
        const line: readonly string[] = [...(splitLines(printed)[place.line - 1] ?? '')];
        const shown: string = line.slice(place.column - 1, place.column - 1 + place.length).join('');
        assert.equal(loadYaml('f.yaml', shown).document?.value, text);
      }
    }),
    { numRuns: 500 },
  );
});

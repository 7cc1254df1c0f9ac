import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readText } from '../../src/yaml/file.ts';
import { LARGEST_FILE } from '../../src/yaml/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-file-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

test('text as it is, byte order mark and line ends too', () => {
  assert.deepEqual(readText(file('good.yaml', '\uFEFFä: b\r\n')), { text: '\uFEFFä: b\r\n', diagnostics: [] });
});

const cases: readonly { name: string; given: () => string; code: string; message: RegExp }[] = [
  { name: 'missing', given: () => join(folder, 'none.yaml'), code: 'E_FILE', message: /no such file/ },
  { name: 'below a file', given: () => join(file('a.yaml', ''), 'b.yaml'), code: 'E_FILE', message: /no such file/ },
  { name: 'a folder', given: () => folder, code: 'E_FILE', message: /folder/ },
  { name: 'a device', given: () => '/dev/null', code: 'E_FILE', message: /regular/ },
  {
    name: 'not UTF-8',
    given: () => file('latin1.yaml', Buffer.from('a: \xe4\n', 'latin1')),
    code: 'E_FILE',
    message: /UTF-8/,
  },
  {
    name: 'too large',
    given: () => file('large.yaml', 'a'.repeat(LARGEST_FILE + 1)),
    code: 'E_FILE_TOO_LARGE',
    message: /256 KiB/,
  },
];

for (const { name, given, code, message } of cases) {
  test(name, () => {
    const path = given();
    const { text, diagnostics } = readText(path);
    assert.equal(text, null);
    assert.deepEqual(
      diagnostics.map((one) => [one.code, one.place]),
      [[code, { file: path, line: 0, column: 1, length: 1 }]],
    );
    assert.match(diagnostics[0]?.message ?? '', message);
  });
}

// run - finds the compiled tests of one kind (unit, e2e, fuzz) and hands them to node's test runner.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const kind = process.argv[2] ?? 'unit';
const only = process.argv.slice(3);
const root = join('build', 'test');
const special = ['e2e', 'fuzz', 'bench'];

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.js'))
  .filter((name) => {
    const folder = name.split(/[\\/]/)[0] ?? '';
    return special.includes(folder) ? folder === kind : kind === 'unit';
  })
  .filter((name) => only.length === 0 || only.some((part) => name.includes(part)))
  .sort()
  .map((name) => join(root, name));

if (files.length === 0) {
  process.stderr.write(`no ${kind} tests found under ${root}\n`);
  process.exit(1);
}
// A test that hangs is a test that failed.
const timeout = '--test-timeout=600000';
const concurrency = kind === 'e2e' ? ['--test-concurrency=1'] : [];
const { status } = spawnSync(process.execPath, ['--test', timeout, ...concurrency, ...files], { stdio: 'inherit' });
process.exit(status ?? 1);

// coverage - runs the unit tests of build/coverage, or those whose names hold a part given, and tells which branches of src
// they took. Fails where a folder that is held to a floor is below it. Lines are those of the compiled files.
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';

const root = join('build', 'coverage');
const notUnit = ['e2e', 'fuzz', 'bench'];
/** Per cent of branches. */
const floors = new Map([
  ['rules', 95],
  ['yaml', 95],
]);

const only = process.argv.slice(2);
const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.js') && !notUnit.includes(folderOf(name)))
  .filter((name) => only.length === 0 || only.some((part) => name.includes(part)))
  .sort()
  .map((name) => join(root, 'test', name));

for await (const { type, data } of run({ files, concurrency: 4 })) {
  if (type === 'test:fail') {
    process.stdout.write(`FAILED ${data.name}\n`);
    process.exitCode = 1;
  }
  if (type === 'test:diagnostic' && /code coverage/.test(data.message)) process.stdout.write(`${data.message}\n`);
  if (type === 'test:coverage') report(data.summary.files);
}

function report(all) {
  const sources = all.map((file) => ({ ...file, name: relative(join(root, 'src'), file.path) }));
  const folders = [...new Set(sources.map(({ name }) => folderOf(name)))].filter((folder) => folder !== '..').sort();
  for (const folder of folders) {
    const some = sources.filter(({ name }) => folderOf(name) === folder);
    const taken = some.reduce((total, file) => total + file.coveredBranchCount, 0);
    const total = some.reduce((sum, file) => sum + file.totalBranchCount, 0);
    const percent = (100 * taken) / total;
    process.stdout.write(`${folder}: ${taken} of ${total} branches, ${percent.toFixed(2)} %\n`);
    const floor = floors.get(folder);
    if (floor === undefined) continue;
    if (percent < floor) process.exitCode = 1;
    for (const { name, branches } of some) {
      const missed = new Set(branches.filter(({ count }) => count === 0).map(({ line }) => line));
      if (missed.size > 0) process.stdout.write(`  not taken: ${name}:${[...missed].join(',')}\n`);
    }
  }
}

function folderOf(name) {
  return name.split(/[\\/]/)[0];
}

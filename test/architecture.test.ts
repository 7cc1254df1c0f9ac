/**
 * The law of docs/architecture.md: which folder may import which, no circles, no file over 400 lines, no room named
 * after nothing. There is no list of exceptions.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, resolve, sep } from 'node:path';
import { test } from 'node:test';

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  yaml: ['core'],
  mail: ['core'],
  smtp: ['core'],
  store: ['core'],
  downstream: ['core', 'smtp', 'mail'],
  rules: ['core', 'yaml', 'mail', 'store'],
  config: ['core', 'yaml', 'store', 'downstream'],
  pipeline: ['core', 'mail', 'rules', 'downstream'],
  server: ['core', 'smtp', 'pipeline'],
  cli: ['core', 'yaml', 'mail', 'smtp', 'store', 'downstream', 'rules', 'config', 'pipeline', 'server'],
};
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'smtp-server': ['server'],
  'js-yaml': ['yaml'],
  zod: ['yaml', 'rules', 'config'],
  libmime: ['mail'],
  yauzl: ['mail'],
  'node-cache': ['store'],
  re2js: ['rules'],
  pino: ['cli'],
};
const LONGEST_FILE = 400;
const NAMED_AFTER_NOTHING = /(^|\/)(utils?|helpers?|common|misc|shared|manager)(\/|\.ts$)/i;

/** A statement at the start of a line, or a call. */
const IMPORT = /^(?:import|export)\s(?:[^;']*\sfrom\s)?'([^']+)';$|\bimport\(\s*'([^']+)'/gm;

const root = resolve('src');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.split(sep).join('/'));

interface Import {
  readonly from: string;
  readonly to: string;
}

const imports: Import[] = files.flatMap((from) =>
  [...readFileSync(join(root, from), 'utf8').matchAll(IMPORT)].map((match) => ({
    from,
    to: match[1] ?? match[2] ?? '',
  })),
);

function folderOf(file: string): string {
  return file.split('/')[0] ?? '';
}

function targetOf({ from, to }: Import): string {
  return relative(root, normalize(join(root, dirname(from), to)))
    .split(sep)
    .join('/');
}

test('imports go down only', () => {
  const broken = imports
    .filter(({ to }) => to.startsWith('.'))
    .filter((edge) => {
      const [from, to] = [folderOf(edge.from), folderOf(targetOf(edge))];
      return from !== to && !MAY_IMPORT[from]?.includes(to);
    });
  assert.deepEqual(broken, []);
});

test('packages are known in one folder each', () => {
  const broken = imports
    .filter(({ to }) => !to.startsWith('.') && !to.startsWith('node:'))
    .filter(({ from, to }) => {
      const name = to.startsWith('@') ? to.split('/').slice(0, 2).join('/') : (to.split('/')[0] ?? '');
      return !PACKAGES[name]?.includes(folderOf(from));
    });
  assert.deepEqual(broken, []);
});

test('folders are the layers of the table', () => {
  assert.deepEqual(
    [...new Set(files.map(folderOf))].filter((folder) => !(folder in MAY_IMPORT)),
    [],
  );
});

test('no circle of files, types included', () => {
  const edges = new Map<string, string[]>(files.map((file) => [file, []]));
  for (const edge of imports.filter(({ to }) => to.startsWith('.'))) edges.get(edge.from)?.push(targetOf(edge));
  const done = new Set<string>();
  const path: string[] = [];
  const circles: string[] = [];
  const visit = (file: string): void => {
    if (path.includes(file)) {
      circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const next of edges.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of files) visit(file);
  assert.deepEqual(circles, []);
});

test('no circle of folders', () => {
  // The table itself is a partial order: whoever may import me, I may not import, at any distance.
  for (const [folder, below] of Object.entries(MAY_IMPORT)) {
    for (const other of below) assert.ok(!MAY_IMPORT[other]?.includes(folder), `${folder} <-> ${other}`);
  }
});

test('files stay readable', () => {
  const long = files
    .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > LONGEST_FILE);
  assert.deepEqual(long, []);
});

test('no room is named after nothing', () => {
  assert.deepEqual(
    files.filter((file) => NAMED_AFTER_NOTHING.test(file)),
    [],
  );
});

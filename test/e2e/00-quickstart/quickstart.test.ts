/**
 * quickstart - what a reader does in the first minute: `npm start`, then the commands that it prints, as they are printed.
 *
 * The repository's folders are brought into a sandbox, so that the Maildirs come to lie there. The ports are those of the
 * example, as they stand in the commands: where one is taken, that is said and nothing is tested.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { Postern, putAway } from '../postern.ts';
import { canBind, Sandbox } from '../sandbox.ts';
import { suite } from '../suite.ts';

const LISTENS = ['127.0.0.1:10024', '127.0.0.1:10025'];

async function whyNot(): Promise<string | false> {
  for (const program of ['swaks', 'nc']) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `${program} is not installed`;
  }
  for (const port of [10_024, 10_025]) {
    if (!(await canBind(port))) return `port ${port} of the quick start is taken by another program`;
  }
  return false;
}

/** The arguments behind `serve` in the script `start` of package.json. */
function startArguments(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
  const [, words] = / serve (.*)$/.exec(scripts.start) ?? [];
  assert.ok(words !== undefined, 'npm start ends in "serve …"');
  return words.split(' ');
}

interface Finished {
  readonly status: number | null;
  readonly output: string;
}

suite('quick start', await whyNot(), () => {
  const sandbox = new Sandbox('quickstart');
  let postern: Postern;
  let commands: readonly string[];

  before(async () => {
    for (const folder of ['examples/quickstart', 'rules']) {
      cpSync(resolve(folder), join(sandbox.folder, folder), { recursive: true });
    }
    postern = await Postern.start(sandbox, startArguments(), LISTENS);
    commands = await postern.printed(/^\s*((?:swaks|printf) .*)$/gm, 3);
  });

  after(() => putAway(sandbox, postern));

  const run = (position: number): Finished => {
    const command = commands[position] ?? '';
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8', timeout: 20_000 });
    return { status, output: `${stdout}${stderr}` };
  };
  const inbox = (list: string): readonly string[] => {
    const folder = join(sandbox.folder, 'var', 'mail', 'lists.example.org', list, 'new');
    return existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1')) : [];
  };

  test('it prints three commands', () => {
    assert.equal(commands.length, 3, postern.output);
  });

  test('a stranger is refused in the dialogue, with the reason', () => {
    const { output } = run(0);
    assert.match(output, /^<\*\* 550 5\.7\.1 Only subscribers may post to gardeners@lists\.example\.org/m);
    assert.deepEqual(inbox('gardeners'), []);
  });

  test('a subscriber is delivered', () => {
    const { status, output } = run(1);
    assert.equal(status, 0, output);
    assert.match(output, /^<- {2}250 2\.\d\.\d /m);
    const [message, ...others] = inbox('gardeners');
    assert.match(message ?? '', /^From: ann@example\.net\n/m);
    assert.deepEqual(others, []);
  });

  test('one message, two lists, two answers', () => {
    const { output } = run(2);
    const final = output.slice(output.indexOf('354 ')).split('\r\n').slice(1);
    assert.match(final[0] ?? '', /^250 2\.\d\.\d /);
    assert.match(final[1] ?? '', /^550 5\.7\.1 news@lists\.example\.org is for announcements/);
    assert.match(final[2] ?? '', /^221 /);
    assert.equal(inbox('gardeners').length, 2);
    assert.deepEqual(inbox('news'), []);
  });
});

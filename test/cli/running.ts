/**
 * running - `postern serve` as a process of its own, in a folder of the test's.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { connectPeer, type Peer } from '../support/peer.ts';

export const MAIN = resolve('dist/cli/main.js');

export interface Running {
  readonly process: ChildProcess;
  /** Everything it wrote, standard output and standard error. */
  readonly output: () => string;
  /** Resolves with the match once the output has one; fails when the process ends without. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** The exit code; null after a signal. */
  readonly ended: Promise<number | null>;
}

export function folderWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-run-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

export function postern(folder: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { cwd: folder, encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** Starts `postern serve` in `folder`; `wrapper` is a program that is to start it, with the command line behind it, `third` a descriptor
 * that is its number 3. */
export function start(
  t: TestContext,
  folder: string,
  env: NodeJS.ProcessEnv = {},
  wrapper: readonly string[] = [],
  third: number | 'ignore' = 'ignore',
): Running {
  const [program = '', ...args] = [...wrapper, process.execPath, MAIN, 'serve'];
  const child = spawn(program, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe', third],
    env: { ...process.env, ...env },
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  let wake: () => void = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      wake();
    });
  }
  const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
  const says = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(output);
      if (match !== null) return match;
      await Promise.race([
        new Promise<void>((done) => {
          wake = done;
        }),
        ended.then((code) => {
          if (!pattern.test(output)) throw new Error(`exit ${code} without ${pattern}:\n${output}`);
        }),
      ]);
    }
  };
  return { process: child, output: () => output, says, ended };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return address !== null && typeof address === 'object' ? address.port : 0;
}

/** A session as far as DATA's 354. */
export async function beginMessage(port: number, author: string): Promise<Peer> {
  const client = await connectPeer(port);
  await client.reply();
  await client.ask('LHLO client.example');
  await client.ask(`MAIL FROM:<${author}>`);
  await client.ask('RCPT TO:<gardeners@lists.example.org>');
  await client.ask('DATA');
  return client;
}

/** The reply to the final dot for one message from `author`. */
export async function post(port: number, author: string): Promise<string | null> {
  const client = await beginMessage(port, author);
  const reply = await client.ask(`From: ${author}\r\nSubject: x\r\n\r\nx\r\n.`);
  client.socket.destroy();
  return reply;
}

/** A configuration that delivers into Maildirs; `more` are further lines of it. */
export function configuration(listener: string, more = ''): string {
  return `version: 1
listen: [ { lmtp: "${listener}" } ]
downstreams: { inbox: { maildir: mail } }
routes: [ { to: inbox } ]
rules: { system: system.yaml, lists: { folder: lists } }
${more}`;
}

/** Posts by anybody but Ann are refused. */
export const RULES = {
  'system.yaml': 'version: 1\n',
  'lists/lists.example.org/gardeners.yaml': `version: 1
list: gardeners@lists.example.org
rules:
  - name: subscribers-only
    when: { author: { not_in: [ann@example.net] } }
    then: { reject: "Only subscribers may post to {list}" }
`,
};

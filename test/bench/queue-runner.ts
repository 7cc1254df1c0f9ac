/**
 * queue-runner - what a list manager does behind a Maildir: looks into `new`, hands each message to an LMTP server in one
 * session that it keeps, unlinks it. A process of its own; no pause while there is something to do.
 *
 * Arguments: a Maildir, the address of the LMTP server. Every tenth of a second one line of JSON: RunnerLook.
 */
import { existsSync, readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connectPeer, type Peer } from '../support/peer.ts';

export interface RunnerLook {
  readonly at: number;
  readonly delivered: number;
}

const LOOK_EVERY = 100;
const EMPTY_FOR = 10;
const PATIENCE = 60_000;
const ENVELOPE = 'MAIL FROM:<ann@example.net>\r\nRCPT TO:<list-1@lists.example.org>\r\nDATA\r\n';

const [maildir = '', address = ''] = process.argv.slice(2);
const folder = join(maildir, 'new');
let delivered = 0;

function look(): void {
  process.stdout.write(`${JSON.stringify({ at: Date.now(), delivered } satisfies RunnerLook)}\n`);
}

async function expect(peer: Peer, code: string): Promise<void> {
  const reply = await peer.reply();
  if (reply?.startsWith(code) !== true) throw new Error(`expected ${code}, got ${reply}`);
}

async function deliver(peer: Peer, file: string): Promise<void> {
  const content = readFileSync(file, 'latin1').replaceAll('\n', '\r\n').replaceAll('\r\n.', '\r\n..');
  peer.socket.write(ENVELOPE);
  for (const code of ['250', '250', '354']) await expect(peer, code);
  peer.socket.write(`${content}.\r\n`, 'latin1');
  await expect(peer, '250');
  unlinkSync(file);
  delivered += 1;
}

const peer = await connectPeer(Number(address.split(':').at(-1)), PATIENCE);
await expect(peer, '220');
peer.socket.write('LHLO runner.example\r\n');
await expect(peer, '250');
setInterval(look, LOOK_EVERY);
for (;;) {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of names) await deliver(peer, join(folder, name));
  if (names.length === 0) await pause(EMPTY_FOR);
}

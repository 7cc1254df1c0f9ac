/**
 * sessions - LMTP clients for the runs that ask what a load costs, and the Postern and the smtp-sink that they load.
 */
import { connectPeer, type Peer } from '../support/peer.ts';
import type { Sandbox } from '../e2e/sandbox.ts';
import type { Subject } from './programs.ts';
import { startPostern, startSink } from './subjects.ts';

/** Milliseconds that a client waits for a reply before the run fails. */
const PATIENCE = 120_000;

/** `own`: see startPostern. */
export async function startChain(sandbox: Sandbox, own: { system?: string; more?: string }): Promise<Subject> {
  const sink = await startSink(sandbox, 'lmtp');
  return startPostern({ sandbox, protocol: 'lmtp', sink: sink.address, ...own });
}

export function portOf({ address }: Subject): number {
  return Number(address.split(':').at(-1));
}

export async function openSession(port: number): Promise<Peer> {
  const peer = await connectPeer(port, PATIENCE);
  await expect(peer, '220');
  peer.socket.write('LHLO load.example\r\n');
  await expect(peer, '250');
  return peer;
}

export function endSession(peer: Peer): void {
  peer.socket.end('QUIT\r\n');
}

/** Sends one message; `content` ends with the final dot. Throws where it was not taken. */
export async function sendMessage(peer: Peer, content: Iterable<Buffer>): Promise<void> {
  peer.socket.write('MAIL FROM:<ann@example.net>\r\nRCPT TO:<gardeners@lists.example.org>\r\nDATA\r\n');
  for (const code of ['250', '250', '354']) await expect(peer, code);
  for (const slice of content) {
    if (!peer.socket.write(slice)) await new Promise<void>((drained) => peer.socket.once('drain', drained));
  }
  await expect(peer, '250');
}

export async function expect(peer: Peer, code: string): Promise<void> {
  const reply = await peer.reply();
  if (reply?.startsWith(code) !== true)
    throw new Error(`expected ${code}, got ${reply ?? 'the end of the connection'}`);
}

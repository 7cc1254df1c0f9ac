/**
 * How clients leave: without waiting for 221 (Postfix's proxy filter), without QUIT (its connection cache), with a reset. That
 * is no news, and nobody else notices.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openChain } from '../support/chain.ts';
import { connectPeer, type Peer } from '../support/peer.ts';
import { RecordingServer } from '../support/recording-server.ts';

const WAYS: Readonly<Record<string, (client: Peer) => void>> = {
  'QUIT, and closed before the 221': ({ socket }) => {
    socket.pause();
    socket.write('QUIT\r\n');
    socket.destroy();
  },
  'QUIT, and reset': ({ socket }) => {
    socket.write('QUIT\r\n', () => socket.resetAndDestroy());
  },
  'closed without QUIT': ({ socket }) => socket.end(),
  'reset without QUIT': ({ socket }) => socket.resetAndDestroy(),
};

for (const [name, leave] of Object.entries(WAYS)) {
  for (const when of ['behind the greeting', 'behind a message', 'in a transaction'] as const) {
    test(`a client that leaves ${when} is no news: ${name}`, async () => {
      const server = new RecordingServer();
      const chain = await openChain({ downstreamPort: await server.listen() });
      try {
        for (let round = 0; round < 5; round++) {
          const client = await connectPeer(chain.port);
          await client.reply();
          await client.ask('LHLO client.example');
          if (when !== 'behind the greeting') {
            await client.ask('MAIL FROM:<ann@example.net>');
            await client.ask('RCPT TO:<a@lists.example.org>');
          }
          if (when === 'behind a message') {
            await client.ask('DATA');
            assert.match((await client.ask('x: y\r\n\r\n.')) ?? '', /^250 /);
          }
          leave(client);
        }
        while (chain.listener.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
        const told = chain.log.filter((line) => !line.includes('"level":"debug"'));
        const events = told.map((line) => (JSON.parse(line) as { event: string }).event);
        assert.deepEqual([...new Set(events)], when === 'behind the greeting' ? [] : ['transaction']);
      } finally {
        await chain.close();
        server.close();
      }
    });
  }
}

/**
 * lmtp-client - an MTA's LMTP side under a test's control: one message, one reply for each recipient (RFC 2033).
 */
import type { Address } from './sandbox.ts';
import { SmtpClient, type Submission } from './smtp-client.ts';

export interface LmtpAnswers {
  /** The replies to RCPT, one for each of `to`. */
  readonly rcpt: readonly string[];
  /** One for each of `to`: the reply after the dot, or that to RCPT where it was refused there. */
  readonly final: readonly string[];
}

/** A session of one message: LHLO, the message, QUIT. */
export async function submitLmtp(
  address: Address,
  { from, to, content, localAddress }: Submission,
): Promise<LmtpAnswers> {
  const client = await SmtpClient.open(address, localAddress);
  try {
    await client.command('LHLO mail.example.net');
    await client.command(`MAIL FROM:<${from}>`);
    const rcpt: string[] = [];
    for (const path of to) rcpt.push(await client.command(`RCPT TO:<${path}>`));
    const accepted = [...rcpt.keys()].filter((position) => rcpt[position]?.startsWith('250'));
    const final = [...rcpt];
    if (accepted.length > 0) {
      const data = await client.command('DATA');
      if (!data.startsWith('354')) throw new Error(`DATA was answered with ${data}`);
      client.writeContent(content);
      client.write('.\r\n');
      for (const position of accepted) final[position] = await client.reply();
    }
    await client.command('QUIT');
    return { rcpt, final };
  } finally {
    client.close();
  }
}

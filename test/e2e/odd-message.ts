/**
 * odd-message - a message in which everything that software likes to change stands once.
 *
 * Dots at the beginning of lines, blanks at their end, raw 8-bit octets, a line of 998 octets, odd folding, several
 * empty lines at the end. All lines end in CRLF.
 */

export interface Heading {
  /** The mailbox of From:. */
  readonly author: string;
  readonly to: string;
  readonly subject: string;
}

export function oddMessage({ author, to, subject }: Heading): Buffer {
  const lines = [
    `From: "A. =?utf-8?q?G=C3=A4rtner?=" <${author}>`,
    `To:${to}`,
    `subject:   ${subject}`,
    'Date: Mon, 23 Nov 2026 14:28:00 +0000',
    `Message-ID: <${subject.replaceAll(' ', '.')}@example.net>`,
    'X-Folded: one',
    '\ttwo  ',
    '  three',
    'Content-Type: text/plain; charset=iso-8859-1',
    'Content-Transfer-Encoding: 8bit',
    '',
    '.',
    '..',
    '...three dots, one blank behind: ',
    '. a dot and a blank',
    'raw octets: \xe9\xdf\xff',
    'trailing tab\t',
    'x'.repeat(998),
    'From the beginning of a line',
    '',
    '.',
    '',
    '',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1');
}

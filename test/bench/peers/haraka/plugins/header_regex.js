// header_regex - one pattern, asked of every Subject.

const PATTERN = /\bcheap (watch|pill)s\b/i;

exports.hook_data_post = (next, connection) => {
  const refused = PATTERN.test(connection.transaction.header.get('Subject'));
  if (refused) next(DENY, 'Not here');
  else next();
};

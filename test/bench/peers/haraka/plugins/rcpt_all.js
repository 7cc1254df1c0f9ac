// rcpt_all - every recipient is ours.

exports.hook_rcpt = (next) => next(OK);

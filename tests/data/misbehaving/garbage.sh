#!/bin/sh
# Prints what is of no protocol: bytes that are no text, a line of two megabytes, types nobody knows; and no result.
printf '\377\376\200 not text\n'
head -c 2000000 /dev/zero | tr '\0' 'x'
printf '\n{"type":"no-such-type"}\n{"jsonrpc":"2.0","method":"no/such/notice","params":{}}\n[]\n\n'
printf '{"jsonrpc":"2.0","id":77,"method":"fs/write_text_file","params":{"path":"/etc/passwd"}}\n'

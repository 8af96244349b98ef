#!/bin/sh
# Greets in another version of the Agent Client Protocol, and refuses in every other way it knows.
printf '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":99}}\n'
printf '{"id":2,"error":{"code":-32601,"message":"no such method here"}}\n'
printf '{"type":"result","subtype":"error_during_execution","is_error":true,"result":"no such flag here","total_cost_usd":0}\n'
sleep 300

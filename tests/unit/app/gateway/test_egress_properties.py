"""What holds for anything an agent may send, and for any address a name may lead to."""

import ipaddress

from hypothesis import assume, given
from hypothesis import strategies as st

from app.gateway.egress_request import Asking
from app.gateway.egress_way import Refused, is_public


@given(
    st.binary(max_size=300)
    | st.from_regex(rb"CONNECT [ -~]{0,60}:443 HTTP/1\.1\r\nHost: x\r\n\r\n")
)
def test_whatever_is_sent_asks_for_a_plain_host_or_is_refused(sent: bytes) -> None:
    asking = Asking()
    try:
        host = asking.feed(sent)
    except Refused:
        return
    assert host is None or sent.startswith(f"CONNECT {host}:443 HTTP/1.".encode())


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_the_same_in_whatever_it_is_wrapped(
    address: ipaddress.IPv4Address,
) -> None:
    number = int(address)
    assume(not is_public(str(address)))
    six = [0xFFFF << 32 | number, 0x2002 << 112 | number << 80, 0x64FF9B << 96 | number]
    wrapped = [str(ipaddress.IPv6Address(one)) for one in six]
    assert [one for one in wrapped if is_public(one)] == []

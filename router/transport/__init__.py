"""The router's SIP sockets (RFC 3261 §18): bytes in, whole messages out, and flows to answer on.

    transports = Transports(receive, failed)            # see router.ports.MessageReceiver, FlowFailed
    await transports.start(configuration.listeners)     # all of them or none
    transports.flow_to("tcp", "pbx.example", 5060).send(b"OPTIONS …")
    await transports.close()

What SIP means is not known here: a message is bytes that end somewhere. Everything is synchronous for the caller: a
flow to a peer is given at once, resolving its name and connecting happen behind it, and `failed` tells what fails.

    transports.py   the door: listeners, `flow_to`, closing
    udp.py          one raw socket per listener, drained in bounded bursts; ICMP errors told with their datagram
    tcp.py          connections in both directions, and the limits of patience with a peer
    framing.py      where a message ends in a stream, sans-IO
    resolver.py     names to addresses, with a cache that keeps to the TTL
    address.py      addresses as text, as sockets want them, and as Via and Contact show them

Whom `failed` tells what:

- `failed(flow, data)`: this one datagram or message, of which `data` is the beginning, did not arrive. On UDP the flow
  lives on, and is the peer's own even where the sender used one given for a name: match by the branch in `data`.
- `failed(flow, b"")`: the flow is gone, with everything on the way. Told once; ask `flow_to` for a new one.

TLS and WebSocket will be further ways to make a stream for `tcp.py`, NAPTR and SRV further steps in `resolver.py`.
"""

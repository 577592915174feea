"""A TCP proxy for containers: serves this machine's loopback ports on the container bridge's address.

A container's loopback is not this machine's, and `sam local invoke` puts its containers on the bridge whatever
`--docker-network` names. The bridge is internal to this machine; the proxy runs only while samples are invoked."""

import argparse
import asyncio

CHUNK = 1 << 16


async def serve(address: str, ports: list[int]) -> None:
    servers = [await asyncio.start_server(door(port), address, port) for port in ports]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def door(port: int):
    async def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inside, inward = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(carry(reader, inward), carry(inside, writer))
        finally:
            inward.close()
            writer.close()

    return enter


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copies one direction until its sender closes it; the other stays open."""
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        # The receiver closed the connection, so the other direction ends too.
        writer.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--ports", type=int, nargs="+", required=True)
    given = parser.parse_args()
    asyncio.run(serve(given.address, given.ports))


if __name__ == "__main__":
    main()

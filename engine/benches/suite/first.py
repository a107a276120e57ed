"""How long a command takes to its first container: first.py SOCKET COMMAND...

Stands between the command and the docker that listens on SOCKET: the command's DOCKER_HOST is a socket of its own, from
which all goes on to the other. Prints the milliseconds from the start of the command to its first request for a container
(what is the command's own) and to docker's answer that the container has been started (what it has waited for besides).
"""

import asyncio
import os
import re
import sys
import tempfile
import time

CREATE = re.compile(rb"POST \S*/containers/create")
START = re.compile(rb"POST \S*/containers/\w+/start")


class Watch:
    def __init__(self, engine):
        self.engine = engine
        self.seen = {}

    def note(self, what):
        self.seen.setdefault(what, time.perf_counter())

    async def forward(self, source, sink, look):
        try:
            while data := await source.read(65536):
                look(data)
                sink.write(data)
                await sink.drain()
            sink.write_eof()
        except OSError:
            pass

    async def connection(self, client_in, client_out):
        engine_in, engine_out = await asyncio.open_unix_connection(self.engine)
        starting = False

        def asked(data):
            nonlocal starting
            if CREATE.search(data):
                self.note("create")
            starting = bool(START.search(data))

        def answered(_):
            if starting:
                self.note("started")

        await asyncio.gather(
            self.forward(client_in, engine_out, asked), self.forward(engine_in, client_out, answered)
        )
        for stream in (engine_out, client_out):
            stream.close()


async def main(engine, command):
    watch = Watch(engine)
    with tempfile.TemporaryDirectory() as folder:
        socket = os.path.join(folder, "docker.sock")
        server = await asyncio.start_unix_server(watch.connection, socket)
        environment = {**os.environ, "DOCKER_HOST": f"unix://{socket}"}
        before = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        _, said = await process.communicate()
        server.close()
    if process.returncode or len(watch.seen) < 2:
        sys.exit(f"first.py: it ended with {process.returncode}, seen: {list(watch.seen)}\n{said.decode()}")
    print(*(f"{(watch.seen[what] - before) * 1000:.1f}" for what in ("create", "started")))


asyncio.run(main(sys.argv[1], sys.argv[2:]))

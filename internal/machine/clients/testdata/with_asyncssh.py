# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

# A person at asyncssh. Usage: with_asyncssh.py PORT USER
import asyncio
import sys

import asyncssh


class Person(asyncssh.SSHClient):
    def kbdint_auth_requested(self):
        return ""

    def kbdint_challenge_received(self, name, instructions, lang, prompts):
        return [input(text) for text, echo in prompts]


async def main():
    async with asyncssh.connect(
        "127.0.0.1", int(sys.argv[1]), username=sys.argv[2], client_factory=Person, known_hosts=None, login_timeout=300
    ) as connection:
        print((await connection.run("id -un")).stdout)


asyncio.run(main())

# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

# A person at paramiko. Usage: with_paramiko.py PORT USER
import socket
import sys

import paramiko

transport = paramiko.Transport(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
transport.auth_timeout = 300
transport.start_client()
transport.auth_interactive(sys.argv[2], lambda title, instructions, prompts: [input(text) for text, echo in prompts])
session = transport.open_session()
session.exec_command("id -un")
print(session.makefile().read().decode())
transport.close()

// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// A person at ssh2. Usage: with_ssh2.js PORT USER
const lines = require('readline').createInterface({ input: process.stdin, output: process.stdout });
const connection = new (require('ssh2').Client)();
connection.on('keyboard-interactive', (name, instructions, lang, prompts, finish) => {
	if (prompts.length === 0) return finish([]);
	lines.question(prompts[0].prompt, (answer) => finish([answer]));
});
connection.on('ready', () => connection.exec('id -un', (err, stream) => {
	if (err) throw err;
	stream.on('data', (data) => console.log(data.toString())).on('close', () => {
		connection.end();
		lines.close();
	});
}));
connection.connect({ host: '127.0.0.1', port: process.argv[2], username: process.argv[3], tryKeyboard: true, readyTimeout: 300000 });

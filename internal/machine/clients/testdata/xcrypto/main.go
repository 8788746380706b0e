// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// A person at golang.org/x/crypto/ssh. Usage: xcrypto PORT USER
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
)

func main() {
	lines := bufio.NewReader(os.Stdin)
	answer := func(_, _ string, questions []string, _ []bool) (answers []string, err error) {
		for _, question := range questions {
			fmt.Print(question)
			line, err := lines.ReadString('\n')
			if err != nil {
				return nil, err
			}
			answers = append(answers, strings.TrimSuffix(line, "\n"))
		}
		return answers, nil
	}
	connection, err := ssh.Dial("tcp", "127.0.0.1:"+os.Args[1], &ssh.ClientConfig{
		User:            os.Args[2],
		Auth:            []ssh.AuthMethod{ssh.KeyboardInteractive(answer)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		log.Fatal(err)
	}
	session, err := connection.NewSession()
	if err != nil {
		log.Fatal(err)
	}
	session.Stdout = os.Stdout
	if err := session.Run("id -un"); err != nil {
		log.Fatal(err)
	}
}

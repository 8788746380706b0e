// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aadlogin/internal/config"
)

// A handler is the extension in its directory on a machine.
type handler struct {
	base     string // the directory into which the agent has unpacked the zip
	folders  folders
	sequence int
	getenv   func(string) string
	report   *report
	log      io.WriteCloser
	host
}

// A host is the machine: its files below root, which is "/" except in tests, and its programs.
type host struct {
	root string
	run  runFunc
	arch string // the processor, by Go's and Debian's name
}

func (h host) path(name string) string { return filepath.Join(h.root, name) }

func (h host) configPath() string { return h.path(config.DefaultPath) }

func (h host) runtimeDir() string { return h.path("/run/aad-login-extension") }

// folders is HandlerEnvironment.json: the name of the extension, and its directories.
type folders struct {
	Name   string
	Config string
	Status string
	Log    string
}

// newHandler finds everything relative to the handler's own directory. The agent's environment
// names the directory, too, but a person who runs a command by hand does not have it.
func newHandler(base string, getenv func(string) string) (*handler, error) {
	text, err := readSome(filepath.Join(base, "HandlerEnvironment.json"))
	if err != nil {
		return nil, fmt.Errorf("the agent has not said where it wants reports: %w", err)
	}
	f, err := parseFolders(text)
	if err != nil {
		return nil, err
	}
	h := &handler{base: base, folders: f, getenv: getenv, host: thisHost()}
	h.sequence = h.findSequence()
	h.report = &report{path: filepath.Join(f.Status, fmt.Sprint(h.sequence, ".status")),
		name: f.Name, now: time.Now}
	h.log = openLog(f.Log)
	return h, nil
}

func parseFolders(text []byte) (folders, error) {
	var all []struct {
		Name               string `json:"name"`
		HandlerEnvironment struct {
			LogFolder    string `json:"logFolder"`
			ConfigFolder string `json:"configFolder"`
			StatusFolder string `json:"statusFolder"`
		} `json:"handlerEnvironment"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return folders{}, fmt.Errorf("HandlerEnvironment.json: %w", err)
	}
	if len(all) == 0 {
		return folders{}, fmt.Errorf("HandlerEnvironment.json: is empty")
	}
	e := all[0].HandlerEnvironment
	f := folders{Name: all[0].Name, Config: e.ConfigFolder,
		Status: e.StatusFolder, Log: e.LogFolder}
	for _, folder := range []string{f.Config, f.Status, f.Log} {
		if !filepath.IsAbs(folder) || strings.ContainsRune(folder, 0) {
			return folders{}, fmt.Errorf("HandlerEnvironment.json: %q is not an absolute path",
				folder)
		}
	}
	return f, nil
}

// maxText limits how much is read of files that others write.
const maxText = 1 << 20

func readSome(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err == nil && len(text) > maxText {
		err = fmt.Errorf("%s is larger than 1 MiB", path)
	}
	return text, err
}

const (
	logName = "aad-extension.log"
	maxLog  = 1 << 20
)

// openLog opens the log for appending. A log larger than maxLog is renamed first, over the previous
// one. If the log cannot be opened, nothing is logged and the command goes on.
func openLog(folder string) io.WriteCloser {
	path := filepath.Join(folder, logName)
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		_ = os.Rename(path, path+".1")
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nowhere{}
	}
	return f
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }

// logf writes one line to the log.
func (h *handler) logf(format string, args ...any) {
	line := printable(fmt.Sprintf(format, args...))
	fmt.Fprintf(h.log, "%s [%d] %s\n", time.Now().UTC().Format(time.RFC3339), os.Getpid(), line)
}

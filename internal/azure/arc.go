// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"aadlogin/internal/foreign"
)

// DefaultArc is where the agent of Azure Arc answers, on machines that are
// not Azure's. Any local process may hold that port while the agent is down,
// so nothing said there is proof of which machine this is: the configuration
// names it. A token is given only to who can read the agent's files, and the
// agent alone can write them, so a challenge tells it from an impostor.
// https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication
const DefaultArc = "http://127.0.0.1:40342"

// arcVersion is the api-version for everything that the agent is asked: agents refuse what they do not know, and every
// list of one that is known has this one in it. Azure's own metadata service knows it too, and newer ones.
const arcVersion = "2020-06-01"

const (
	defaultArcKeys = "/var/opt/azcmagent/tokens"
	maxArcKey      = 4096
)

// getChallenged is get for the agent's tokens: it refuses the first request,
// naming a file, and answers the second, which brings the file's content.
func (m *Metadata) getChallenged(ctx context.Context, op, path string, query url.Values, into any) error {
	got, err := m.ask(ctx, op, path, query, nil)
	if err != nil {
		return err
	}
	switch got.status {
	case http.StatusUnauthorized:
	case http.StatusOK:
		return fmt.Errorf("azure: %s: the agent of Azure Arc answered without a challenge, so it may be another program", op)
	default:
		return parseError(op, got)
	}
	key, err := m.arcKey(got.header)
	if err != nil {
		return fmt.Errorf("azure: %s: %w", op, err)
	}
	got, err = m.ask(ctx, op, path, query, http.Header{"Authorization": {"Basic " + key}})
	if err != nil {
		return err
	}
	return got.decode(op, into)
}

// arcKey reads the file that a challenge names. An impostor would name
// another, to have root send it: so no file but a key in the agent's own
// directory, no link, and little of it.
func (m *Metadata) arcKey(header http.Header) (string, error) {
	dir := m.arcKeys
	if dir == "" {
		dir = defaultArcKeys
	}
	scheme, path, _ := strings.Cut(header.Get("Www-Authenticate"), "realm=")
	if !strings.EqualFold(strings.TrimSpace(scheme), "Basic") {
		return "", errors.New("the agent of Azure Arc sent no challenge")
	}
	if path != filepath.Join(dir, filepath.Base(path)) || filepath.Ext(path) != ".key" {
		return "", fmt.Errorf("the challenge names %q, which is no key in %s", foreign.Clip(path), dir)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > maxArcKey {
		return "", fmt.Errorf("the challenge names %q, which is no small file", foreign.Clip(path))
	}
	key, err := io.ReadAll(io.LimitReader(f, maxArcKey))
	return string(key), err
}

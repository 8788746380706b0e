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

// DefaultArc is the address of the agent of Azure Arc, on machines that are not Azure's. While the
// agent is down, any local process may listen on that port, so what is said there does not prove
// which machine this is: the configuration names it. The agent gives tokens only to processes that
// can read its files, and only the agent can write these files, so its challenge tells it from an
// impostor.
// https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication
const DefaultArc = "http://127.0.0.1:40342"

// arcVersion is the api-version of every request to the agent. Agents refuse versions that they do
// not know, and every known agent lists this one. Azure's own metadata service knows it, and newer
// ones.
const arcVersion = "2020-06-01"

const (
	defaultArcKeys = "/var/opt/azcmagent/tokens"
	maxArcKey      = 4096
)

// getChallenged is get for the agent's tokens. The agent refuses a request and names a file. It
// answers the same request with the file's content. That is good once, so every attempt begins with
// the request that is refused.
func (m *Metadata) getChallenged(
	ctx context.Context, op, path string, query url.Values, into any,
) error {
	request, err := m.request(path, query)
	if err != nil {
		return err
	}
	var problem error
	r := m.retrier()
	r.send = func(req *http.Request) (*answer, error) {
		var key string
		got, err := once(r.client, req)
		switch {
		case err != nil:
			return nil, err
		case got.status == http.StatusOK:
			problem = errors.New("the agent of Azure Arc answered without a challenge, so it " +
				"may be another program")
			return got, nil
		case got.status != http.StatusUnauthorized:
			return got, nil
		}
		if key, problem = m.arcKey(got.header); problem != nil {
			return got, nil
		}
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Basic "+key)
		return once(r.client, req)
	}
	got, err := r.ask(ctx, request)
	switch {
	case problem != nil:
		return fmt.Errorf("azure: %s: %w", op, problem)
	case err != nil:
		return unreachable(op, err)
	}
	return got.decode(op, into)
}

// arcKey reads the file that a challenge names. An impostor would name another file, to have root
// send it. So the file must be a key in the agent's own directory, small, and no link.
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
		return "", fmt.Errorf("the challenge names %q, which is no key in %s",
			foreign.Clip(path), dir)
	}
	f, err := os.OpenFile(path,
		os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
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

// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"aadlogin/internal/config"
)

const aadctl = "/usr/sbin/aadctl"

// disabledSuffix is the suffix of a disabled config.toml.
const disabledSuffix = ".disabled"

// A plan is the present configuration and the new one.
type plan struct {
	path     string
	was      []byte // nil if there is none
	text     []byte
	settings *config.Config
}

// plan computes the new configuration and checks it. It changes nothing.
func (h *handler) plan(s settings) (*plan, error) {
	p := &plan{path: h.configPath()}
	was, complete, err := readConfig(p.path)
	if err != nil {
		return nil, err
	}
	p.was = was
	basis := was
	if !complete { // disabled: the text of config.toml is the package's file without values
		disabled, _, err := readConfig(p.path + disabledSuffix)
		if err != nil {
			return nil, err
		}
		if disabled != nil {
			basis = disabled
		}
	}
	p.text = s.edit(basis)
	if p.settings, err = config.Parse(p.path, p.text); err != nil {
		return nil, s.wrong(err)
	}
	return p, nil
}

// readConfig reads a file that only root can write. Text that others could have written must not
// get into a file that is trusted.
func readConfig(path string) (text []byte, complete bool, err error) {
	_, err = config.Load(path)
	var e *config.Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case errors.As(err, &e) && e.Key == "" && e.Line == 0:
		return nil, false, unusable(e.What(), "Mend it on the machine: "+e.Fix+".")
	}
	text, read := os.ReadFile(path)
	return text, err == nil, read
}

// wrong says whether the settings or the file must be corrected.
func (s settings) wrong(err error) error {
	var e *config.Error
	switch {
	case !errors.As(err, &e):
		return err
	case e.Key != "" && e.Line == 0 && len(s.pairs) == 0:
		return unusable("There are no settings, and no complete configuration on the machine: "+
			e.Key+" "+e.Problem,
			"Give the extension publicSettings with tenant_id, client_id and domains.")
	case e.Key != "" && (e.Line == 0 || s.has(e.Key)):
		return unusable("publicSettings: "+e.Key+": "+e.Problem, "Correct it: "+e.Fix+".")
	default:
		return unusable(e.What(), "Mend it on the machine: "+e.Fix+".")
	}
}

// write replaces the configuration and applies it, or leaves everything as it was. It also enables
// a configuration that was disabled.
func (h *handler) write(ctx context.Context, p *plan) (string, error) {
	if !bytes.Equal(p.was, p.text) {
		if p.was != nil {
			if err := config.WriteFile(p.path+".previous", p.was); err != nil {
				return "", err
			}
		}
		if err := config.WriteFile(p.path, p.text); err != nil {
			return "", err
		}
	}
	if said, err := h.run(ctx, nil, aadctl, "config", "apply"); err != nil {
		return "", errors.Join(commandError("aadctl config apply", said, err), p.restore())
	}
	if err := remove(p.path + disabledSuffix); err != nil {
		return "", err
	}
	// Files that the agent's SELinux domain creates in /etc get another label. The next boot would
	// correct it, too.
	if said, err := h.run(ctx, nil, aadctl, "store", "relabel"); err != nil {
		h.report.part("labels", warning, 0, commandError("aadctl store relabel", said, err).Error())
	}
	return fmt.Sprintf("tenant %s, domains %s, source %s", p.settings.TenantID,
		strings.Join(p.settings.Domains, ", "), p.settings.Authorization.Source), nil
}

func (p *plan) restore() error {
	if p.was == nil {
		return remove(p.path)
	}
	return config.WriteFile(p.path, p.was)
}

// remove removes a file that may be gone.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

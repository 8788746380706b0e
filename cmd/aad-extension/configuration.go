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

// disabledSuffix is what disable puts behind the name of config.toml.
const disabledSuffix = ".disabled"

// A plan is the configuration as it is and as it is to be.
type plan struct {
	path     string
	was      []byte // nil: there is none
	text     []byte
	settings *config.Config
}

// plan changes nothing. After it, the configuration is known to be good.
func (h *handler) plan(s settings) (*plan, error) {
	p := &plan{path: h.configPath()}
	was, complete, err := readConfig(p.path)
	if err != nil {
		return nil, err
	}
	p.was = was
	basis := was
	if !complete { // disabled; what else is there is the package's file with nothing filled in
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

// readConfig reads what root has written. What others could write is not taken over into a file
// that is believed.
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

// wrong tells whether the settings or the file are to be corrected.
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

// write puts the configuration in place and applies it, or leaves all as it was. A configuration
// that was disabled is in force again.
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
	// What the agent's domain makes in /etc has a label of its own under SELinux. The next boot
	// would see to that, too.
	if said, err := h.run(ctx, nil, aadctl, "store", "relabel"); err != nil {
		h.report.part("labels", warning, 0, commandError("aadctl store relabel", said, err).Error())
	}
	return fmt.Sprintf("tenant %s, domains %s, source %s", p.settings.TenantID,
		strings.Join(p.settings.Domains, ", "),
		p.settings.Authorization.Source), nil
}

func (p *plan) restore() error {
	if p.was == nil {
		return remove(p.path)
	}
	return config.WriteFile(p.path, p.was)
}

// remove is for a file that may be gone.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"aadlogin/internal/doctor"
	"aadlogin/internal/signin"
)

// skip is the word that ends a trial of the sign-in page. ENTER alone has no meaning there, because
// it may come with a paste.
const skip = "skip"

var (
	errSkipped = errors.New("skipped")
	errNumber  = errors.New("the browser showed an error")
)

// byPage tries the sign-in page. It needs a terminal to paste into.
func (w *walk) byPage(ctx context.Context, probe *signin.Probe,
	ways []signin.PageTrial) (trials []doctor.PageTrial) {
	var account string
	for i, way := range ways {
		t := doctor.PageTrial{PageTrial: way}
		if w.lines != nil && ctx.Err() == nil {
			if account == "" {
				fmt.Fprintln(w.say,
					"The sign-in page. Type the name of who signs in there, such as "+
						"alice@contoso.com, and ENTER.")
				account, _ = w.word(ctx)
			}
			if account == skip || account == "" {
				return append(trials, t)
			}
			w.introduce(i, way)
			t.Account = account
			t = w.page(ctx, probe, t)
		}
		trials = append(trials, t)
	}
	return trials
}

func (w *walk) introduce(i int, way signin.PageTrial) {
	if i > 0 {
		fmt.Fprintf(w.say,
			"\nThe other answer, %q, at %s. Type %q unless the page is there and that address is "+
				"registered, too.\n", way.Answer, way.Page, skip)
	}
	fmt.Fprintf(w.say,
		"Open the address, sign in, and paste what the page shows. If the browser shows an "+
			"error, type its number; %q ends this.\n", skip)
}

// page runs one trial. The trial ends with the whole answer, a number, or the word skip.
func (w *walk) page(ctx context.Context, probe *signin.Probe, t doctor.PageTrial) doctor.PageTrial {
	t.Length, t.Err = probe.TryPage(ctx, t.PageTrial, func(address string) (string, error) {
		if address != "" {
			fmt.Fprintf(w.say, "\n%s\n\n", address)
		} else {
			fmt.Fprintln(w.say, "  not the whole answer to this address: go on")
		}
		line, err := w.word(ctx)
		if m := errorNumber.FindStringSubmatch(line); m != nil {
			t.Number, _ = strconv.Atoi(m[1]) // nine digits fit
			return "", errNumber
		}
		if line == skip {
			return "", errSkipped
		}
		return line, err
	})
	t.Done = !errors.Is(t.Err, errSkipped)
	switch {
	case !t.Done:
		fmt.Fprintln(w.say, "  not tried to the end")
	case t.Err != nil:
		fmt.Fprintln(w.say, "  refused")
	default:
		fmt.Fprintln(w.say, "  accepted")
	}
	return t
}

// word returns the next line that is not empty.
func (w *walk) word(ctx context.Context) (string, error) {
	for {
		select {
		case line, open := <-w.lines:
			if !open {
				w.lines = nil
				return "", errSkipped
			}
			if line = strings.TrimSpace(line); line != "" {
				return line, nil
			}
		case <-ctx.Done():
			return "", errSkipped
		}
	}
}

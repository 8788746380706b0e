// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"path"
	"runtime"
	"strings"
)

// panicked reports a defect of ours. The log gets what the runtime says about it and where it was.
// The value of another panic may be a secret and is left out. pam/crash.c does the same for the
// goroutines that end the worker.
func (a *attempt) panicked(value any) *refusal {
	what := fmt.Sprintf("a panic with a %T", value)
	if err, own := value.(runtime.Error); own {
		what = err.Error()
	}
	return a.refuse(Broken, somethingWrong, "panic", "error", what, "stack", callers())
}

// callers returns the functions that a deferred one recovers from, innermost first, without the
// runtime's.
func callers() string {
	var frames []string
	pcs := make([]uintptr, 64)
	all := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	for more := true; more; {
		var f runtime.Frame
		if f, more = all.Next(); !strings.HasPrefix(f.Function, "runtime.") {
			frames = append(frames, fmt.Sprintf("%s %s:%d",
				path.Base(f.Function), path.Base(f.File), f.Line))
		}
	}
	return strings.Join(frames, " < ")
}

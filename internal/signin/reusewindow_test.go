// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"
)

// at returns a moment at that time after some boot.
func at(minutes int) moment {
	up := time.Duration(minutes) * time.Minute
	return moment{time.Unix(1_800_000_000, 0).UTC().Add(up), "boot", up}
}

// windowAt returns a window of a browser sign-in at that moment.
func windowAt(host string, m moment) window {
	return window{
		origin: origin{Account: user, Host: host, Class: "sshd"}, Attempt: "a", Time: m.Time,
		Boot: m.Boot, Up: m.Up,
	}
}

// Both clocks have to agree.
func TestWindowOpen(t *testing.T) {
	w := windowAt("192.0.2.7", at(100))
	for _, test := range []struct {
		name string
		now  moment
		want bool
	}{
		{"at once", at(100), true},
		{"the last moment", at(110), true},
		{"past it", at(111), false},
		{"before", at(99), false},
		{"wall clock stepped back", moment{at(105).Time, "boot", at(111).Up}, false},
		{"wall clock stepped forward", moment{at(111).Time, "boot", at(105).Up}, false},
		{"wall clock stepped to before", moment{at(99).Time, "boot", at(105).Up}, false},
		{"uptime from before", moment{at(105).Time, "boot", at(99).Up}, false},
		{"another boot", moment{at(105).Time, "other", at(105).Up}, false},
		{"no boot id", moment{at(105).Time, "", at(105).Up}, false},
	} {
		if got := w.open(test.now, 10*time.Minute); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	if w.Boot = ""; w.open(moment{at(100).Time, "", at(100).Up}, time.Hour) {
		t.Error("a window of no boot is open")
	}
}

func TestUptimeGoesOn(t *testing.T) {
	boot, up := uptime()
	again, later := uptime()
	if len(boot) != 36 || boot != again || up <= 0 || later < up {
		t.Errorf("%q %v, %q %v", boot, up, again, later)
	}
}

// Of any number of addresses the newest are kept, and none that has ended.
func TestWindowsAreBounded(t *testing.T) {
	windows := windowFile{filepath.Join(t.TempDir(), "made", "windows"), time.Hour}
	for i := range 50 {
		err := windows.keep(t.Context(), windowAt(fmt.Sprintf("192.0.2.%d", i), at(i)), at(i))
		if err != nil {
			t.Fatal(err)
		}
	}
	all := windows.read(t.Context())
	if len(all) != keptWindows || all[len(all)-1].Host != "192.0.2.49" ||
		all[0].Host != "192.0.2.34" {
		t.Errorf("%d windows: %+v", len(all), all)
	}
	if err := windows.keep(t.Context(), windowAt("192.0.2.49", at(106)), at(106)); err != nil {
		t.Fatal(err)
	}
	// 46 to 48, and 49 anew
	if all = windows.read(t.Context()); len(all) != 4 || all[3].Time != at(106).Time {
		t.Errorf("%d windows: %+v", len(all), all)
	}
}

// Ten browser sign-ins at once lose none of their windows.
func TestWindowsSideBySide(t *testing.T) {
	windows := windowFile{filepath.Join(t.TempDir(), "windows"), time.Hour}
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			err := windows.keep(t.Context(), windowAt(fmt.Sprintf("192.0.2.%d", i), at(i)), at(10))
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := windows.read(t.Context()); len(got) != 10 {
		t.Errorf("%d windows: %+v", len(got), got)
	}
}

// FuzzWindows checks that windows that are read are written as the same windows.
func FuzzWindows(f *testing.F) {
	text, err := json.Marshal([]window{
		windowAt("192.0.2.7", at(1)), windowAt("fe80::1%eth0", at(2)),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(text[:len(text)-10])
	f.Add([]byte("[{}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		all := decodeWindows(bytes.NewReader(text))
		again, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		got := decodeWindows(bytes.NewReader(again))
		if len(all) > 0 && !reflect.DeepEqual(got, all) {
			t.Errorf("%+v becomes %+v", all, got)
		}
	})
}

// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"io"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"testing"
)

// The process at the other end decides, member for member, who may ask. The answer to others is a
// 403 without a body.
func TestGuestProxyAgent(t *testing.T) {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		callers []Caller
		want    int
	}{
		"no rules":       {nil, 200},
		"the executable": {[]Caller{{Exe: exe}}, 200},
		"all of it": {[]Caller{{Exe: "/usr/sbin/sshd"},
			{User: me.Username, Process: filepath.Base(exe), Exe: exe}}, 200},
		"another":         {[]Caller{{Exe: "/usr/sbin/aadctl"}}, 403},
		"another user":    {[]Caller{{User: me.Username + "2", Exe: exe}}, 403},
		"another name":    {[]Caller{{Process: "sshd", Exe: exe}}, 403},
		"a prefix of it":  {[]Caller{{Exe: filepath.Dir(exe)}}, 403},
		"any of the user": {[]Caller{{User: me.Username}}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			d := Contoso()
			d.Machine.Callers = test.callers
			s := &Server{Directory: d}
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for _, path := range []string{"instance/compute?api-version=2021-02-01",
				"identity/info?api-version=2018-02-01",
				"identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/"} {
				req, err := http.NewRequest(http.MethodGet, s.MetadataURL()+"/metadata/"+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Metadata", "true")
				got, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(got.Body)
				got.Body.Close()
				if got.StatusCode != test.want ||
					(test.want == 403) != (len(body) == 0 && got.Close &&
						got.Header.Get("Content-Type") == "") {
					t.Errorf("%s: %d %v %q", path, got.StatusCode, got.Header, body)
				}
			}
		})
	}
}

// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// arc makes the machine one of Azure Arc.
func arc(w *world) {
	w.change(func(d *Directory) {
		d.Machine.ResourceID = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo/providers/Microsoft.HybridCompute/machines/m1"
	})
}

func TestArc(t *testing.T) {
	w := newWorld(t)
	w.ArcKeys = t.TempDir()
	arc(w)
	url := w.MetadataURL() +
		"/metadata/identity/oauth2/token?api-version=2020-06-01&resource=https://management.azure.com/"
	ask := func(authorization ...string) (int, http.Header) {
		a := w.do("GET", url, "", append([]string{"Metadata", "true"}, authorization...)...)
		return a.status, a.header
	}

	status, header := ask()
	path, ok := strings.CutPrefix(header.Get("Www-Authenticate"), "Basic realm="+w.ArcKeys)
	if status != 401 || !ok {
		t.Fatalf("%d %v", status, header)
	}
	key, err := os.ReadFile(w.ArcKeys + path)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		key  string
		want int
	}{{"x", 401}, {"", 401}, {string(key), 200}, {string(key), 401}} {
		if status, _ := ask("Authorization", "Basic "+test.key); status != test.want {
			t.Errorf("%q: %d, want %d", test.key, status, test.want)
		}
	}
	a := w.do("GET", w.MetadataURL()+"/metadata/identity/info?api-version=2018-02-01", "",
		"Metadata", "true")
	if a.status != 404 {
		t.Errorf("tenant: %d", a.status)
	}
}

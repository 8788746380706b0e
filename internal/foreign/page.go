// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package foreign

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
)

// Page says which host answered if the answer is a page for people, and else returns "". The
// services asked here answer in JSON; proxies and portals that stand before them in a network do
// not. JSON is no page, whatever its header says. A 5xx is none either: the services' own front
// ends send pages with those.
func Page(status int, header http.Header, body []byte, host string) string {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	if kind != "text/html" || status >= http.StatusInternalServerError ||
		json.Valid(bytes.TrimPrefix(body, []byte("\ufeff"))) {
		return ""
	}
	return fmt.Sprintf("a proxy or portal answered in Azure's place: %d text/html from %s",
		status, host)
}

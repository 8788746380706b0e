// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"errors"
	"io"
	"net/http"
)

// maxBody is the largest body that is read from any server. The largest honest one, a tenant's
// signing keys, is about 20 KiB.
const maxBody = 1 << 20

// ErrTooLarge is returned for a body that is longer than maxBody.
var ErrTooLarge = errors.New("azure: body larger than 1 MiB")

// bounded makes reading a response body fail after maxBody bytes. It counts decompressed bytes: the
// transport below decompresses.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.ContentLength > maxBody {
		resp.Body.Close()
		return nil, ErrTooLarge
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxBody}
	return resp, nil
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

// Read reads at most one byte more than allowed, to tell a body of exactly maxBody from a longer
// one.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}

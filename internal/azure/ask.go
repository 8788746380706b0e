// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"context"
	"io"
	"net/http"
	"time"

	"aadlogin/internal/foreign"
	"aadlogin/internal/retry"
)

// An answer is a response read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
	host   string // that the request went to
}

// patience decides, after an attempt has ended with status (0: no answer), how long to pause before
// another one. tries counts the attempts, and waited is the sum of the pauses so far.
type patience func(status, tries int, waited time.Duration) (pause time.Duration, again bool)

// A retrier repeats a request as long as its patience lasts.
type retrier struct {
	client   *http.Client
	patience patience
	sleep    func(context.Context, time.Duration) error
	final    func(*answer) bool // reports answers that no repetition changes; nil: none

	send func(*http.Request) (*answer, error) // makes one attempt; nil: once
}

// ask makes a new request for every attempt. The error is that of the last attempt; an answer with
// any status is no error. A Retry-After is obeyed once: if the server asks for it again, ask ends,
// because a person waits.
func (r retrier) ask(ctx context.Context, request func() (*http.Request, error)) (*answer, error) {
	send := r.send
	if send == nil {
		send = func(req *http.Request) (*answer, error) { return once(r.client, req) }
	}
	var waited time.Duration
	var obeyed bool
	var last *answer
	var before error
	for tries := 1; ; tries++ {
		req, err := request()
		if err != nil {
			return nil, err
		}
		got, err := send(req.WithContext(ctx))
		if err != nil && ctx.Err() != nil && tries > 1 {
			return last, before // these tell more than the end of our time
		}
		last, before = got, err
		status := 0
		if err == nil {
			status = got.status
		}
		pause, again := r.patience(status, tries, waited)
		if err == nil {
			after := retry.After(got.header, time.Now())
			again = again && !(obeyed && after > 0) && (r.final == nil || !r.final(got))
			obeyed = obeyed || after > 0
			pause = max(pause, after)
		}
		if !again || pause > maxPause || ctx.Err() != nil {
			return got, err
		}
		if r.sleep(ctx, pause) != nil {
			return got, err
		}
		waited += pause
	}
}

// maxPause is the longest a person at a prompt is made to wait for one retry.
const maxPause = 20 * time.Second

func once(client *http.Client, req *http.Request) (*answer, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, foreign.Quiet(req, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, foreign.Quiet(req, err)
	}
	return &answer{resp.StatusCode, resp.Header, body, req.URL.Host}, nil
}

// backOff doubles the pause from a quarter of a second up to five seconds.
func backOff(tries int) time.Duration {
	return min(250*time.Millisecond<<min(tries-1, 10), 5*time.Second)
}

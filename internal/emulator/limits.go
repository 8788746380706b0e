// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits say how many requests the services answer, as token buckets. The zero value limits
// nothing. [Documented] returns Microsoft's figures.
type Limits struct {
	Reads     Bucket `toml:"reads,omitempty"`      // of Resource Manager, for each principal in each subscription
	Writes    Bucket `toml:"writes,omitempty"`     // the same for requests other than GET: checkAccess is a POST
	AllReads  Bucket `toml:"all_reads,omitempty"`  // for all principals together in each subscription
	AllWrites Bucket `toml:"all_writes,omitempty"` // the same
	SignIns   Bucket `toml:"sign_ins,omitempty"`   // of Entra ID, for each application: device codes and polls
	Instance  Bucket `toml:"instance,omitempty"`   // of each machine's metadata service
	Identity  Bucket `toml:"identity,omitempty"`   // the same for requests about its identity
}

// A Bucket holds Size requests, and regains Refill of them each second. A bucket without a size
// does not limit.
type Bucket struct {
	Size   float64 `toml:"size"`
	Refill float64 `toml:"refill"`
}

// Documented returns the limits that Microsoft publishes. Those of Entra ID are not public.
//
// Resource Manager, by region: "Understand how Azure Resource Manager throttles requests",
// https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling;
// a machine: "Azure Instance Metadata Service", Rate limiting,
// https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service.
func Documented() Limits {
	return Limits{
		Reads: Bucket{250, 25}, AllReads: Bucket{15 * 250, 15 * 25},
		Writes: Bucket{200, 10}, AllWrites: Bucket{15 * 200, 15 * 10},
		Instance: Bucket{5, 5},
		Identity: Bucket{20, 20},
	}
}

// A level is the content of a bucket at a time.
type level struct {
	tokens float64
	at     time.Time
}

// A draw names a bucket that a request takes a token from.
type draw struct {
	Bucket
	key string
}

// take takes a token from each bucket, or from none if one is empty. Then wait is the time until
// each has one. left is what the first bucket holds.
func (s *Server) take(now time.Time, of ...draw) (left int, wait time.Duration) {
	defer s.lock()()
	of = slices.DeleteFunc(of, func(c draw) bool { return c.Size == 0 })
	if len(of) == 0 {
		return 0, 0
	}
	for _, c := range of {
		l, known := s.levels[c.key]
		if !known {
			l = level{c.Size, now}
		}
		l.tokens = min(c.Size, l.tokens+c.Refill*now.Sub(l.at).Seconds())
		s.levels[c.key] = level{l.tokens, now}
		if missing := 1 - l.tokens; missing > 1e-9 {
			wait = max(wait, time.Duration(missing/c.Refill*float64(time.Second)))
		}
	}
	for _, c := range of {
		l := s.levels[c.key]
		if wait == 0 {
			l.tokens--
			s.levels[c.key] = l
		}
	}
	return int(s.levels[of[0].key].tokens), wait
}

// seconds returns the value of Retry-After.
func seconds(wait time.Duration) string {
	return strconv.Itoa(int(math.Ceil(wait.Seconds())))
}

// armThrottled reports whether the principal, or all together, have asked too much about the
// subscription. If so, it answers with the error. Its words were recorded by others
// (velero-io/velero issue 9171, 2025-08-11).
func (x *exchange) armThrottled(oid, resource string) bool {
	limits := x.dir.Limits
	own, all, kind := limits.Reads, limits.AllReads, "read"
	if x.r.Method != http.MethodGet {
		own, all, kind = limits.Writes, limits.AllWrites, "write"
	}
	if own.Size == 0 && all.Size == 0 {
		return false
	}
	subscription := segmentAfter(resource, "subscriptions")
	key := kind + " " + strings.ToLower(subscription)
	left, wait := x.s.take(x.now, draw{own, key + " " + oid}, draw{all, key})
	x.Header().Set("x-ms-ratelimit-remaining-subscription-"+kind+"s", strconv.Itoa(left))
	if wait == 0 {
		return false
	}
	x.Header().Set("Retry-After", seconds(wait))
	x.armError(http.StatusTooManyRequests, "SubscriptionRequestsThrottled",
		fmt.Sprintf("Number of '%s' requests for subscription '%s' actor '%s' exceeded. "+
			"Please try again after '%s' seconds after additional tokens are available. Refer to "+
			"https://aka.ms/arm-throttling for additional information.",
			kind, subscription, oid, seconds(wait)))
	return true
}

// entraThrottled reports whether an application asks in a loop. The answer was recorded by public
// clients (MSAL.NET issue 1495).
func (x *exchange) entraThrottled() bool {
	bucket := x.dir.Limits.SignIns
	_, wait := x.s.take(x.now, draw{bucket, "sign-in " + x.r.PostForm.Get("client_id")})
	if wait == 0 {
		return false
	}
	x.refuse(refusal{word: "invalid_grant", aadsts: 50196,
		text: "The server terminated an operation because it encountered a client request loop. " +
			"Please contact your app vendor."})
	return true
}

// metadataThrottled reports whether the metadata service is asked too often. The documentation
// names the status and no body.
func (x *exchange) metadataThrottled() bool {
	bucket, kind := x.dir.Limits.Instance, "instance"
	if slices.Contains([]string{"identity", "info"}, x.note.Endpoint) {
		bucket, kind = x.dir.Limits.Identity, "identity"
	}
	if _, wait := x.s.take(x.now, draw{bucket, kind + " " + x.dir.Machine.VMID}); wait == 0 {
		return false
	}
	x.metadataError(http.StatusTooManyRequests, "too_many_requests", "Too many requests")
	return true
}

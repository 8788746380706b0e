// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

const (
	allowed    = `"accessDecision":"Allowed"`
	notAllowed = `"accessDecision":"NotAllowed"`
)

// A hostile server with a certificate that the machine trusts. It can keep everybody out for at
// most sign_in.timeout. Nothing that it sends passes for a refusal by Azure.
func TestAdversary(t *testing.T) {
	t.Parallel()
	answerFault := func(f emulator.Fault) func(*machine) emulator.Fault {
		return func(*machine) emulator.Fault { return f }
	}
	answer := func(body string) func(*machine) emulator.Fault {
		return answerFault(emulator.Fault{Body: body})
	}
	openID := func(member string, value any) func(*machine) emulator.Fault {
		return func(m *machine) emulator.Fault {
			return emulator.Fault{Body: document(m.openID(), member, value)}
		}
	}
	elsewhere := func(scheme string) func(*machine) emulator.Fault {
		return func(m *machine) emulator.Fault {
			return redirect(scheme + "://" + m.elsewhere() + "/x")
		}
	}
	// transport makes a fault from an honest document of the endpoint.
	transport := func(f func(honest string) emulator.Fault) func(*machine) emulator.Fault {
		return func(m *machine) emulator.Fault { return f(document(m.openID(), "x", "y")) }
	}
	yes := may(allowed, notAllowed)
	access := func(f func(honest string) emulator.Fault) func(*machine) emulator.Fault {
		return func(*machine) emulator.Fault { return f(yes) }
	}
	chunked := func(text, trailer string) string {
		return fmt.Sprintf("%x\r\n%s\r\n0\r\n%s\r\n", len(text), text, trailer)
	}
	const broken, unusable, denied = "not configured correctly", "could not be trusted", "Access denied:"
	for _, test := range []struct {
		name, endpoint string
		fault          func(*machine) emulator.Fault
		want           Verdict
		told           string
	}{
		{"issuer of another tenant", "openid",
			openID("issuer", "https://login.example/"+stranger+"/v2.0"), Misconfigured, broken},
		{"keys in plain text", "openid", func(m *machine) emulator.Fault {
			keys := strings.Replace(m.entra.EntraURL(), "https", "http", 1) + "/keys"
			return emulator.Fault{Body: document(m.openID(), "jwks_uri", keys)}
		}, Misconfigured, broken},
		{"tokens from elsewhere", "openid", func(m *machine) emulator.Fault {
			endpoint := "https://" + m.elsewhere() + "/token"
			return emulator.Fault{Body: document(m.openID(), "token_endpoint", endpoint)}
		}, Misconfigured, broken},
		{"codes from elsewhere, behind our name", "openid", func(m *machine) emulator.Fault {
			ours := strings.TrimPrefix(m.entra.EntraURL(), "https://")
			endpoint := "https://" + ours + "@" + m.elsewhere() + "/x"
			return emulator.Fault{
				Body: document(m.openID(), "device_authorization_endpoint", endpoint),
			}
		}, Misconfigured, broken},
		{"two token endpoints", "openid", func(m *machine) emulator.Fault {
			const first = `{"Token_Endpoint":"https://x.example/",`
			return emulator.Fault{
				Body: strings.Replace(document(m.openID(), "x", "y"), "{", first, 1),
			}
		}, Misconfigured, broken},
		{"no keys", "openid", openID("jwks_uri", nil), Misconfigured, broken},

		{"20 levels", "openid",
			transport(func(honest string) emulator.Fault {
				return deep(honest, 20)
			}), Misconfigured, broken},
		{"10 MB", "openid",
			transport(func(honest string) emulator.Fault {
				return emulator.Fault{Body: honest, Size: 10 << 20}
			}), Unreachable, noService},
		{"a gzip bomb", "openid", transport(bomb), Unreachable, noService},
		{"a redirect elsewhere", "openid", elsewhere("https"), Unreachable, noService},
		{"a redirect to plain text", "openid", elsewhere("http"), Unreachable, noService},
		{"another content type", "openid",
			transport(func(honest string) emulator.Fault {
				return raw("Content-Type: text/html", honest)
			}), Success, ""},
		{"some interim answers", "openid", transport(func(honest string) emulator.Fault {
			return emulator.Fault{Raw: strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 3) +
				raw("", honest).Raw}
		}), Success, ""},
		{"a storm of interim answers", "openid", transport(func(honest string) emulator.Fault {
			const hint = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
			return emulator.Fault{Raw: strings.Repeat(hint, 10000) + raw("", honest).Raw}
		}), Unreachable, noService},
		{"another protocol", "openid", transport(func(honest string) emulator.Fault {
			return emulator.Fault{Raw: "HTTP/1.1 101 Switching Protocols\r\n" +
				"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + honest}
		}), Unreachable, noService},
		{"HTTP/2 frames", "openid",
			answerFault(emulator.Fault{Raw: "\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80"}), Unreachable, noService},
		{"HTTP/0.9", "openid",
			transport(func(honest string) emulator.Fault { return emulator.Fault{Raw: honest} }),
			Unreachable, noService},
		{"trailers", "openid", transport(func(honest string) emulator.Fault {
			return raw("Transfer-Encoding: chunked\r\nTrailer: Location",
				chunked(honest, "Location: https://evil.example/\r\n"))
		}), Success, ""},
		{"a trailer of 10 MB", "openid", transport(func(honest string) emulator.Fault {
			return raw("Transfer-Encoding: chunked",
				chunked(honest, "X: "+strings.Repeat("x", 10<<20)+"\r\n"))
		}), Unreachable, noService},
		{"chunks without end", "openid", transport(func(honest string) emulator.Fault {
			return raw("Transfer-Encoding: chunked",
				fmt.Sprintf("%x\r\n%s\r\n", len(honest), honest))
		}), Unreachable, noService},
		{"a header of 10 MB", "openid",
			transport(func(honest string) emulator.Fault {
				return raw("X: "+strings.Repeat("x", 10<<20), honest)
			}), Unreachable, noService},
		{"two lengths", "openid", transport(func(honest string) emulator.Fault {
			return raw(fmt.Sprintf("Content-Length: %d\r\nContent-Length: 2", len(honest)), honest)
		}), Unreachable, noService},
		{"a part of it", "openid",
			transport(func(honest string) emulator.Fault {
				return emulator.Fault{Status: 206, Body: honest}
			}), Unreachable, noService},
		{"a byte a second", "openid", transport(func(honest string) emulator.Fault {
			return emulator.Fault{Body: honest, Drip: emulator.Duration(time.Second)}
		}), Unreachable, noService},
		{"a byte of the header a second", "openid", transport(func(honest string) emulator.Fault {
			f := raw("", honest)
			f.Drip = emulator.Duration(time.Second)
			return f
		}), Unreachable, noService},

		{"10 MB", "instance", answer(`{"resourceId":"/x"}` + strings.Repeat(" ", 10<<20)),
			Unreachable, noMetadata},
		{"a gzip bomb", "instance",
			func(*machine) emulator.Fault { return bomb(`{"resourceId":"/x"}`) }, Unreachable,
			noMetadata},
		{"a redirect elsewhere", "instance", elsewhere("http"), Unreachable, noMetadata},
		{"a byte a second", "instance", func(m *machine) emulator.Fault {
			return emulator.Fault{Body: `{"resourceId":"/x"}`, Drip: emulator.Duration(time.Second)}
		}, Unreachable, noMetadata},
		{"a resource that is no machine", "instance",
			answer(`{"azEnvironment":"AzurePublicCloud","resourceId":"/subscriptions/x"}`),
			Unreachable, noMetadata},
		{"two resources", "instance",
			answer(`{"azEnvironment":"AzurePublicCloud","resourceId":"/a","ResourceId":"/b"}`),
			Unreachable, noMetadata},

		{"a redirect elsewhere", "devicecode", elsewhere("https"), Unreachable, noService},
		{"a page that is none", "devicecode",
			answer(`{"user_code":"A","device_code":"b","verification_uri":"javascript:x","expires_in":9}`), Unreachable, noService},
		{"a code of 10 MB", "devicecode",
			answer(`{"user_code":"` + strings.Repeat("A", 10<<20) + `"}`), Unreachable, noService},
		{"a code for no time", "devicecode",
			answer(`{"user_code":"A","device_code":"b","verification_uri":"https://x.example/","expires_in":-1}`), Unreachable, noService},

		{"a redirect elsewhere", "token", elsewhere("https"), Unreachable, noService},
		{"tokens that are none", "token",
			answer(`{"token_type":"Bearer","id_token":"x.y.z","access_token":"x","scope":"openid"}`), Refused, unusable},
		{"an ID token that is a list", "token",
			answer(`{"token_type":"Bearer","id_token":["eyJ"],"access_token":"x"}`),
			Refused, unusable},
		{"9,000 levels", "token", func(*machine) emulator.Fault {
			return deep(`{"token_type":"Bearer","id_token":"x.y.z","access_token":"x","scope":"openid"}`, 9000)
		}, Refused, unusable},
		{"10 MB", "token", answer(`{"id_token":"` + strings.Repeat("x", 10<<20) + `"}`),
			Unreachable, noService},
		{"a gzip bomb", "token", func(*machine) emulator.Fault { return bomb(`{"id_token":"x"}`) },
			Unreachable, noService},

		{"a header inside the token", "identity",
			answer(`{"token_type":"Bearer","access_token":"eyJ\r\nX: y","expires_in":"1"}`),
			Unreachable, noAzure},
		{"no token", "identity", answer(`{}`), Unreachable, noMetadata},
		{"a redirect elsewhere", "identity", elsewhere("http"), Unreachable, noMetadata},

		{"as Azure says it", "checkaccess", answer(yes), Success, ""},
		{"in another order, with more members", "checkaccess",
			answer(`[{"actionId":"microsoft.compute/virtualMachines/LOGINASADMIN/action","accessDecision":"x","isDataAction":true},` +
				`{"new":{"of":[1]},"isDataAction":true,"accessDecision":"Allowed","actionId":"Microsoft.Compute/virtualMachines/login/action"}]`), Success, ""},
		{"with a condition", "checkaccess",
			answer(may(allowed+`,"roleAssignment":{"condition":"@x"}`, notAllowed)),
			Denied, denied},
		{"with a deny assignment", "checkaccess",
			answer(may(allowed+`,"denyAssignment":{"id":"x"}`, notAllowed)), Denied, denied},
		{"an unknown word", "checkaccess",
			answer(may(`"accessDecision":"AllowedWithObligations"`, notAllowed)), Denied, denied},
		{"administrator only", "checkaccess", answer(may(notAllowed, allowed)), Denied, denied},
		{"everything twice", "checkaccess", answer(yes[:len(yes)-1] + "," + yes[1:]),
			Denied, denied},
		{"half of it", "checkaccess", answer(yes[:strings.Index(yes, "},")+1] + "]"),
			Denied, denied},
		{"two words in one", "checkaccess",
			answer(may(notAllowed+`,"AccessDecision":"Allowed"`, notAllowed)),
			Unreachable, noAzure},
		{"an object", "checkaccess", answer(`{"values":` + yes + `}`), Unreachable, noAzure},
		{"a list in pages", "checkaccess",
			answer(`{"value":` + yes + `,"nextLink":"https://management.azure.com/2"}`),
			Unreachable, noAzure},
		{"two lists", "checkaccess", answer(`{"value":` + yes + `,"Value":` + yes + `}`),
			Unreachable, noAzure},
		{"20 levels", "checkaccess",
			access(func(honest string) emulator.Fault {
				return deep(honest, 20)
			}), Unreachable, noAzure},
		{"10 MB", "checkaccess",
			access(func(honest string) emulator.Fault {
				return emulator.Fault{Body: honest, Size: 10 << 20}
			}), Unreachable, noAzure},
		{"a gzip bomb", "checkaccess", access(bomb), Unreachable, noAzure},
		{"a redirect elsewhere", "checkaccess", elsewhere("https"), Unreachable, noAzure},
		{"another content type", "checkaccess",
			access(func(honest string) emulator.Fault {
				return raw("Content-Type: image/png", honest)
			}), Success, ""},
		{"a byte a second", "checkaccess", access(func(honest string) emulator.Fault {
			return emulator.Fault{Body: honest, Drip: emulator.Duration(time.Second)}
		}), Unreachable, noAzure},
	} {
		t.Run(test.endpoint+" "+test.name, func(t *testing.T) {
			outage := ""
			if strings.HasSuffix(test.name, "a second") {
				outage = "silent"
			}
			lines := ""
			if test.want == Unreachable {
				lines = patience(test.endpoint, outage)
			}
			m := newMachine(t, lines)
			fault := test.fault(m)
			fault.Endpoint = test.endpoint
			m.entra.Fail(fault)
			m.ordeal(test.endpoint, test.want, test.told)
		})
	}
}

// A server may send a token, a device code or a proxy's echo of our request where none belongs. The
// errors of net/http quote it. The log and the person must not see it.
func TestErrorsQuoteNoServer(t *testing.T) {
	t.Parallel()
	const secret = "eyJhbGciOiJub25lIn0"
	for name, text := range map[string]string{
		"no HTTP":       `{"access_token":"` + secret + `"}`,
		"status":        "HTTP/1.1 " + secret + " OK\r\n\r\n",
		"protocol":      "HTTP/" + secret + " 200 OK\r\n\r\n",
		"header":        "HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n",
		"folded header": "HTTP/1.1 200 OK\r\n " + secret + "\r\n\r\n",
		"length":        "HTTP/1.1 200 OK\r\nContent-Length: " + secret + "\r\n\r\n",
		"two lengths": "HTTP/1.1 200 OK\r\nContent-Length: " + secret +
			"\r\nContent-Length: 7\r\n\r\n",
		"encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + secret + "\r\n\r\n",
		"chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + secret +
			"\r\n",
		"trailer": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + secret +
			"\r\n\r\n",
		"trailer's name": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: " +
			"Content-Length, " + secret + "\r\n\r\n0\r\n\r\n",
		"redirect": "HTTP/1.1 307 Moved\r\nLocation: https://elsewhere.example/" + secret +
			"\r\n\r\n",
		"no such redirect": "HTTP/1.1 307 Moved\r\nLocation: https://%zz" + secret + "\r\n\r\n",
		"redirect to us": "HTTP/1.1 307 Moved\r\nLocation: /x?" + secret +
			"\r\nContent-Length: 0\r\n\r\n",
		"body":  "HTTP/1.1 200 OK\r\n\r\n" + secret,
		"error": "HTTP/1.1 400 Bad Request\r\n\r\n" + secret,
	} {
		for _, endpoint := range []string{"openid", "token", "identity", "checkaccess"} {
			t.Run(endpoint+" "+name, func(t *testing.T) {
				m := newMachine(t, patience(endpoint, name))
				m.entra.Fail(emulator.Fault{Endpoint: endpoint, Raw: text})
				conv := m.ordeal(endpoint, Unreachable, "Correlation ID")
				all := strings.Join(append(conv.logged, conv.told...), "\n")
				if strings.Contains(all, secret) {
					t.Errorf("quotes the server: %s", all)
				}
			})
		}
	}
}

// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The PAM codes that matter here, by their numbers in _pam_types.h.
const (
	pamSuccess     = 0
	pamServiceErr  = 3
	pamSystemErr   = 4
	pamPermDenied  = 6
	pamAuthErr     = 7
	pamUnavail     = 9
	pamUserUnknown = 10
	pamMaxTries    = 11
	pamConvErr     = 19
	pamIgnore      = 25
)

// What comes after a worker's last byte.
const (
	endOfFile = iota
	silence
	readError
	reset // by a worker that has died and not read a reply
)

// What a conversation answers.
const (
	enter       = iota // after some time also with a text, typed by mistake
	nothing            // no answer at all
	name               // the account's; after some time a person has typed it
	password           // the one the host has from elsewhere, PAM_AUTHTOK
	atOnceAgain        // something, and the same when asked again
	ahead              // something that was typed before, and then ENTER
)

// What becomes of a question.
const (
	types = iota
	fails // as sudo's conversation does
	failsOtherwise
	noAnswer
)

// What the worker does with a reply.
const (
	hears = iota
	hasGone
	hasDied
	isFull
	hearsHalf
)

// typed is one answer to a question.
type typed struct {
	kind  byte
	takes byte // seconds
	text  string
}

// scenario is what a worker writes, and how the rest of the world behaves meanwhile.
type scenario struct {
	frames       string
	end          byte
	chunk        byte   // bytes at a time; 0: all there are
	interrupted  bool   // by signals
	conversation byte   // its result
	answer       byte   // what it answers
	userPrompt   bool   // set by the host
	sshd         bool   // is the host
	takes        uint32 // seconds until ENTER

	answers []typed // to questions, over and over
	hears   byte    // what the worker does with a reply
}

// event is what the host got to see: P a prompt, V and H a question with and without echo, E an error message, L a log line after its
// priority, F last words; and T and O, what the worker got to read.
type event struct {
	kind byte
	text string
}

func (e event) String() string { return fmt.Sprintf("%c%.200q", e.kind, e.text) }

func frame(kind byte, text string) string {
	return string([]byte{kind, byte(len(text)), byte(len(text) >> 8)}) + text
}

// result ends an attempt: the code, and the line for the log.
func result(code byte) string { return frame('R', string([]byte{code, 5})+ending) }

const ending = `denied account="a"`

// ended is how the host sees it.
var ended = event{'L', "\x05" + ending}

func deadline(seconds uint32) string {
	return frame('D', string(binary.LittleEndian.AppendUint32(nil, seconds)))
}

// relayHarness is a running harness.
type relayHarness struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
}

func newRelay(t testing.TB) *relayHarness {
	t.Helper()
	r := &relayHarness{cmd: exec.Command(harness(t, "relay"))}
	r.cmd.Stderr = &r.stderr
	var err error
	if r.in, err = r.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.out = bufio.NewReader(out)
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.in.Close()
		if err := r.cmd.Wait(); err != nil { // a leak is found at the end
			t.Errorf("relay: %v\n%s", err, r.stderr.Bytes())
		}
	})
	return r
}

// play lets the relay see a scenario and returns what the host saw of it, the result last.
func (r *relayHarness) play(t testing.TB, s scenario) ([]event, byte) {
	t.Helper()
	head := []byte{s.end, s.chunk, 0, s.conversation}
	if s.interrupted {
		head[2] = 1
	}
	head = append(head, s.answer, 0, 0, s.hears)
	if s.userPrompt {
		head[5] = 1
	}
	if s.sshd {
		head[6] = 1
	}
	head = binary.NativeEndian.AppendUint32(head, s.takes)
	head = binary.NativeEndian.AppendUint32(head, uint32(len(s.frames)))
	var answers []byte
	for _, a := range s.questioned() {
		answers = append(append(answers, a.kind, a.takes, byte(len(a.text)), byte(len(a.text)>>8)), a.text...)
	}
	head = binary.NativeEndian.AppendUint32(head, uint32(len(answers)))
	// The harness reads it all before it answers.
	if _, err := r.in.Write(slices.Concat(head, []byte(s.frames), answers)); err != nil {
		t.Fatalf("relay: %v", err)
	}
	var seen []event
	for {
		e, err := r.event()
		if err != nil {
			t.Fatalf("relay: %v after %v", err, seen) // why, says its end
		}
		if e.kind == 'R' {
			return seen, e.text[0]
		}
		seen = append(seen, e)
	}
}

func (r *relayHarness) event() (event, error) {
	var head [5]byte
	if _, err := io.ReadFull(r.out, head[:]); err != nil {
		return event{}, err
	}
	text := make([]byte, binary.NativeEndian.Uint32(head[1:]))
	_, err := io.ReadFull(r.out, text)
	return event{head[0], string(text)}, err
}

// The ways a worker breaks down, as strerror(3) has them.
const (
	hungUp   = "Broken pipe"
	timedOut = "Connection timed out"
	nonsense = "Protocol error"
	ioError  = "Input/output error"
)

// failed is the line the door writes itself.
func failed(priority byte, reason, more string) event {
	return event{'L', string(priority) + `failed reason="` + reason + `" account="a" attempt="id"` + more}
}

// broken is how the host sees a worker that has broken down.
func broken(cause string) []event {
	sorry := event{'E', "Something went wrong on this machine, and nobody was signed in. Try again; if it stays, tell its administrator."}
	switch cause {
	case timedOut:
		return []event{{'E', "The sign-in took too long and was given up. Try again."}, failed(3, "time-out", "")}
	case hungUp:
		return []event{sorry, failed(3, "worker-died", ` error="panic" stack="main.f main.go:1"`)}
	default:
		return []event{sorry, failed(3, "worker-failed", ` error="`+cause+`"`)}
	}
}

// questioned is who answers questions: at least somebody who does not.
func (s scenario) questioned() []typed {
	if len(s.answers) == 0 {
		return []typed{{kind: noAnswer}}
	}
	return s.answers
}

// answerer is door.h's questions once more, in Go.
type answerer struct {
	scenario
	next, tooLong int
	there, failed bool
	now           int64
	seen          []event
}

// once asks, and says whether somebody answered; and whether that was at once.
func (a *answerer) once(kind byte, text string) (t typed, answered, atOnce bool) {
	a.seen = append(a.seen, event{kind, text})
	all := a.questioned()
	t = all[a.next%len(all)]
	a.next++
	a.now += int64(t.takes)
	atOnce = t.takes == 0
	answered = t.kind == types && !(atOnce && t.text == "a") && !(a.answer == password && t.text == "of the host")
	return t, answered, atOnce
}

// ask returns what the conversation comes to; -1: the worker gets no reply that it can use.
func (a *answerer) ask(text string) int {
	kind := "HV"[text[0]]
	text, _, _ = strings.Cut(text[1:], "\x00")
	t, answered, atOnce := a.once(kind, text)
	if answered && atOnce && t.text != "" && !a.there {
		if t, answered, atOnce = a.once(kind, text); answered && atOnce && t.text != "" {
			return pamMaxTries
		}
	}
	long := answered && len(t.text) > 8192
	if t.kind == fails {
		long = !atOnce || a.there && !a.failed
	}
	a.failed = !answered
	a.there = a.there || !atOnce
	switch {
	case long && a.tooLong == 5, !long && !answered:
		return pamConvErr
	case long:
		a.tooLong++
		a.seen = append(a.seen, event{'O', ""})
	default:
		a.seen = append(a.seen, event{'T', t.text})
	}
	if a.hears == isFull || a.hears == hearsHalf && t.text != "" && !long {
		return -1
	}
	return pamSuccess
}

// model is door.h once more, in Go: what the host sees of a scenario, and the result.
func (s scenario) model() (seen []event, code byte) {
	var now, until int64 = 0, 30
	person := answerer{scenario: s}
	rest := s.frames
	take := func(n int) (string, bool) {
		if len(rest) < n {
			return "", false
		}
		text := rest[:n]
		rest = rest[n:]
		return text, true
	}
	breakDown := func(cause string) ([]event, byte) { return append(seen, broken(cause)...), pamSystemErr }
	show := func(kind byte, prefix, text string) {
		text, _, _ = strings.Cut(text, "\x00")
		seen = append(seen, event{kind, prefix + text})
	}
	prompts, again, last := 0, "", ""
	// asked reports whether a person has read a prompt.
	asked := func(text string) bool {
		for {
			show('P', "", text)
			prompts++
			switch {
			case s.answer == enter || s.answer == ahead && prompts > 1 || s.answer == name && s.takes > 0:
				now += int64(s.takes)
				return s.conversation == pamSuccess
			case s.answer != ahead && s.answer != atOnceAgain || s.conversation != pamSuccess || prompts > 1:
				return false
			}
		}
	}
	// waited does the same, and again as long as a person presses ENTER and the worker stays silent.
	waited := func(text string) bool {
		for asked(text) {
			if again == "" || s.takes == 0 || now+15 >= until || rest != "" || s.end != silence {
				return true
			}
			now += 15
			text = again
		}
		return false
	}
	unread := func(byProgram bool) ([]event, byte) {
		if s.sshd && byProgram {
			return append(seen, event{'E', "Your program answered by itself, with a password that it has stored. This account has none: " +
				"let the program use a key, or a connection that is open already (ControlMaster)."}, failed(5, "stored-password", "")), pamMaxTries
		}
		return append(seen, failed(5, "conversation-failed", "")), pamConvErr
	}
	ending := []string{hungUp, timedOut, ioError, hungUp}[s.end]
	for {
		head, ok := take(3)
		if !ok {
			return breakDown(ending)
		}
		length := int(head[1]) + int(head[2])*256
		if length > 16384 {
			return breakDown(nonsense)
		}
		text, ok := take(length)
		if !ok {
			return breakDown(ending)
		}
		switch {
		case head[0] == 'P':
			if !waited(text) {
				return unread(s.answer == atOnceAgain && s.conversation == pamSuccess)
			}
		case head[0] == 'Q' && length >= 1 && text[0] <= 1:
			person.seen, person.now = seen, now
			ret := person.ask(text)
			seen, now = person.seen, person.now
			switch {
			case ret < 0 && s.hears == isFull:
				return breakDown("Resource temporarily unavailable")
			case ret < 0:
				return breakDown(nonsense)
			case ret != pamSuccess:
				return unread(ret == pamMaxTries)
			}
		case head[0] == 'A':
			again, _, _ = strings.Cut(text, "\x00")
		case head[0] == 'E':
			show('E', "", text)
		case head[0] == 'F' && length <= 2048:
			last, _, _ = strings.Cut(text, "\x00")
		case head[0] == 'L' && length <= 1:
		case head[0] == 'L':
			show('L', string([]byte{text[0] & 7}), text[1:])
		case head[0] == 'D' && length == 4:
			seconds := int64(binary.LittleEndian.Uint32([]byte(text)))
			if seconds*1000 > 1<<31-1 { // more than poll(2) can be told
				return breakDown(nonsense)
			}
			until = now + seconds
		case head[0] == 'R' && length >= 1 && allowed(text[0]):
			code = text[0]
			line, _, _ := strings.Cut(text[min(2, len(text)):], "\x00")
			switch {
			case line == "" && code != pamUserUnknown && code != pamIgnore:
				return breakDown(nonsense)
			case code == pamSuccess && now > until:
				return breakDown(timedOut)
			}
			if line != "" {
				seen = append(seen, event{'L', string([]byte{text[1] & 7}) + line})
			}
			if last != "" && code != pamSuccess {
				seen = append(seen, event{'F', last})
			}
			return seen, code
		default:
			return breakDown(nonsense)
		}
	}
}

func allowed(code byte) bool {
	return bytes.IndexByte([]byte{pamSuccess, pamServiceErr, pamSystemErr, pamPermDenied, pamAuthErr, pamUnavail, pamUserUnknown, pamConvErr, pamIgnore}, code) >= 0
}

// agree plays a scenario against the model, in one piece, in small pieces and between signals.
func (r *relayHarness) agree(t testing.TB, s scenario) {
	t.Helper()
	want, wantCode := s.model()
	for _, s.chunk = range []byte{0, 1, 7} {
		for _, s.interrupted = range []bool{false, true} {
			if seen, code := r.play(t, s); code != wantCode || !slices.Equal(seen, want) {
				t.Fatalf("%.200q, ending %d, %d at a time: %d %v\nwant %d %v", s.frames, s.end, s.chunk, code, seen, wantCode, want)
			}
		}
	}
}

// whole is a sign-in with every kind of frame.
var whole = deadline(285) + frame('L', "\x07step account=\"a\"") + frame('E', "Look.") +
	frame('P', "Open the page.\nPress ENTER.") + frame('P', "") + result(pamSuccess)

func TestRelayWhole(t *testing.T) {
	r := newRelay(t)
	want := []event{{'L', "\x07step account=\"a\""}, {'E', "Look."}, {'P', "Open the page.\nPress ENTER."}, {'P', ""}, ended}
	seen, code := r.play(t, scenario{frames: whole, end: silence})
	if code != pamSuccess || !slices.Equal(seen, want) {
		t.Errorf("%d %v", code, seen)
	}
	r.agree(t, scenario{frames: whole, end: silence})
	// What comes after the result is not looked at.
	if _, code := r.play(t, scenario{frames: result(pamAuthErr) + result(pamSuccess)}); code != pamAuthErr {
		t.Errorf("the second result counts: %d", code)
	}
}

// Cut off anywhere, however it ends: a failure.
func TestRelayTruncated(t *testing.T) {
	r := newRelay(t)
	for n := range whole {
		for end, cause := range []string{hungUp, timedOut, ioError, hungUp} {
			s := scenario{frames: whole[:n], end: byte(end)}
			seen, code := r.play(t, s)
			if tail := broken(cause); code != pamSystemErr || len(seen) < len(tail) || !slices.Equal(seen[len(seen)-len(tail):], tail) {
				t.Errorf("%d bytes: %d %v", n, code, seen)
			}
			r.agree(t, s)
		}
	}
}

// Every result there could be: the allowed ones pass with their line, only 0 is a success, and the others are a broken worker.
func TestRelayResults(t *testing.T) {
	r := newRelay(t)
	pass := map[byte]bool{}
	for code := range 256 {
		s := scenario{frames: result(byte(code))}
		seen, got := r.play(t, s)
		switch {
		case (got == pamSuccess) != (code == 0):
			t.Errorf("result %d becomes %d", code, got)
		case slices.Equal(seen, []event{ended}) && got == byte(code):
			pass[got] = true
		case !slices.Equal(seen, broken(nonsense)) || got != pamSystemErr:
			t.Errorf("result %d becomes %d %v", code, got, seen)
		}
		r.agree(t, s)
	}
	if len(pass) != 9 {
		t.Errorf("%d results pass: %v", len(pass), pass)
	}
}

// Nobody is let in, and nobody refused whose name is ours, without a line in the log.
func TestRelayResultWithoutLine(t *testing.T) {
	r := newRelay(t)
	for _, text := range []string{"", "\x00", "\x00\x05", "\x07", "\x07\x05", "\x00\x05\x00line", strings.Repeat("\x00", 16384)} {
		if seen, got := r.play(t, scenario{frames: frame('R', text)}); got != pamSystemErr || !slices.Equal(seen, broken(nonsense)) {
			t.Errorf("%q: %d %v", text, got, seen)
		}
	}
	for _, code := range []byte{pamUserUnknown, pamIgnore} {
		if seen, got := r.play(t, scenario{frames: frame('R', string(code))}); got != code || seen != nil {
			t.Errorf("a name that is not ours: %d %v", got, seen)
		}
	}
}

func TestRelayUnknownTypes(t *testing.T) {
	r := newRelay(t)
	for kind := range 256 {
		if strings.IndexByte("PAQEFLDR", byte(kind)) >= 0 {
			continue
		}
		for _, text := range []string{"", "\x00", "text"} {
			seen, code := r.play(t, scenario{frames: frame(byte(kind), text) + result(pamSuccess)})
			if code != pamSystemErr || !slices.Equal(seen, broken(nonsense)) {
				t.Errorf("type %d: %d %v", kind, code, seen)
			}
		}
	}
}

func TestRelayLengths(t *testing.T) {
	r := newRelay(t)
	for _, kind := range []byte("PAQEFLDR") {
		for _, n := range []int{16385, 16386, 32767, 32768, 65535} {
			s := scenario{frames: frame(kind, strings.Repeat("x", n)) + result(pamSuccess)}
			if seen, code := r.play(t, s); code != pamSystemErr || !slices.Equal(seen, broken(nonsense)) {
				t.Errorf("%c of %d bytes: %d, %d events", kind, n, code, len(seen))
			}
			r.agree(t, s)
			// The length alone is enough: nobody waits for the text.
			r.agree(t, scenario{frames: s.frames[:3], end: silence})
		}
		for _, n := range []int{0, 1, 2, 3, 4, 5, 2047, 2048, 2049, 16383, 16384} {
			r.agree(t, scenario{frames: frame(kind, strings.Repeat("x", n)) + result(pamSuccess)})
		}
	}
}

// A text is a text: neither a format nor the beginning of another.
func TestRelayTexts(t *testing.T) {
	r := newRelay(t)
	for _, text := range []string{"%s%n%d", "\x00hidden", "seen\x00hidden", "\xff\xfe", "\x06%n", "\xff%s", "\x1b[2J"} {
		for _, kind := range []byte("PAQEFL") {
			r.agree(t, scenario{frames: frame(kind, text) + result(pamSuccess)})
		}
	}
}

// A person who pressed ENTER before the browser was done is asked again every 15 s, for as long as the attempt has; a program that
// presses it is not, and nobody is once the worker has something to say.
func TestRelayAsksAgain(t *testing.T) {
	r := newRelay(t)
	again := deadline(60) + frame('A', "Still waiting.") + frame('P', "Press ENTER.")
	ask, still := event{'P', "Press ENTER."}, event{'P', "Still waiting."}
	late := broken(timedOut)
	for _, test := range []struct {
		name  string
		s     scenario
		want  []event
		until byte
	}{
		{"every 15 s", scenario{frames: again, end: silence, takes: 1}, append([]event{ask, still, still, still}, late...), pamSystemErr},
		{"a person who reads for long", scenario{frames: again, end: silence, takes: 40}, append([]event{ask, still}, late...), pamSystemErr},
		{"a program's ENTER", scenario{frames: again, end: silence}, append([]event{ask}, late...), pamSystemErr},
		{"the browser is done", scenario{frames: again + result(pamSuccess), end: silence, takes: 1}, []event{ask, ended}, pamSuccess},
		{"half a frame is none", scenario{frames: again + "R", end: silence, takes: 1}, append([]event{ask}, late...), pamSystemErr},
		{"the worker has died", scenario{frames: again, takes: 1}, append([]event{ask}, broken(hungUp)...), pamSystemErr},
		{"nothing to ask", scenario{frames: deadline(60) + frame('P', "Press ENTER."), end: silence, takes: 1}, append([]event{ask}, late...), pamSystemErr},
	} {
		if seen, code := r.play(t, test.s); code != test.until || !slices.Equal(seen, test.want) {
			t.Errorf("%s: %d %v, want %d %v", test.name, code, seen, test.until, test.want)
		}
		r.agree(t, test.s)
	}
}

// What a program has stored is refused in sshd once and for all, with a sentence that helps; elsewhere sudo may ask again.
func TestRelayStoredPassword(t *testing.T) {
	r := newRelay(t)
	s := scenario{frames: frame('P', "Press ENTER.") + result(pamSuccess), answer: atOnceAgain, sshd: true}
	seen, code := r.play(t, s)
	if code != pamMaxTries || len(seen) != 4 || !strings.Contains(seen[2].text, "a password that it has stored") || seen[3] != failed(5, "stored-password", "") {
		t.Errorf("%d %v", code, seen)
	}
	r.agree(t, s)
	for _, answer := range []byte{enter, nothing, name, password, ahead} {
		if s.answer = answer; answer == enter || answer == ahead {
			if _, code := r.play(t, s); code != pamSuccess {
				t.Errorf("answer %d: %d", answer, code)
			}
		}
		r.agree(t, s)
	}
	s.answer, s.sshd = atOnceAgain, false
	if _, code := r.play(t, s); code != pamConvErr {
		t.Errorf("outside sshd: %d", code)
	}
	r.agree(t, s)
}

func TestRelayConversationFails(t *testing.T) {
	r := newRelay(t)
	for code := 1; code < 256; code++ {
		s := scenario{frames: frame('P', "Press ENTER.") + result(pamSuccess), conversation: byte(code)}
		if seen, got := r.play(t, s); got != pamConvErr || len(seen) != 2 || seen[1] != failed(5, "conversation-failed", "") {
			t.Errorf("conversation %d: %d %v", code, got, seen)
		}
	}
}

// A conversation in which nobody has read the prompt ends the attempt, whatever it answers, and at once.
func TestRelayNobodyReads(t *testing.T) {
	r := newRelay(t)
	ask := event{'P', "Press ENTER."}
	nobody := failed(5, "conversation-failed", "")
	for _, test := range []struct {
		name   string
		answer byte
		takes  uint32
		want   []event
		code   byte
	}{
		{"ENTER", enter, 0, []event{ask, ended}, pamSuccess},
		{"a text, in time", enter, 1, []event{ask, ended}, pamSuccess},
		{"no answer", nothing, 0, []event{ask, nobody}, pamConvErr},
		{"the name", name, 0, []event{ask, nobody}, pamConvErr},
		{"a password of the host's", password, 0, []event{ask, nobody}, pamConvErr},
		{"the name, typed by a person", name, 2, []event{ask, ended}, pamSuccess},
		{"a password of the host's, whenever", password, 2, []event{ask, nobody}, pamConvErr},
		{"the same at once", atOnceAgain, 0, []event{ask, ask, nobody}, pamConvErr},
		{"typed ahead", ahead, 0, []event{ask, ask, ended}, pamSuccess},
		{"typed ahead, then read", ahead, 3, []event{ask, ask, ended}, pamSuccess},
	} {
		for _, set := range []bool{false, true} {
			s := scenario{frames: frame('P', "Press ENTER.") + result(pamSuccess), answer: test.answer, takes: test.takes, userPrompt: set}
			if seen, code := r.play(t, s); code != test.code || !slices.Equal(seen, test.want) {
				t.Errorf("%s: %d %v, want %d %v", test.name, code, seen, test.code, test.want)
			}
			r.agree(t, s)
		}
	}
}

// The deadline: nothing is waited for past it, what is queued by then may say why, and a success comes too late.
func TestRelayDeadline(t *testing.T) {
	prompt := frame('P', "Press ENTER.")
	r := newRelay(t)
	for _, test := range []struct {
		name  string
		s     scenario
		code  byte
		cause string
	}{
		{"in time", scenario{frames: deadline(10) + prompt + result(pamSuccess), takes: 9}, pamSuccess, ""},
		{"the last moment", scenario{frames: deadline(10) + prompt + result(pamSuccess), takes: 10}, pamSuccess, ""},
		{"a success too late", scenario{frames: deadline(10) + prompt + result(pamSuccess), takes: 11}, pamSystemErr, timedOut},
		{"ENTER long after", scenario{frames: deadline(10) + prompt + result(pamSuccess), takes: 1 << 31}, pamSystemErr, timedOut},
		{"a refusal late, with its own line", scenario{frames: deadline(10) + prompt + result(pamAuthErr), takes: 11}, pamAuthErr, ""},
		{"the first deadline", scenario{frames: prompt + result(pamSuccess), takes: 30}, pamSuccess, ""},
		{"past the first deadline", scenario{frames: prompt + result(pamSuccess), takes: 31}, pamSystemErr, timedOut},
		{"nothing comes", scenario{end: silence}, pamSystemErr, timedOut},
		{"nothing more comes", scenario{frames: deadline(285) + prompt, end: silence}, pamSystemErr, timedOut},
		{"nothing more comes after ENTER", scenario{frames: deadline(10) + prompt, end: silence, takes: 100}, pamSystemErr, timedOut},
		{"none left", scenario{frames: deadline(0) + result(pamSuccess)}, pamSuccess, ""},
		{"another deadline", scenario{frames: deadline(1) + prompt + deadline(5) + prompt + result(pamSuccess), takes: 5}, pamSuccess, ""},
		{"as long as poll can wait", scenario{frames: deadline(2147483), end: silence}, pamSystemErr, timedOut},
		{"longer", scenario{frames: deadline(2147484) + result(pamSuccess)}, pamSystemErr, nonsense},
		{"wraps around to little", scenario{frames: deadline(4294968) + result(pamSuccess)}, pamSystemErr, nonsense},
		{"for ever", scenario{frames: deadline(1<<32-1) + result(pamSuccess), end: silence}, pamSystemErr, nonsense},
		{"too short", scenario{frames: frame('D', "abc") + result(pamSuccess)}, pamSystemErr, nonsense},
		{"too long", scenario{frames: frame('D', "abcde") + result(pamSuccess)}, pamSystemErr, nonsense},
		{"empty", scenario{frames: frame('D', "") + result(pamSuccess)}, pamSystemErr, nonsense},
	} {
		t.Run(test.name, func(t *testing.T) {
			seen, code := r.play(t, test.s)
			if code != test.code {
				t.Errorf("%d %v, want %d", code, seen, test.code)
			}
			if tail := broken(test.cause); test.cause != "" && (len(seen) < len(tail) || !slices.Equal(seen[len(seen)-len(tail):], tail)) {
				t.Errorf("%v, want %v last", seen, tail)
			}
			r.agree(t, test.s)
		})
	}
}

// Whatever bytes a worker writes: no sanitizer speaks up, and the host sees what the model says.
func FuzzRelay(f *testing.F) {
	f.Add([]byte(whole), byte(silence), byte(pamSuccess), byte(enter), uint32(1))
	f.Add([]byte(whole), byte(silence), byte(pamSuccess), byte(ahead), uint32(1))
	f.Add([]byte(deadline(10)+frame('P', "p")+result(pamSuccess)), byte(endOfFile), byte(pamSuccess), byte(enter), uint32(11))
	f.Add([]byte(deadline(1<<32-1)), byte(silence), byte(pamSuccess), byte(nothing), uint32(0))
	f.Add([]byte(frame('L', "\xff%n\x00x")+frame('E', "%s")), byte(readError), byte(pamConvErr), byte(name), uint32(0))
	f.Add([]byte(frame('P', "")+result(pamMaxTries)), byte(endOfFile), byte(pamConvErr), byte(atOnceAgain), uint32(0))
	f.Add([]byte("P\x01\x40"), byte(endOfFile), byte(0), byte(0), uint32(0))
	r := newRelay(f)
	f.Fuzz(func(t *testing.T, frames []byte, end, conversation, answer byte, takes uint32) {
		r.agree(t, scenario{frames: string(frames), end: end % 4, conversation: conversation, answer: answer % 6, takes: takes})
	})
}
